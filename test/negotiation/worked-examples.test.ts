/** Choices whose outcome was recorded from the Python package, or decided otherwise on purpose where it says so. */
import { describe, expect, it } from "vitest";

import {
  AmbiguousModelPackageResolutionError,
  ModelPackageNegotiationError,
  NoModelPackagesAvailableError,
  UnknownBackendTypeError,
} from "../../src/errors.js";
import type { BackendRequest } from "../../src/negotiation/index.js";
import {
  CPU,
  L4,
  L4_NEWER,
  ORIN,
  TWO_GPUS,
  fusedNms,
  jetsonTrt,
  negotiate,
  onnx,
  other,
  rankedIds,
  staticBatch,
  trt,
  type Case,
} from "./support.js";

const A = [
  onnx("o1", staticBatch(1)),
  onnx("o32"),
  onnx("o16", { quantization: "fp16" }),
  trt("t16"),
  trt("t8", {}, { quantization: "int8" }),
  trt("t32", {}, { quantization: "fp32" }),
];

const ON_GPU = { device: "cuda" };
const ON_CPU = { device: "cpu" };
const forward = { trtForwardCompatible: true };
const sameCc = { sameCcCompatible: true };
const COMPATIBLE = [trt("f", { engine: forward }), trt("exact"), onnx("o32")];
const withoutEngineBatch = { minDynamicBatchSize: null, optDynamicBatchSize: null, maxDynamicBatchSize: null };
const staticTrt = (id: string, size: number) => trt(id, { engine: withoutEngineBatch }, staticBatch(size));
const upTo = (size: number) => ({ engine: { maxDynamicBatchSize: size } });
const FOR_EACH_GPU = [trt("l4"), trt("t4", { on: { cudaDeviceName: "nvidia-t4", cudaDeviceCc: "7.5" } })];

type Row = readonly [what: string, given: Case, expected: readonly string[]];

