/** Why a package is left out: each reason by a machine or a package that has it, and how the reasons are told. */
import { describe, expect, it } from "vitest";

import { NoModelPackagesAvailableError } from "../../src/errors.js";
import type { DiscardedPackage, NegotiationRequest, ReasonCode } from "../../src/negotiation/index.js";
import type { ModelPackageMetadata } from "../../src/packages/index.js";
import type { RuntimeXRay } from "../../src/environment/index.js";
import { CPU, L4, L4_NEWER, ORIN, fusedNms, inputOf, jetsonTrt, negotiate, onnx, other, staticBatch, trt, type Case } from "./support.js";
import { negotiateModelPackages } from "../../src/negotiation/index.js";

function refusalOf(given: Case): NoModelPackagesAvailableError {
  try {
    negotiate(given);
  } catch (error) {
    if (error instanceof NoModelPackagesAvailableError) return error;
    throw error;
  }
  throw new Error("A package was chosen.");
}

const torchScript = (change: Partial<NonNullable<ModelPackageMetadata["torchScriptPackageDetails"]>> = {}) =>
  other("p", "torch-script", {
    torchScriptPackageDetails: { supportedDeviceTypes: ["cuda"], torchVersion: "2.6.0", torchVisionVersion: "0.21.0", ...change },
  });

interface Row {
  readonly code: ReasonCode;
  readonly package: ModelPackageMetadata;
  readonly environment?: RuntimeXRay;
  readonly request?: Partial<NegotiationRequest>;
  /** What the message has to name. */
  readonly mentions: readonly string[];
}

const NO_BINDING = { ...L4, trtBindingAvailable: false };
const forward = { trtForwardCompatible: true };

