/** Vectors name things in snake_case; the library in camelCase. */
import type { RuntimeXRay } from "../../src/environment/index.js";
import type { ArtefactSpecs, ModelPackageMetadata, TorchScriptPackageDetails } from "../../src/packages/index.js";

type Wire = Readonly<Record<string, unknown>>;

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Keys of one level; values as they are. */
export const camelKeys = (wire: Wire): Record<string, unknown> =>
  Object.fromEntries(Object.entries(wire).map(([key, value]) => [camel(key), value]));
export const snakeKeys = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, one]) => [snake(key), one]));

const optional = <T>(value: unknown, convert: (wire: Wire) => T): T | null =>
  value === null || value === undefined ? null : convert(value as Wire);

function toArtefact({ type, ...rest }: Wire): ArtefactSpecs {
  return { kind: type, md5Hash: null, ...camelKeys(rest) } as unknown as ArtefactSpecs;
}

export function toRecommended(wire: Wire): {
  readonly confidence: number | null;
  readonly perClassConfidence: Readonly<Record<string, number>> | null;
} {
  return {
    confidence: (wire["confidence"] ?? null) as number | null,
    perClassConfidence: (wire["per_class_confidence"] ?? null) as Readonly<Record<string, number>> | null,
  };
}

export function toPackage(wire: Wire): ModelPackageMetadata {
  const {
    trt_package_details: trt,
    onnx_package_details: onnx,
    torch_script_package_details: torchScript,
    environment_requirements: requirements,
    package_artefacts: artefacts,
    recommended_parameters: recommended,
    ...plain
  } = wire;
  return {
    ...camelKeys(plain),
    packageArtefacts: (artefacts as readonly Wire[]).map(toArtefact),
    trtPackageDetails: optional(trt, camelKeys),
    onnxPackageDetails: optional(onnx, camelKeys),
    torchScriptPackageDetails: optional(torchScript, (details) => camelKeys(details) as unknown as TorchScriptPackageDetails),
    environmentRequirements: optional(requirements, camelKeys),
    recommendedParameters: optional(recommended, toRecommended),
  } as unknown as ModelPackageMetadata;
}

/** What some vectors leave out, because their function does not look at it. */
const NOTHING: RuntimeXRay = {
  gpuAvailable: false,
  gpuDevices: [],
  gpuDevicesCc: [],
  driverVersion: null,
  cudaVersion: null,
  trtVersion: null,
  jetsonType: null,
  l4tVersion: null,
  osVersion: null,
  onnxruntimeVersion: null,
  availableOnnxExecutionProviders: null,
  trtBindingAvailable: false,
  torchAvailable: false,
  torchVersion: null,
  torchvisionVersion: null,
  hfTransformersAvailable: false,
};

export function toXRay(wire: Wire | undefined): RuntimeXRay {
  if (wire === undefined) return NOTHING;
  const { trt_python_package_available: trtBindingAvailable, ...rest } = wire;
  return { ...NOTHING, ...camelKeys(rest), trtBindingAvailable: trtBindingAvailable === true };
}