const CHOICES: readonly Row[] = [
  ["1: int8 has to be asked for", { environment: L4, request: ON_GPU, packages: A }, ["t16", "t32", "o16", "o32", "o1"]],
  ["2: no fp16 on the CPU, and no TensorRT", { environment: CPU, request: ON_CPU, packages: A }, ["o32", "o1"]],
  ["3: int8", { environment: L4, request: { ...ON_GPU, quantization: "int8" }, packages: A }, ["t8"]],
  ["4: one backend", { environment: L4, request: { ...ON_GPU, backend: "onnx" }, packages: A }, ["o16", "o32", "o1"]],
  ["5: the CPU of a machine with a GPU", { environment: L4, request: ON_CPU, packages: A }, ["o32", "o1"]],
  ["6: another TensorRT", { environment: L4_NEWER, request: ON_GPU, packages: A }, ["o16", "o32", "o1"]],
  ["7: forward-compatible", { environment: L4_NEWER, request: ON_GPU, packages: COMPATIBLE }, ["f", "o32"]],
  [
    "8: host code forbidden",
    { environment: L4_NEWER, request: { ...ON_GPU, trtEngineHostCodeAllowed: false }, packages: COMPATIBLE },
    ["o32"],
  ],
  [
    "9: lean runtime excluded",
    { environment: L4_NEWER, request: ON_GPU, packages: [trt("f", { engine: { ...forward, trtLeanRuntimeExcluded: true } }), onnx("o32")] },
    ["o32"],
  ],
  [
    "10: the name does not matter for a compute capability",
    {
      environment: L4,
      request: ON_GPU,
      packages: [
        trt("cc", { engine: sameCc, on: { cudaDeviceName: "nvidia-l40s" } }),
        trt("n", { on: { cudaDeviceName: "nvidia-l40s" } }),
        onnx("o32"),
      ],
    },
    ["cc", "o32"],
  ],
  [
    "11: exact engines first",
    {
      environment: L4,
      request: ON_GPU,
      packages: [trt("cc", { engine: sameCc }), trt("f", { engine: forward, on: { trtVersion: "10.0.1" } }), trt("e")],
    },
    ["e", "cc", "f"],
  ],
  [
    "12: batch 32",
    { environment: L4, request: { ...ON_GPU, batchSize: 32 }, packages: [trt("a"), trt("b", upTo(32)), onnx("o32")] },
    ["b", "o32"],
  ],
  [
    "13: wider ranges first, dynamic before static",
    {
      environment: L4,
      request: { ...ON_GPU, batchSize: [1, 16] },
      packages: [trt("a"), trt("b", upTo(32)), staticTrt("c", 8), onnx("s32", staticBatch(32))],
    },
    ["b", "a", "c"],
  ],
  [
    "14: a static size inside the request",
    { environment: L4, request: { ...ON_GPU, batchSize: { min: 4, max: 12 } }, packages: [staticTrt("s8", 8), trt("dynamic")] },
    ["dynamic", "s8"],
  ],
  [
    "15: smaller static sizes first",
    { environment: CPU, request: { ...ON_CPU, batchSize: [1, 8] }, packages: [1, 8, 4].map((size) => onnx(`s${size}`, staticBatch(size))) },
    ["s1", "s4", "s8"],
  ],
  [
    "16: ONNX before PyTorch",
    { environment: CPU, architecture: "rfdetr", request: ON_CPU, packages: [other("torch", "torch"), onnx("onnx")] },
    ["onnx", "torch"],
  ],
  [
    "17: bf16 is the last",
    {
      environment: CPU,
      architecture: "rfdetr",
      request: ON_CPU,
      packages: (["bf16", "fp32", "fp16"] as const).map((quantization) => other(quantization, "torch", { quantization })),
    },
    ["fp32", "bf16"],
  ],
  [
    "18: an old ONNX Runtime",
    { environment: { ...CPU, onnxruntimeVersion: "1.15.1" }, request: ON_CPU, packages: [onnx("op17"), onnx("op21", {}, { opset: 21 })] },
    ["op17"],
  ],
  [
    "19: an ONNX Runtime newer than the table (otherwise on purpose)",
    {
      environment: { ...CPU, onnxruntimeVersion: "1.23.0" },
      request: ON_CPU,
      packages: [onnx("op19", {}, { opset: 19 }), onnx("op20", {}, { opset: 20 })],
    },
    ["op20", "op19"],
  ],
  ["20: fused NMS has to be asked for", { environment: CPU, request: ON_CPU, packages: [onnx("n", fusedNms()), onnx("p")] }, ["p"]],
  [
    "21: packages without fused NMS always stay",
    { environment: CPU, request: { ...ON_CPU, nmsFusionPreferences: true }, packages: [onnx("n", fusedNms()), onnx("p")] },
    ["n", "p"],
  ],
  [
    "22: nearer to the middle of the ranges first",
    {
      environment: CPU,
      request: { ...ON_CPU, nmsFusionPreferences: { confidenceThreshold: [0.2, 0.6], maxDetections: [100, 300] } },
      packages: [
        onnx("a", fusedNms({ max_detections: 100, confidence_threshold: 0.3 })),
        onnx("b", fusedNms({ max_detections: 200, confidence_threshold: 0.4 })),
        onnx("c", fusedNms({ confidence_threshold: 0.9 })),
      ],
    },
    ["b", "a"],
  ],
  ["23: untrusted", { environment: L4, request: ON_GPU, packages: [trt("l", {}, { trustedSource: false }), onnx("o32")] }, ["o32"]],
  [
    "24: untrusted ones allowed",
    {
      environment: L4,
      request: { ...ON_GPU, allowUntrustedPackages: true },
      packages: [trt("l", {}, { trustedSource: false }), trt("t16"), onnx("o32")],
    },
    ["t16", "l", "o32"],
  ],
  ["25: by its id", { environment: CPU, request: { ...ON_CPU, modelPackageId: "t8" }, packages: A }, ["t8"]],
  [
    "26: the Jetson's product only ranks",
    {
      environment: ORIN,
      request: ON_GPU,
      packages: [
        jetsonTrt("y", { jetsonProductName: "nvidia-jetson-orin-nano" }),
        jetsonTrt("x"),
        jetsonTrt("z", { l4tVersion: "35.4.1" }),
        trt("server"),
        onnx("o32"),
      ],
    },
    ["x", "y", "o32"],
  ],
  [
    "27: the patch of L4T only ranks",
    { environment: ORIN, request: ON_GPU, packages: [jetsonTrt("p", { l4tVersion: "36.4.3" }), jetsonTrt("q")] },
    ["q", "p"],
  ],
  ["28: the second GPU", { environment: TWO_GPUS, request: { device: "cuda:1" }, packages: FOR_EACH_GPU }, ["t4"]],
  ["29: any GPU", { environment: TWO_GPUS, packages: FOR_EACH_GPU }, ["t4", "l4"]],
  [
    "31: only the first provider is asked",
    {
      environment: L4,
      request: ON_GPU,
      packages: [
        onnx("a", {}, { incompatibleProviders: ["CUDAExecutionProvider"] }),
        onnx("b", {}, { incompatibleProviders: ["TensorrtExecutionProvider"] }),
        onnx("c"),
      ],
    },
    ["c", "b"],
  ],
  [
    "32: providers with options (otherwise on purpose)",
    { environment: L4, request: { ...ON_GPU, onnxExecutionProviders: [["CUDAExecutionProvider", {}]] }, packages: [onnx("o")] },
    ["o"],
  ],
  [
    "33: older CUDA first",
    {
      environment: L4,
      request: ON_GPU,
      packages: ["12.6", "12.4", "12.2"].map((cudaVersion) => trt(cudaVersion, { on: { cudaVersion } })),
    },
    ["12.2", "12.4", "12.6"],
  ],
  [
    "34: the backend before the quantization",
    {
      environment: L4,
      request: { ...ON_GPU, quantization: ["int8", "fp32"] },
      packages: [onnx("onnx", { quantization: "int8" }), trt("trt", {}, { quantization: "fp32" })],
    },
    ["trt", "onnx"],
  ],
  [
    "35: the operating system before the driver",
    {
      environment: L4,
      request: ON_GPU,
      packages: [trt("b", { on: { osVersion: "debian-12" } }), trt("a", { on: { driverVersion: "535.104.5" } })],
    },
    ["a", "b"],
  ],
  ["36: any quantization", { environment: CPU, request: { ...ON_CPU, quantization: [] }, packages: A }, ["o16", "o32", "o1"]],
  ["38: no code for the feature", { environment: L4, request: ON_GPU, packages: [trt("t", {}, fusedNms()), onnx("o")] }, ["o"]],
];

