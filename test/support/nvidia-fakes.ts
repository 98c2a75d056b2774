/** Stand-ins for NVIDIA's libraries, compiled from test/native/fakes/ when a test first needs them. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { NativeTensorRtOptions } from "../../src/native/addon.js";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
const sources = join(root, "test", "native", "fakes");
const compiler = process.env["CXX"] ?? "c++";

/** File to make, its sources, definitions. */
const LIBRARIES: readonly (readonly [file: string, source: string, ...definitions: readonly string[]])[] = [
  ["cuda/libcuda.so.1", "fake_cuda.cc kernel_twins.cc"],
  ["cuda/libnvidia-ml.so.1", "fake_versions.cc", "FAKE_NVML=0"],
  ["cuda/libcudart.so.12", "fake_versions.cc", "FAKE_CUDART=12060"],
  ["versions/libnvinfer.so.10", "fake_versions.cc", "FAKE_INFER=101501", "FAKE_INFER_BUILD=29"],
  ["versions/libnvinfer_lean.so.11", "fake_versions.cc", "FAKE_INFER=110400"],
  ["trt10/libnvinfer.so.10", "fake_tensorrt.cc fake_builder.cc", "FAKE_TRT_VERSION=101501"],
  ["trt10/libnvonnxparser.so.10", "fake_parser.cc", "FAKE_TRT_VERSION=101501"],
  ["trt10-dispatch/libnvinfer_dispatch.so.10", "fake_tensorrt.cc fake_builder.cc", "FAKE_TRT_VERSION=101501"],
  ["trt11/libnvinfer.so.11", "fake_tensorrt.cc fake_builder.cc", "FAKE_TRT_VERSION=110100"],
  ["trt11/libnvonnxparser.so.11", "fake_parser.cc", "FAKE_TRT_VERSION=110100"],
  ["versions/libnvonnxparser.so.10", "fake_versions.cc", "FAKE_PARSER=100"],
];

function fingerprint(): string {
  const hash = createHash("sha256").update(JSON.stringify([LIBRARIES, compiler]));
  for (const file of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, file)));
  hash.update(readFileSync(join(sources, "..", "data", "tensorrt_abi.inc")));
  // Of these the kernels' twins are made.
  for (const folder of ["kernels", "image", "detection", "masks", "maps"]) {
    const path = join(root, "native", folder);
    for (const file of readdirSync(path).sort()) if (file.endsWith(".h")) hash.update(readFileSync(join(path, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The folder that holds them, or null (with a word about it) where they cannot be made: no Linux or no compiler. */
export function nvidiaFakes(): string | null {
  if (process.platform !== "linux" || spawnSync(compiler, ["--version"], { stdio: "ignore" }).status !== 0) {
    process.stderr.write("skipped: stand-ins for NVIDIA's libraries need Linux and a C++ compiler\n");
    return null;
  }
  const parent = join(root, "build-fakes");
  const folder = join(parent, fingerprint());
  if (existsSync(folder)) return folder;
  mkdirSync(parent, { recursive: true });
  // Several test files may get here at once: each compiles into a folder of its own, and the first to finish names it.
  const scratch = mkdtempSync(join(parent, "making-"));
  for (const [file, source, ...definitions] of LIBRARIES) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true });
    const flags = [
      "-std=c++17",
      "-O1",
      "-g",
      "-shared",
      "-fPIC",
      "-fvisibility=hidden",
      "-ffp-contract=off",
      `-I${join(root, "native")}`,
      `-I${join(root, "test", "native")}`,
    ];
    const name = file === "cuda/libcuda.so.1" ? ["-Wl,-soname,libcuda.so.1"] : [];
    const definitionFlags = definitions.map((definition) => `-D${definition}`);
    execFileSync(compiler, [
      ...flags,
      ...definitionFlags,
      ...source.split(" ").map((file) => join(sources, file)),
      ...name,
      "-o",
      join(scratch, file),
      "-ldl",
    ]);
  }
  try {
    renameSync(scratch, folder);
  } catch {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** A plan for the TensorRT stand-in; test/native/fakes/fake_tensorrt.h says what the lines mean. */
export function fakePlan([major, minor, patch, build]: readonly [number, number, number, number], lines: readonly string[]): Uint8Array {
  const header = new Uint8Array(28);
  header.set(new TextEncoder().encode("ftrt"));
  header.set([major, minor, patch, build], 24);
  return Buffer.concat([header, new TextEncoder().encode(lines.join("\n"))]);
}

/** Of an engine on the stand-ins, opened at the native door. */
export function nativeEngineOptions(fakes: string): NativeTensorRtOptions {
  return {
    cudaLibraryPath: join(fakes, "cuda"),
    tensorRtLibraryPath: join(fakes, "trt10"),
    device: 0,
    contexts: 1,
    graphs: 0,
    profile: 0,
    engineHostCodeAllowed: false,
    preparesPictures: false,
    decodesOutputs: false,
  };
}
