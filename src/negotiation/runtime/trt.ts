import type { RuntimeXRay } from "../../environment/types.js";
import type { JetsonEnvironmentRequirements, ModelPackageMetadata } from "../../packages/index.js";
import { compareVersions, parseVersion, releaseOf, versionsMatchMajorMinor } from "../../versions.js";
import type { Device, Refusal } from "../types.js";
import { engineFits, gpusOf, selectGpus } from "./devices.js";

export interface TrtContext {
  readonly environment: RuntimeXRay;
  readonly device: Device | null;
  readonly hostCodeAllowed: boolean;
  readonly compare: typeof compareVersions;
}

/** TensorRT's own function reports three numbers, package managers four: the fourth counts only where both have it. */
export function compareCommonParts(a: string, b: string): number {
  const [[aHasBuild, aPatch], [bHasBuild, bPatch]] = [splitBuild(a), splitBuild(b)];
  return aHasBuild === bHasBuild ? compareVersions(a, b) : compareVersions(aPatch, bPatch);
}

function splitBuild(version: string): readonly [hasBuild: boolean, patch: string] {
  return [(parseVersion(version)?.release.length ?? 0) > 3, releaseOf(version, 3) ?? version];
}

function matchL4t(requirements: JetsonEnvironmentRequirements, runtime: string): Refusal | null {
  if (versionsMatchMajorMinor(requirements.l4tVersion, runtime)) return null;
  return {
    code: "TRT_L4T_MISMATCH",
    message: `The engine was built on L4T ${requirements.l4tVersion}; this machine has ${runtime}.`,
    details: { package: requirements.l4tVersion, runtime },
  };
}

function matchVersion(
  { trtPackageDetails }: ModelPackageMetadata,
  built: string,
  runtime: string,
  { hostCodeAllowed, compare }: TrtContext,
): Refusal | null {
  const details = { package: built, runtime };
  const order = compare(runtime, built);
  if (trtPackageDetails?.trtForwardCompatible !== true) {
    if (order === 0) return null;
    return {
      code: "TRT_VERSION_MISMATCH",
      message: `The engine was built with TensorRT ${built} and runs with exactly that; this machine has ${runtime}.`,
      details,
    };
  }
  if (order < 0) {
    return {
      code: "TRT_VERSION_MISMATCH",
      message: `The engine was built with TensorRT ${built} and runs with that or newer; this machine has ${runtime}.`,
      details,
    };
  }
  if (trtPackageDetails.trtLeanRuntimeExcluded) {
    return {
      code: "TRT_LEAN_RUNTIME_EXCLUDED",
      message: "The engine needs a lean runtime beside it, which is not supported.",
      details,
    };
  }
  if (!hostCodeAllowed) {
    return {
      code: "TRT_HOST_CODE_FORBIDDEN",
      message: "The engine carries code that runs on the host. Pass trtEngineHostCodeAllowed: true if you trust the package.",
      details,
    };
  }
  return null;
}

/** @throws ModelPackageNegotiationError when the requested GPU does not exist. */
export function matchTrt(candidate: ModelPackageMetadata, context: TrtContext): Refusal | null {
  const { environment, device } = context;
  const { trtVersion: runtime, l4tVersion } = environment;
  if (runtime === null) {
    return { code: "TRT_NOT_INSTALLED", message: "TensorRT was not found on this machine.", details: {} };
  }
  if (!environment.trtBindingAvailable) {
    return {
      code: "TRT_BINDING_UNAVAILABLE",
      message: "TensorRT is installed, but the native addon could not open it; the environment report says why.",
      details: { runtime },
    };
  }
  const requirements = candidate.environmentRequirements;
  if (requirements === null) {
    return { code: "TRT_REQUIREMENTS_MISSING", message: "The package does not say on which machine its engine was built.", details: {} };
  }
  const { trtVersion: built, cudaDeviceName: name, cudaDeviceCc: computeCapability } = requirements;
  if (built === null) {
    return { code: "TRT_VERSION_UNDECLARED", message: "The package does not say which TensorRT built its engine.", details: {} };
  }
  if (requirements.kind === "jetson" && l4tVersion === null) {
    return {
      code: "TRT_L4T_UNKNOWN",
      message: "The engine was built on a Jetson, and this machine's L4T version is not known. Set L4T_VERSION if it is one.",
      details: { package: requirements.l4tVersion },
    };
  }
  const sameCcCompatible = candidate.trtPackageDetails?.sameCcCompatible ?? false;
  const gpus = selectGpus(gpusOf(environment.gpuDevices, environment.gpuDevicesCc), device);
  if (!engineFits({ name, computeCapability }, sameCcCompatible, gpus)) {
    const needs = sameCcCompatible ? `a GPU of compute capability ${computeCapability}` : `the GPU ${name}`;
    const has = gpus.map((gpu) => `${gpu.name} (${gpu.computeCapability ?? "unknown"})`).join(", ") || "none to be used";
    return {
      code: "TRT_DEVICE_MISMATCH",
      message: `The engine needs ${needs}; GPUs here: ${has}.`,
      details: { package: { name, computeCapability, sameCcCompatible }, runtime: gpus },
    };
  }
  const l4t = requirements.kind === "jetson" && l4tVersion !== null ? matchL4t(requirements, l4tVersion) : null;
  return l4t ?? matchVersion(candidate, built, runtime, context);
}
