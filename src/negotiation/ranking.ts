/** The order among packages that can all be used: a list of criteria, the most important first, larger values better. */
import type { RuntimeXRay } from "../environment/types.js";
import type { BackendType, ModelPackageMetadata, Quantization } from "../packages/index.js";
import { compareVersions } from "../versions.js";
import { nmsFusionScore } from "./nms-fusion.js";
import { gpusOf, selectGpus } from "./runtime/index.js";
import type { Device, NegotiationRequest, RankComponent, RankedPackage } from "./types.js";

const BACKENDS: Readonly<Record<BackendType, number>> = {
  trt: 7,
  onnx: 6,
  torch: 5,
  "hugging-face": 4,
  "torch-script": 3,
  ultralytics: 1,
  custom: 0,
};
const QUANTIZATIONS: Readonly<Record<Quantization, number>> = { int8: 4, fp16: 3, fp32: 2, unknown: 1, bf16: 0 };

export interface RankingContext {
  readonly environment: RuntimeXRay;
  readonly device: Device | null;
  readonly nmsFusionPreferences: NegotiationRequest["nmsFusionPreferences"];
}

interface Criterion {
  readonly name: string;
  readonly value: (candidate: ModelPackageMetadata, context: RankingContext, all: readonly ModelPackageMetadata[]) => number | string;
}

const requirementsOf = ({ environmentRequirements }: ModelPackageMetadata) => environmentRequirements;

/** The oldest version is best: what is newer than the machine has been refused already. Without a version a package comes last. */
function age(select: (candidate: ModelPackageMetadata) => string | null): Criterion["value"] {
  return (candidate, _context, all) => {
    const version = select(candidate);
    if (version === null) return -(all.length - 1);
    const older = all.map(select).filter((other) => other !== null && compareVersions(other, version) < 0);
    return -new Set(older).size || 0;
  };
}

const equal = (a: string | null | undefined, b: string | null): number => Number(a !== null && a !== undefined && a === b);
const sameVersion = (a: string | null | undefined, b: string | null): number =>
  Number(a !== null && a !== undefined && b !== null && compareVersions(a, b) === 0);

function deviceHits(candidate: ModelPackageMetadata, { environment, device }: RankingContext): number {
  if (candidate.backend !== "trt") return 0;
  const gpus = selectGpus(gpusOf(environment.gpuDevices, environment.gpuDevicesCc), device);
  return gpus.filter(({ name }) => name === requirementsOf(candidate)?.cudaDeviceName).length;
}

const jetson = (candidate: ModelPackageMetadata) => (requirementsOf(candidate)?.kind === "jetson" ? requirementsOf(candidate) : null);

const CRITERIA: readonly Criterion[] = [
  { name: "backend", value: ({ backend }) => BACKENDS[backend] },
  { name: "quantization", value: ({ quantization }) => (quantization === null ? 0 : QUANTIZATIONS[quantization]) },
  { name: "trusted source", value: ({ trustedSource }) => Number(trustedSource) },
  { name: "dynamic batch size", value: ({ dynamicBatchSizeSupported }) => (dynamicBatchSizeSupported === true ? 2 : 1) },
  { name: "smaller static batch size", value: ({ staticBatchSize }) => -(staticBatchSize ?? 0) || 0 },
  { name: "ONNX opset", value: ({ onnxPackageDetails }) => onnxPackageDetails?.opset ?? -1 },
  { name: "engine for exactly this TensorRT", value: ({ trtPackageDetails }) => Number(trtPackageDetails?.trtForwardCompatible !== true) },
  { name: "engine for exactly this GPU", value: ({ trtPackageDetails }) => Number(trtPackageDetails?.sameCcCompatible !== true) },
  { name: "GPUs of the name it was built on", value: deviceHits },
  { name: "older CUDA", value: age((candidate) => requirementsOf(candidate)?.cudaVersion ?? null) },
  { name: "older TensorRT", value: age((candidate) => requirementsOf(candidate)?.trtVersion ?? null) },
  {
    name: "fewer incompatible providers",
    value: ({ onnxPackageDetails }, { environment }) => {
      const available = environment.availableOnnxExecutionProviders ?? [];
      return -(onnxPackageDetails?.incompatibleProviders ?? []).filter((provider) => available.includes(provider)).length || 0;
    },
  },
  {
    name: "wider range of batch sizes",
    value: ({ trtPackageDetails }) => {
      const { minDynamicBatchSize = null, maxDynamicBatchSize = null } = trtPackageDetails ?? {};
      return minDynamicBatchSize === null || maxDynamicBatchSize === null ? 0 : maxDynamicBatchSize - minDynamicBatchSize;
    },
  },
  { name: "fused NMS as preferred", value: (candidate, { nmsFusionPreferences }) => nmsFusionScore(candidate, nmsFusionPreferences) },
  { name: "no lean runtime needed", value: ({ trtPackageDetails }) => Number(trtPackageDetails?.trtLeanRuntimeExcluded === false) },
  {
    name: "same Jetson",
    value: (candidate, { environment }) => {
      const requirements = jetson(candidate);
      return requirements?.kind === "jetson" ? equal(requirements.jetsonProductName, environment.jetsonType) : 0;
    },
  },
  {
    name: "same operating system",
    value: (candidate, { environment }) => {
      const requirements = requirementsOf(candidate);
      return requirements?.kind === "gpu-server" && candidate.backend === "trt" ? equal(requirements.osVersion, environment.osVersion) : 0;
    },
  },
  {
    name: "same L4T",
    value: (candidate, { environment }) => {
      const requirements = requirementsOf(candidate);
      return requirements?.kind === "jetson" && candidate.backend === "trt"
        ? sameVersion(requirements.l4tVersion, environment.l4tVersion)
        : 0;
    },
  },
  {
    name: "same driver",
    value: (candidate, { environment }) => sameVersion(requirementsOf(candidate)?.driverVersion, environment.driverVersion),
  },
  { name: "package id", value: ({ packageId }) => packageId },
];

function compareValues(a: number | string, b: number | string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const compareRanks = (a: readonly RankComponent[], b: readonly RankComponent[]): number => {
  for (const [index, { value }] of a.entries()) {
    const order = compareValues(value, b[index]?.value ?? value);
    if (order !== 0) return order;
  }
  return 0;
};

/**
 * Best first. Only the ages of CUDA and TensorRT depend on which other packages there are.
 * @throws ModelPackageNegotiationError when the requested GPU does not exist and an engine is among the packages.
 */
export function rankModelPackages(packages: readonly ModelPackageMetadata[], context: RankingContext): readonly RankedPackage[] {
  const ranked = packages
    .map((candidate) => ({
      package: candidate,
      rank: CRITERIA.map(({ name, value }) => ({ name, value: value(candidate, context, packages) })),
    }))
    .sort((a, b) => compareRanks(b.rank, a.rank));
  return ranked.map((entry, index) => {
    const next = ranked[index + 1]?.rank;
    const decisive = next === undefined ? undefined : entry.rank.find(({ value }, place) => value !== next[place]?.value);
    return { ...entry, decidedBy: decisive?.name ?? null };
  });
}
