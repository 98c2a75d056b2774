/**
 * Which of several usable packages is the best. A package's key is a list of twenty values; keys are compared from the first value to
 * the last, greater is better. So the backend beats everything, quantization beats trust, and so on down to the id.
 */
import type { RuntimeXRay } from "../environment/types.js";
import type { BackendType, ModelPackageMetadata, Quantization } from "../packages/index.js";
import { compareVersions } from "../versions.js";
import { nmsFusionScore } from "./nms-fusion.js";
import { gpusOf, selectGpus } from "./runtime/index.js";
import { quote } from "./text.js";
import type { Device, NegotiationRequest, RankComponent, RankedPackage } from "./types.js";

export interface RankingContext {
  readonly environment: RuntimeXRay;
  readonly device: Device | null;
  readonly nmsFusionPreferences: NegotiationRequest["nmsFusionPreferences"];
}

interface Context extends RankingContext {
  readonly packages: readonly ModelPackageMetadata[];
  /** What the engines of all packages were built with, each version once, oldest first. */
  readonly cudaVersions: readonly string[];
  readonly trtVersions: readonly string[];
}

interface Component {
  readonly name: string;
  /** What is better, for people. */
  readonly prefers: string;
  readonly value: (candidate: ModelPackageMetadata, context: Context) => number;
}

const BACKEND_VALUES: Readonly<Record<BackendType, number>> = {
  trt: 7,
  onnx: 6,
  torch: 5,
  "hugging-face": 4,
  "torch-script": 3,
  ultralytics: 1,
  custom: 0,
};

const QUANTIZATION_VALUES: Readonly<Record<Quantization, number>> = { int8: 4, fp16: 3, fp32: 2, unknown: 1, bf16: 0 };

/** Components 10 and 11 look at all packages; every other one at its own package and the machine. */
const COMPONENTS: readonly Component[] = [
  { name: "backend", prefers: "TensorRT, then ONNX", value: ({ backend }) => BACKEND_VALUES[backend] },
  {
    name: "quantization",
    prefers: "int8, then fp16, fp32, unknown, bf16",
    value: ({ quantization }) => (quantization === null ? 0 : QUANTIZATION_VALUES[quantization]),
  },
  { name: "trust", prefers: "a trusted source", value: ({ trustedSource }) => Number(trustedSource) },
  { name: "batchMode", prefers: "a dynamic batch", value: ({ dynamicBatchSizeSupported: dynamic }) => (dynamic === true ? 2 : 1) },
  { name: "staticBatchSize", prefers: "a smaller static batch", value: ({ staticBatchSize }) => 0 - (staticBatchSize ?? 0) },
  { name: "onnxOpset", prefers: "a higher opset", value: ({ onnxPackageDetails }) => onnxPackageDetails?.opset ?? -1 },
  {
    name: "exactEngine",
    prefers: "an engine for this very TensorRT",
    value: ({ trtPackageDetails }) => Number(trtPackageDetails?.trtForwardCompatible !== true),
  },
  {
    name: "deviceSpecificEngine",
    prefers: "an engine for this very GPU",
    value: ({ trtPackageDetails }) => Number(trtPackageDetails?.sameCcCompatible !== true),
  },
  { name: "deviceNameHits", prefers: "an engine built on a GPU like those here", value: deviceNameHits },
  {
    name: "cudaVersion",
    prefers: "an older CUDA",
    value: ({ environmentRequirements }, { cudaVersions, packages }) =>
      versionPlace(environmentRequirements?.cudaVersion ?? null, cudaVersions, packages),
  },
  {
    name: "trtVersion",
    prefers: "an older TensorRT",
    value: ({ environmentRequirements }, { trtVersions, packages }) =>
      versionPlace(environmentRequirements?.trtVersion ?? null, trtVersions, packages),
  },
  { name: "providerConflicts", prefers: "fewer execution providers that it does not work on", value: providerConflicts },
  { name: "dynamicRangeWidth", prefers: "a wider range of batches", value: dynamicRangeWidth },
  {
    name: "fusedNms",
    prefers: "fused NMS closer to the preferences",
    value: (candidate, { nmsFusionPreferences }) => nmsFusionScore(candidate, nmsFusionPreferences),
  },
  {
    name: "leanRuntime",
    prefers: "an engine that brings its lean runtime",
    value: ({ trtPackageDetails }) => Number(trtPackageDetails?.trtLeanRuntimeExcluded === false),
  },
  {
    name: "jetsonProduct",
    prefers: "an engine built on a Jetson like this one",
    value: ({ environmentRequirements: built }, { environment }) =>
      Number(built?.kind === "jetson" && built.jetsonProductName !== null && built.jetsonProductName === environment.jetsonType),
  },
  {
    name: "operatingSystem",
    prefers: "an engine built on this operating system",
    value: ({ backend, environmentRequirements: built }, { environment }) =>
      Number(backend === "trt" && built?.kind === "gpu-server" && built.osVersion !== null && built.osVersion === environment.osVersion),
  },
  {
    name: "l4tVersion",
    prefers: "an engine built with this L4T",
    value: ({ backend, environmentRequirements: built }, { environment }) =>
      Number(backend === "trt" && built?.kind === "jetson" && sameVersion(built.l4tVersion, environment.l4tVersion)),
  },
  {
    name: "driverVersion",
    prefers: "an engine built with this driver",
    value: ({ environmentRequirements: built }, { environment }) =>
      Number(built !== null && sameVersion(built.driverVersion, environment.driverVersion)),
  },
];