const ROWS: readonly Row[] = [
  { code: "NO_IMPLEMENTATION", package: other("p", "hugging-face"), mentions: ["yolov8", "object-detection", "hugging-face", "upgrade"] },
  { code: "NO_IMPLEMENTATION", package: onnx("p", { modelFeatures: { telepathy: 1 } }), mentions: ["telepathy"] },
  { code: "UNTRUSTED_SOURCE", package: onnx("p", { trustedSource: false }), mentions: ["allowUntrustedPackages"] },
  { code: "BACKEND_NOT_REQUESTED", package: onnx("p"), request: { backend: ["trt", "torch"] }, mentions: ["onnx", "trt, torch"] },
  { code: "BACKEND_NOT_REQUESTED", package: onnx("p"), request: { backend: [] }, mentions: ["none"] },
  { code: "BATCH_SIZE_MISMATCH", package: onnx("p", staticBatch(8)), request: { batchSize: [1, 4] }, mentions: ["8", "1 to 4"] },
  { code: "BATCH_SIZE_MISMATCH", package: trt("p"), request: { batchSize: 32 }, mentions: ["1 to 16", "32"] },
  { code: "QUANTIZATION_MISMATCH", package: onnx("p", { quantization: "int8" }), mentions: ["int8", "default", "fp32"] },
  { code: "QUANTIZATION_MISMATCH", package: onnx("p"), request: { quantization: "fp16" }, mentions: ["fp32", "asked for", "fp16"] },
  { code: "QUANTIZATION_MISMATCH", package: onnx("p", { quantization: null }), mentions: ["not declared"] },
  { code: "ONNX_NOT_INSTALLED", package: onnx("p"), environment: { ...L4, onnxruntimeVersion: null }, mentions: ["onnxruntime-node"] },
  { code: "ONNX_NOT_INSTALLED", package: onnx("p"), environment: { ...L4, availableOnnxExecutionProviders: [] }, mentions: [] },
  { code: "ONNX_DETAILS_MISSING", package: other("p", "onnx"), mentions: ["opset"] },
  {
    code: "ONNX_DEFAULT_PROVIDERS_UNAVAILABLE",
    package: onnx("p"),
    environment: { ...L4, availableOnnxExecutionProviders: ["QNNExecutionProvider"] },
    mentions: ["default", "CUDAExecutionProvider", "QNNExecutionProvider"],
  },
  {
    code: "ONNX_REQUESTED_PROVIDERS_UNAVAILABLE",
    package: onnx("p"),
    request: { onnxExecutionProviders: ["qnn", { name: "rocm" }, ["dml", { device_id: 1 }]] },
    mentions: ["requested", "qnn, rocm, dml"],
  },
  {
    code: "ONNX_REQUESTED_PROVIDERS_UNAVAILABLE",
    package: onnx("p"),
    request: { device: "cpu", onnxExecutionProviders: ["cuda"] },
    mentions: ["cuda", "device cpu"],
  },
  {
    code: "ONNX_PRIMARY_PROVIDER_INCOMPATIBLE",
    package: onnx("p", {}, { incompatibleProviders: ["CPUExecutionProvider"] }),
    request: { onnxExecutionProviders: ["cpu", "cuda"] },
    mentions: ["cpu", "onnxExecutionProviders"],
  },
  { code: "ONNX_OPSET_TOO_HIGH", package: onnx("p", {}, { opset: 22 }), mentions: ["22", "1.20.1", "21"] },
  { code: "ONNX_OPSET_TOO_HIGH", package: onnx("p", {}, { opset: Number.NaN }), mentions: [] },
  { code: "TRT_NOT_INSTALLED", package: trt("p", {}, { quantization: "fp32" }), environment: CPU, mentions: ["TensorRT"] },
  { code: "TRT_BINDING_UNAVAILABLE", package: trt("p"), environment: NO_BINDING, mentions: ["addon"] },
  { code: "TRT_REQUIREMENTS_MISSING", package: trt("p", {}, { environmentRequirements: null }), mentions: ["machine"] },
  { code: "TRT_VERSION_UNDECLARED", package: trt("p", { on: { trtVersion: null } }), mentions: ["TensorRT"] },
  { code: "TRT_L4T_UNKNOWN", package: jetsonTrt("p"), mentions: ["L4T_VERSION"] },
  { code: "TRT_DEVICE_MISMATCH", package: trt("p", { on: { cudaDeviceName: "nvidia-a100" } }), mentions: ["nvidia-a100", "nvidia-l4"] },
  {
    code: "TRT_DEVICE_MISMATCH",
    package: trt("p", { engine: { sameCcCompatible: true }, on: { cudaDeviceCc: "9.0" } }),
    mentions: ["9.0", "8.9"],
  },
  {
    code: "TRT_DEVICE_MISMATCH",
    package: trt("p", {}, { quantization: "fp32" }),
    request: { device: "cpu" },
    mentions: ["none to be used"],
  },
  { code: "TRT_L4T_MISMATCH", package: jetsonTrt("p", { l4tVersion: "35.4.1" }), environment: ORIN, mentions: ["35.4.1", "36.4.0"] },
  { code: "TRT_VERSION_MISMATCH", package: trt("p"), environment: L4_NEWER, mentions: ["10.3.0", "10.8.0", "exactly"] },
  {
    code: "TRT_VERSION_MISMATCH",
    package: trt("p", { engine: forward, on: { trtVersion: "10.9" } }),
    mentions: ["10.9", "10.3.0", "newer"],
  },
  {
    code: "TRT_LEAN_RUNTIME_EXCLUDED",
    package: trt("p", { engine: { ...forward, trtLeanRuntimeExcluded: true } }),
    mentions: ["lean runtime"],
  },
  {
    code: "TRT_HOST_CODE_FORBIDDEN",
    package: trt("p", { engine: forward }),
    request: { trtEngineHostCodeAllowed: false },
    mentions: ["trtEngineHostCodeAllowed"],
  },
  {
    code: "NMS_FUSION_NOT_REQUESTED",
    package: onnx("p", fusedNms()),
    request: { nmsFusionPreferences: false },
    mentions: ["nmsFusionPreferences"],
  },
  {
    code: "NMS_FUSION_MALFORMED",
    package: onnx("p", { modelFeatures: { nms_fused: "yes" } }),
    request: { nmsFusionPreferences: true },
    mentions: [],
  },
  {
    code: "NMS_FUSION_MALFORMED",
    package: onnx("p", fusedNms({ iou_threshold: "0.7" })),
    request: { nmsFusionPreferences: {} },
    mentions: [],
  },
  {
    code: "NMS_FUSION_PREFERENCE_MISMATCH",
    package: onnx("p", fusedNms({ max_detections: 100 })),
    request: { nmsFusionPreferences: true },
    mentions: ["maxDetections", "100", "300"],
  },
  {
    code: "NMS_FUSION_PREFERENCE_MISMATCH",
    package: onnx("p", fusedNms()),
    request: { nmsFusionPreferences: { classAgnostic: true } },
    mentions: ["classAgnostic", "false", "true"],
  },
];

