/** Packages, machines and requests of the tests: complete ones, from which a case changes what it is about. */
import type { RuntimeXRay } from "../../src/environment/index.js";
import {
  NEGOTIATION_DEFAULTS,
  negotiateModelPackages,
  type NegotiationInput,
  type NegotiationRequest,
} from "../../src/negotiation/index.js";
import type {
  JetsonEnvironmentRequirements,
  ModelPackageMetadata,
  ServerEnvironmentRequirements,
  TrtPackageDetails,
} from "../../src/packages/index.js";

const PLAIN: ModelPackageMetadata = {
  packageId: "package",
  backend: "onnx",
  packageArtefacts: [],
  packageSource: "platform",
  quantization: "fp32",
  dynamicBatchSizeSupported: true,
  staticBatchSize: null,
  trtPackageDetails: null,
  onnxPackageDetails: null,
  torchScriptPackageDetails: null,
  trustedSource: true,
  environmentRequirements: null,
  modelFeatures: null,
  recommendedParameters: null,
  cacheModelId: null,
};

type Change = Partial<ModelPackageMetadata>;

/** Dynamic batch, fp32, of any backend. */
export const other = (packageId: string, backend: ModelPackageMetadata["backend"], change: Change = {}): ModelPackageMetadata => ({
  ...PLAIN,
  packageId,
  backend,
  ...change,
});

/** Opset 17, dynamic batch, fp32. */
export const onnx = (packageId: string, change: Change = {}, details: Partial<NonNullable<Change["onnxPackageDetails"]>> = {}) =>
  other(packageId, "onnx", { onnxPackageDetails: { opset: 17, incompatibleProviders: null, ...details }, ...change });

export const staticBatch = (size: number): Change => ({ dynamicBatchSizeSupported: false, staticBatchSize: size });

const ENGINE: TrtPackageDetails = {
  minDynamicBatchSize: 1,
  optDynamicBatchSize: 8,
  maxDynamicBatchSize: 16,
  sameCcCompatible: false,
  trtForwardCompatible: false,
  trtLeanRuntimeExcluded: false,
};

const L4_SERVER: ServerEnvironmentRequirements = {
  kind: "gpu-server",
  cudaDeviceCc: "8.9",
  cudaDeviceName: "nvidia-l4",
  driverVersion: "550.54.15",
  cudaVersion: "12.4",
  trtVersion: "10.3.0",
  osVersion: "ubuntu-22.04",
};

const ORIN_NX: JetsonEnvironmentRequirements = {
  kind: "jetson",
  cudaDeviceCc: "8.7",
  cudaDeviceName: "orin",
  driverVersion: null,
  cudaVersion: "12.6",
  trtVersion: "10.3.0",
  l4tVersion: "36.4.0",
  jetsonProductName: "nvidia-jetson-orin-nx",
};

interface Built {
  readonly engine?: Partial<TrtPackageDetails>;
  readonly on?: Partial<ServerEnvironmentRequirements>;
}

/** fp16, batches of 1 to 16, for exactly an nvidia-l4 with TensorRT 10.3.0. */
export const trt = (packageId: string, { engine = {}, on = {} }: Built = {}, change: Change = {}) =>
  other(packageId, "trt", {
    quantization: "fp16",
    trtPackageDetails: { ...ENGINE, ...engine },
    environmentRequirements: { ...L4_SERVER, ...on },
    ...change,
  });

export const jetsonTrt = (packageId: string, on: Partial<JetsonEnvironmentRequirements> = {}, change: Change = {}) =>
  other(packageId, "trt", { quantization: "fp16", trtPackageDetails: ENGINE, environmentRequirements: { ...ORIN_NX, ...on }, ...change });

export const fusedNms = (change: Readonly<Record<string, unknown>> = {}) => ({
  modelFeatures: { nms_fused: { max_detections: 300, confidence_threshold: 0.25, iou_threshold: 0.7, class_agnostic: false, ...change } },
});

/** No GPU; PyTorch is there, as on the machines that the worked examples were recorded on. */
export const CPU: RuntimeXRay = {
  gpuAvailable: false,
  gpuDevices: [],
  gpuDevicesCc: [],
  driverVersion: null,
  cudaVersion: null,
  trtVersion: null,
  jetsonType: null,
  l4tVersion: null,
  osVersion: "ubuntu-22.04",
  onnxruntimeVersion: "1.22.0",
  availableOnnxExecutionProviders: ["CPUExecutionProvider"],
  trtBindingAvailable: false,
  torchAvailable: true,
  torchVersion: "2.6.0",
  torchvisionVersion: "0.21.0",
  hfTransformersAvailable: true,
};

export const L4: RuntimeXRay = {
  ...CPU,
  gpuAvailable: true,
  gpuDevices: ["nvidia-l4"],
  gpuDevicesCc: ["8.9"],
  driverVersion: "550.54.15",
  cudaVersion: "12.4",
  trtVersion: "10.3.0",
  onnxruntimeVersion: "1.20.1",
  availableOnnxExecutionProviders: ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
  trtBindingAvailable: true,
};

export const L4_NEWER: RuntimeXRay = {
  ...L4,
  cudaVersion: "12.8",
  trtVersion: "10.8.0",
  onnxruntimeVersion: "1.22.0",
  availableOnnxExecutionProviders: ["CUDAExecutionProvider", "CPUExecutionProvider"],
};

export const TWO_GPUS: RuntimeXRay = {
  ...L4,
  gpuDevices: ["nvidia-l4", "nvidia-t4"],
  gpuDevicesCc: ["8.9", "7.5"],
  availableOnnxExecutionProviders: ["CUDAExecutionProvider", "CPUExecutionProvider"],
};

export const ORIN: RuntimeXRay = {
  ...L4,
  gpuDevices: ["orin"],
  gpuDevicesCc: ["8.7"],
  driverVersion: "540.4.0",
  cudaVersion: "12.6",
  jetsonType: "nvidia-jetson-orin-nx",
  l4tVersion: "36.4.0",
  osVersion: null,
  onnxruntimeVersion: "1.20.0",
};

/** As in the reference: fused NMS for ONNX only, PyTorch for RF-DETR. */
const REGISTERED: Readonly<Record<string, readonly string[]>> = {
  "yolov8/onnx": ["nms_fused"],
  "yolov8/trt": [],
  "yolov8/torch-script": ["nms_fused"],
  "rfdetr/onnx": [],
  "rfdetr/torch": [],
};

export interface Case {
  readonly environment: RuntimeXRay;
  readonly architecture?: string;
  readonly packages: readonly ModelPackageMetadata[];
  readonly request?: Partial<NegotiationRequest>;
}

export const inputOf = ({ environment, architecture = "yolov8", packages, request = {} }: Case): NegotiationInput => ({
  architecture,
  task: "object-detection",
  packages,
  environment,
  request: { ...NEGOTIATION_DEFAULTS, ...request },
  defaultOnnxExecutionProviders: ["CUDAExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider"],
  implementationExists: (query) => {
    const supported = REGISTERED[`${query.architecture}/${query.backend}`];
    return supported !== undefined && query.features.every((feature) => supported.includes(feature));
  },
});

export const negotiate = (given: Case) => negotiateModelPackages(inputOf(given));

export const rankedIds = (given: Case): readonly string[] => negotiate(given).ranked.map((ranked) => ranked.package.packageId);