const sameVersion = (a: string | null, b: string | null): boolean => a !== null && b !== null && compareVersions(a, b) === 0;

function deviceNameHits({ backend, environmentRequirements: built }: ModelPackageMetadata, { environment, device }: Context): number {
  if (backend !== "trt" || built === null) return 0;
  const gpus = selectGpus(gpusOf(environment.gpuDevices, environment.gpuDevicesCc), device);
  return gpus.filter(({ name }) => name === built.cudaDeviceName).length;
}

/** 0 for the oldest version, one less for every newer one; a package that names none comes last. */
function versionPlace(version: string | null, oldestFirst: readonly string[], packages: readonly ModelPackageMetadata[]): number {
  const index = version === null ? packages.length - 1 : oldestFirst.findIndex((known) => compareVersions(known, version) === 0);
  return 0 - index;
}

function distinctVersions(versions: readonly (string | null | undefined)[]): readonly string[] {
  const sorted = versions.filter((version) => version != null).sort(compareVersions);
  return sorted.filter((version, index) => index === 0 || compareVersions(version, sorted[index - 1]!) !== 0);
}

function providerConflicts({ onnxPackageDetails }: ModelPackageMetadata, { environment }: Context): number {
  const incompatible = onnxPackageDetails?.incompatibleProviders ?? [];
  return 0 - (environment.availableOnnxExecutionProviders ?? []).filter((provider) => incompatible.includes(provider)).length;
}

function dynamicRangeWidth({ trtPackageDetails }: ModelPackageMetadata): number {
  const { minDynamicBatchSize: min = null, maxDynamicBatchSize: max = null } = trtPackageDetails ?? {};
  return min === null || max === null ? 0 : max - min;
}

/** By code points, as every language can do it; JavaScript's own order is by halves of them. */
function compareText(a: string, b: string): number {
  const [left, right] = [Array.from(a, codePointOf), Array.from(b, codePointOf)];
  const difference = left.findIndex((codePoint, index) => codePoint !== right[index]);
  if (difference === -1) return Math.sign(left.length - right.length);
  return (left[difference] ?? -1) < (right[difference] ?? -1) ? -1 : 1;
}

const codePointOf = (character: string): number => character.codePointAt(0) ?? 0;

/** The first place where two keys differ; -1 when they do not. */
const differingPlace = (a: readonly RankComponent[], b: readonly RankComponent[]): number =>
  a.findIndex(({ value }, index) => value !== b[index]?.value);

/** What a number in a key must never be: it would be neither before nor after the others. */
const orderable = (value: number): number => (Number.isNaN(value) ? -Infinity : value);

function compareKeys(a: readonly RankComponent[], b: readonly RankComponent[]): number {
  const place = differingPlace(a, b);
  const [left, right] = [a[place]?.value, b[place]?.value];
  if (typeof left === "number" && typeof right === "number") return left < right ? -1 : 1;
  return typeof left === "string" && typeof right === "string" ? compareText(left, right) : 0;
}

function whyBefore(key: readonly RankComponent[], next: readonly RankComponent[] | undefined): string {
  if (next === undefined) return "No other usable package comes after it.";
  const place = differingPlace(key, next);
  const nextId = quote(String(next.at(-1)?.value));
  if (place === -1) return `Announced before ${nextId}, of which it differs in nothing that counts.`;
  return `Before ${nextId} by ${key[place]?.name ?? ""}: ${COMPONENTS[place]?.prefers ?? "nothing else tells them apart"}.`;
}

/**
 * Best first. Ids being unique, the order does not depend on that of the input. Only the values of components 10 and 11 depend on which
 * other packages there are, and even they never turn two packages around.
 * @throws ModelPackageNegotiationError when the requested GPU does not exist and an engine is among the packages
 */
export function rankModelPackages(packages: readonly ModelPackageMetadata[], context: RankingContext): readonly RankedPackage[] {
  const everything: Context = {
    ...context,
    packages,
    cudaVersions: distinctVersions(packages.map(({ environmentRequirements }) => environmentRequirements?.cudaVersion)),
    trtVersions: distinctVersions(packages.map(({ environmentRequirements }) => environmentRequirements?.trtVersion)),
  };
  const keyed = packages.map((candidate) => ({
    package: candidate,
    key: [
      ...COMPONENTS.map(({ name, value }) => ({ name, value: orderable(value(candidate, everything)) })),
      { name: "packageId", value: candidate.packageId },
    ],
  }));
  keyed.sort((a, b) => compareKeys(b.key, a.key));
  return keyed.map((ranked, index) => ({ ...ranked, why: whyBefore(ranked.key, keyed[index + 1]?.key) }));
}