/** Backends that have no code here are judged by their machine only when a registry says that there is some. */
const PYTHON_ROWS: readonly Row[] = [
  { code: "TORCH_UNAVAILABLE", package: other("p", "torch"), environment: { ...L4, torchAvailable: false }, mentions: ["PyTorch"] },
  {
    code: "TRANSFORMERS_UNAVAILABLE",
    package: other("p", "hugging-face"),
    environment: { ...L4, hfTransformersAvailable: false },
    mentions: [],
  },
  { code: "TORCHSCRIPT_DETAILS_MISSING", package: other("p", "torch-script"), mentions: ["PyTorch"] },
  { code: "TORCHSCRIPT_DEVICE_MISMATCH", package: torchScript(), request: { device: "mps" }, mentions: ["cuda", "mps"] },
  { code: "TORCHSCRIPT_DEVICE_MISMATCH", package: torchScript(), mentions: ["nothing"] },
  {
    code: "TORCHSCRIPT_VERSION_MISMATCH",
    package: torchScript({ torchVersion: "2.7" }),
    request: { device: "cuda" },
    mentions: ["2.7", "2.6.0"],
  },
  {
    code: "TORCHSCRIPT_VERSION_MISMATCH",
    package: torchScript({ torchVisionVersion: "0.22" }),
    request: { device: "cuda" },
    mentions: ["torchvision 0.22"],
  },
  { code: "BACKEND_NOT_RUNNABLE", package: other("p", "ultralytics"), mentions: ["ultralytics"] },
  { code: "BACKEND_NOT_RUNNABLE", package: other("p", "custom"), mentions: ["custom"] },
];

const caseOf = ({ package: modelPackage, environment = L4, request = {} }: Row): Case => ({
  environment,
  request,
  packages: [modelPackage],
});

function expectReason({ code, mentions }: Row, [reason]: readonly DiscardedPackage[]): void {
  expect(reason).toMatchObject({ packageId: "p", code });
  for (const text of mentions) expect(reason?.message).toContain(text);
  // What is in details can be written into a log.
  expect(JSON.parse(JSON.stringify(reason?.details))).toBeTypeOf("object");
}

describe("reasons", () => {
  it.each(ROWS)("$code $mentions", (row) => expectReason(row, refusalOf(caseOf(row)).discarded as readonly DiscardedPackage[]));

  it.each(PYTHON_ROWS)("$code $mentions, where there is code for it", (row) => {
    const input = { ...inputOf({ ...caseOf(row), packages: [row.package, onnx("o")] }), implementationExists: () => true };
    const { ranked, discarded } = negotiateModelPackages(input);
    // One backend that nothing can judge does not end the choice among the others.
    expect(ranked.map((one) => one.package.packageId)).toEqual(["o"]);
    expectReason(row, discarded);
  });

  it("is the first that applies", () => {
    const untrusted = onnx("p", { trustedSource: false, quantization: "int8", ...staticBatch(2) });
    const request = { batchSize: 8, backend: "trt" } as const;
    const codes = [{}, { allowUntrustedPackages: true }, { allowUntrustedPackages: true, backend: null }].map(
      (change) => refusalOf({ environment: L4, packages: [untrusted], request: { ...request, ...change } }).discarded?.[0]?.code,
    );
    expect(codes).toEqual(["UNTRUSTED_SOURCE", "BACKEND_NOT_REQUESTED", "BATCH_SIZE_MISMATCH"]);
  });

  it("does not hold it against a package that it says nothing about batches", () => {
    const undeclared = onnx("p", { dynamicBatchSizeSupported: null });
    expect(negotiate({ environment: L4, request: { batchSize: 64 }, packages: [undeclared] }).ranked).toHaveLength(1);
  });

  it("judges the CPU's provider on the CPU of a machine with a GPU", () => {
    const onlyGpu = onnx("p", {}, { incompatibleProviders: ["CPUExecutionProvider"] });
    const onlyCpu = onnx("q", {}, { incompatibleProviders: ["CUDAExecutionProvider"] });
    const { ranked, discarded } = negotiate({ environment: L4, request: { device: "cpu" }, packages: [onlyGpu, onlyCpu] });
    expect(ranked.map((one) => one.package.packageId)).toEqual(["q"]);
    expect(discarded).toMatchObject([{ packageId: "p", code: "ONNX_PRIMARY_PROVIDER_INCOMPATIBLE" }]);
  });

  it.each([
    ["10.3.0", "10.3.0.26", true],
    ["10.3.0.26", "10.3.0", true],
    ["10.3.0.26", "10.3", true],
    ["10.3.0.26", "10.3.0.30", false],
    ["10.3.1", "10.3.0.26", false],
    ["10.3.0.post1", "10.3.0", false],
  ])("counts the build of TensorRT only where both tell it: %s here, %s of the package", (here, built, fits) => {
    const given = { environment: { ...L4, trtVersion: here }, packages: [trt("p", { on: { trtVersion: built } }), onnx("o")] };
    expect(negotiate(given).ranked.map((one) => one.package.packageId)).toEqual(fits ? ["p", "o"] : ["o"]);
  });
});