describe("worked examples", () => {
  it.each(CHOICES)("%s", (_, given, expected) => {
    expect(rankedIds(given)).toEqual(expected);
    expect(rankedIds({ ...given, packages: given.packages.toReversed() })).toEqual(expected);
  });

  it("30: a GPU that does not exist", () => {
    expect(() => negotiate({ environment: TWO_GPUS, request: { device: "cuda:2" }, packages: [trt("t")] })).toThrow(
      expect.toSatisfy((error: unknown) => error instanceof ModelPackageNegotiationError && error.message.includes("cuda:2")),
    );
    // It only matters for engines.
    expect(rankedIds({ environment: TWO_GPUS, request: { device: "cuda:2" }, packages: [onnx("o")] })).toEqual(["o"]);
  });

  it("37: nothing left, for one kind of reason", () => {
    const packages = [trt("a"), onnx("b", { quantization: "fp16" }), onnx("c", { quantization: "int8" })];
    expect(() => negotiate({ environment: CPU, request: ON_CPU, packages })).toThrow(
      expect.toSatisfy(
        (error: unknown) =>
          error instanceof NoModelPackagesAvailableError &&
          error.discarded?.map(({ packageId }) => packageId).join() === "a,b,c" &&
          error.discarded.every(({ code }) => code === "QUANTIZATION_MISMATCH"),
      ),
    );
  });

  it("39: an unknown backend", () => {
    const backend = "tensorrt" as BackendRequest;
    expect(() => negotiate({ environment: CPU, request: { backend }, packages: A })).toThrow(UnknownBackendTypeError);
  });

  it("40: an id announced twice", () => {
    expect(() => negotiate({ environment: CPU, request: { modelPackageId: "o32" }, packages: [...A, onnx("o32")] })).toThrow(
      AmbiguousModelPackageResolutionError,
    );
  });
});
