import { createHash } from "node:crypto";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cacheLayout } from "../../src/packages/index.js";
import { discoverLocalTrtPackages } from "../../src/providers/index.js";
import { captureLog, isolate, temporaryFolder } from "./support.js";

const logged = captureLog();
isolate();
const home = temporaryFolder();

const ID = "workspace/bolts/3";
const md5 = (content: string): string => createHash("md5").update(content).digest("hex");
const folder = (): string => cacheLayout(home()).modelDirectory(ID);

const MANIFEST = {
  type: "trt-model-package-v1",
  backendType: "trt",
  staticBatchSize: 1,
  quantization: "fp16",
  cudaDeviceType: "nvidia-l4",
  cudaDeviceCC: "8.9",
  cudaVersion: "12.4",
  trtVersion: "10.3.0",
  machineType: "gpu-server",
  machineSpecs: { type: "gpu-server-specs-v1", driverVersion: "550.54.15", osVersion: "ubuntu-22.04" },
};

interface Engine {
  readonly manifest?: object;
  /** Content by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Announced hashes that differ from those of the files. */
  readonly hashes?: Readonly<Record<string, string>>;
}

function put(name: string, { manifest = MANIFEST, files = { "engine.plan": "engine" }, hashes = {} }: Engine = {}): string {
  const directory = join(folder(), name);
  mkdirSync(directory, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content);
  const announced = Object.fromEntries(Object.entries(files).map(([file, content]) => [file, md5(content)]));
  const content = { packageManifest: manifest, files: { ...announced, ...hashes } };
  writeFileSync(join(directory, "local_trt_package_manifest.json"), JSON.stringify(content));
  return directory;
}

describe("an engine compiled here", () => {
  it("is offered, but not trusted", async () => {
    put("localtrt1", { files: { "engine.plan": "engine", "class_names.txt": "bolt" } });
    expect(await discoverLocalTrtPackages(ID, home())).toMatchObject([
      {
        packageId: "localtrt1",
        backend: "trt",
        packageSource: "local_cache",
        trustedSource: false,
        cacheModelId: ID,
        packageArtefacts: [
          { kind: "local", fileHandle: "engine.plan", md5Hash: md5("engine") },
          { kind: "local", fileHandle: "class_names.txt", md5Hash: md5("bolt") },
          { kind: "local", fileHandle: "local_trt_package_manifest.json" },
        ],
        environmentRequirements: { kind: "gpu-server", cudaDeviceCc: "8.9" },
      },
    ]);
    expect(logged.warnings).toEqual([]);
  });

  it("is hashed anew when its content changes", async () => {
    const directory = put("localtrt1");
    expect(await discoverLocalTrtPackages(ID, home())).toHaveLength(1);
    writeFileSync(join(directory, "engine.plan"), "egnine");
    expect(await discoverLocalTrtPackages(ID, home())).toEqual([]);
    expect(logged.warnings).toEqual([expect.stringContaining("not what its hash says")]);
  });

  it.each<[string, () => void, RegExp]>([
    ["whose manifest is malformed", () => put("localtrt1", { manifest: { ...MANIFEST, trtVersion: "latest" } }), /not a version/],
    [
      "whose machine is described twice, differently",
      () => put("localtrt1", { manifest: { ...MANIFEST, machineType: "jetson" } }),
      /jetson/,
    ],
    ["with a hash that is none", () => put("localtrt1", { hashes: { "engine.plan": "x" } }), /not an MD5/],
    [
      "with a file that does not belong to one",
      () => put("localtrt1", { files: { "engine.plan": "e", "model.py": "import os" } }),
      /model\.py/,
    ],
    ["with a file outside", () => put("localtrt1", { hashes: { "../engine.plan": md5("e") } }), /no file of a local engine/],
    ["without an engine", () => put("localtrt1", { files: { "class_names.txt": "bolt" } }), /no engine\.plan/],
    ["with an id that names no folder", () => put("localtrt-1"), /letters and digits/],
    [
      "whose engine is a link",
      () => {
        const directory = put("localtrt1");
        renameSync(join(directory, "engine.plan"), join(home(), "engine"));
        symlinkSync(join(home(), "engine"), join(directory, "engine.plan"));
      },
      /no engine\.plan/,
    ],
    [
      "that is a link itself",
      () => {
        renameSync(put("localtrt1"), join(home(), "moved"));
        symlinkSync(join(home(), "moved"), join(folder(), "localtrt1"));
      },
      /not a folder/,
    ],
  ])("%s is skipped with a warning, and the next one is offered", async (_name, spoil, warning) => {
    spoil();
    put("localtrt2");
    expect((await discoverLocalTrtPackages(ID, home())).map(({ packageId }) => packageId)).toEqual(["localtrt2"]);
    expect(logged.warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("is nothing that a model without a folder would have", async () => {
    expect(await discoverLocalTrtPackages("unknown", home())).toEqual([]);
    expect(logged.warnings).toEqual([]);
  });
});