describe("when nothing is left", () => {
  const packages = [trt("a"), onnx("b", { quantization: "int8" }), trt("c"), trt("d", { on: { trtVersion: "9.9" } })];
  const { message, discarded } = refusalOf({ environment: L4_NEWER, packages });

  it("tells each distinct reason with its count, most frequent first", () => {
    const counted = message.split("\n").filter((line) => line.includes(" x "));
    expect(counted.map((line) => /(\d+) x (\w+)/.exec(line)?.slice(1))).toEqual([
      ["2", "TRT_VERSION_MISMATCH"],
      ["1", "QUANTIZATION_MISMATCH"],
      ["1", "TRT_VERSION_MISMATCH"],
    ]);
    expect(message).toContain("yolov8");
  });

  it("has one reason for every package, in their order", () => {
    expect(discarded?.map(({ packageId }) => packageId)).toEqual(["a", "b", "c", "d"]);
  });

  it("stays readable for very many packages", () => {
    const many = Array.from({ length: 5000 }, (_, index) => onnx(`p${index}`, staticBatch(index + 2)));
    const error = refusalOf({ environment: CPU, packages: many, request: { batchSize: 1 } });
    expect(error.message.split("\n").length).toBeLessThan(15);
    expect(error.message).toContain("and 4990 other reasons");
    expect(error.discarded).toHaveLength(5000);
  });

  it("says so when none was announced", () => {
    expect(refusalOf({ environment: CPU, packages: [] }).message).toContain("announced no package");
  });

  it("does not let names from outside steer a terminal", () => {
    const features = { "\u001b[31mred": 1, "\u009b2J": 1 };
    const shown = refusalOf({ environment: CPU, packages: [onnx("p", { modelFeatures: features })] }).message;

    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(shown).toContain("u001b[31mred");
  });
});

describe("a package asked for by its id", () => {
  it("is taken with warnings where it will probably fail", () => {
    const { ranked, discarded, warnings } = negotiate({ environment: CPU, packages: [trt("t")], request: { modelPackageId: "t" } });
    expect(ranked).toMatchObject([{ package: { packageId: "t" }, key: [] }]);
    expect(discarded).toEqual([]);
    expect(warnings).toMatchObject([{ packageId: "t", code: "TRT_NOT_INSTALLED" }]);
  });

  it("is taken without any where nothing speaks against it", () => {
    expect(negotiate({ environment: L4, packages: [onnx("o")], request: { modelPackageId: "o" } }).warnings).toEqual([]);
  });

  it("is taken even for a GPU that does not exist", () => {
    const request = { modelPackageId: "t", device: "cuda:7" };
    const { warnings } = negotiate({ environment: L4, packages: [trt("t")], request });
    expect(warnings).toMatchObject([{ packageId: "t", code: "TRT_DEVICE_MISMATCH" }]);
    expect(warnings[0]?.message).toContain("cuda:7");
  });

  it("has to be trusted all the same", () => {
    const given = { environment: L4, packages: [onnx("o", { trustedSource: false })], request: { modelPackageId: "o" } };
    expect(refusalOf(given).discarded).toMatchObject([{ packageId: "o", code: "UNTRUSTED_SOURCE" }]);
    expect(negotiate({ ...given, request: { ...given.request, allowUntrustedPackages: true } }).ranked).toHaveLength(1);
  });

  it("has to exist; the message names a similar one", () => {
    const error = refusalOf({ environment: L4, packages: [onnx("onnx-fp16"), trt("trt-fp16")], request: { modelPackageId: "onx-fp16" } });
    expect(error.message).toContain('Did you mean "onnx-fp16"?');
  });
});
