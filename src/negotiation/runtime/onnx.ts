import { providerShortName } from "../../environment/index.js";
import type { RuntimeXRay } from "../../environment/types.js";
import type { ModelPackageMetadata } from "../../packages/index.js";
import { parseVersion } from "../../versions.js";
import type { OnnxProviderRequest, Refusal } from "../types.js";

/** Highest opset by minor version of ONNX Runtime 1.x. */
const MAXIMUM_OPSETS: Readonly<Record<number, number>> = { 15: 19, 16: 19, 17: 20, 18: 21, 19: 21, 20: 21, 21: 22, 22: 23 };
const NEWEST_LISTED = 22;
const OLDEST_OPSET = 19;

/** Opset that a runtime surely reads; a runtime newer than the table reads at least what the last listed one does. */
export function maximumOpset(runtimeVersion: string): number {
  const [major = 0, minor = 0] = parseVersion(runtimeVersion)?.release ?? [];
  if (major > 1 || (major === 1 && minor > NEWEST_LISTED)) return MAXIMUM_OPSETS[NEWEST_LISTED] ?? OLDEST_OPSET;
  return major === 1 ? (MAXIMUM_OPSETS[minor] ?? OLDEST_OPSET) : OLDEST_OPSET;
}

function nameOf(provider: OnnxProviderRequest): string {
  if (typeof provider === "string") return provider;
  return "name" in provider ? provider.name : provider[0];
}

/** These need a GPU. Others (Core ML, OpenVINO) find their own way, also where the device is the CPU. */
const GPU_PROVIDERS = ["cuda", "tensorrt", "nvtensorrtrtx", "rocm", "migraphx", "dml", "webgpu"];

export interface OnnxContext {
  readonly environment: RuntimeXRay;
  readonly gpuProvidersAllowed: boolean;
  readonly requestedProviders: readonly OnnxProviderRequest[] | null;
  readonly defaultProviders: readonly string[];
}

/** Short names of what a session for this request would use, in order. */
function usableProviders({ environment, gpuProvidersAllowed, requestedProviders, defaultProviders }: OnnxContext): readonly string[] {
  const available = (environment.availableOnnxExecutionProviders ?? []).map(providerShortName);
  const candidates = requestedProviders !== null && requestedProviders.length > 0 ? requestedProviders.map(nameOf) : defaultProviders;
  return candidates
    .map(providerShortName)
    .filter((name) => available.includes(name) && (gpuProvidersAllowed || !GPU_PROVIDERS.includes(name)));
}

export function matchOnnx({ onnxPackageDetails }: ModelPackageMetadata, context: OnnxContext): Refusal | null {
  const { onnxruntimeVersion, availableOnnxExecutionProviders } = context.environment;
  const available = availableOnnxExecutionProviders ?? [];
  if (onnxruntimeVersion === null || available.length === 0) {
    return {
      code: "ONNX_NOT_INSTALLED",
      message: "ONNX Runtime was not found. Install onnxruntime-node.",
      details: { onnxruntimeVersion, availableProviders: available },
    };
  }
  if (onnxPackageDetails === null) {
    return { code: "ONNX_DETAILS_MISSING", message: "The package does not say which opset its network needs.", details: {} };
  }
  const requested = context.requestedProviders;
  const [primary] = usableProviders(context);
  if (primary === undefined) {
    const chosen = requested !== null && requested.length > 0;
    const names = chosen ? requested.map(nameOf) : context.defaultProviders;
    return {
      code: chosen ? "ONNX_REQUESTED_PROVIDERS_UNAVAILABLE" : "ONNX_DEFAULT_PROVIDERS_UNAVAILABLE",
      message: `None of the ${chosen ? "requested" : "default"} execution providers (${names.join(", ") || "none"}) can be used here; available: ${available.join(", ")}${context.gpuProvidersAllowed ? "" : ", of which those for GPUs do not count on the device cpu"}.`,
      details: { providers: names, available, gpuProvidersAllowed: context.gpuProvidersAllowed },
    };
  }
  const incompatible = onnxPackageDetails.incompatibleProviders ?? [];
  // Only the first is asked: it runs what it can, and the others the rest.
  if (incompatible.map(providerShortName).includes(primary)) {
    return {
      code: "ONNX_PRIMARY_PROVIDER_INCOMPATIBLE",
      message: `The package does not run with ${primary}, which would be used. Ask for another one with onnxExecutionProviders.`,
      details: { primary, incompatible },
    };
  }
  const maximum = maximumOpset(onnxruntimeVersion);
  if (!(onnxPackageDetails.opset <= maximum)) {
    return {
      code: "ONNX_OPSET_TOO_HIGH",
      message: `The package's network uses opset ${onnxPackageDetails.opset}; ONNX Runtime ${onnxruntimeVersion} reads up to ${maximum}. A newer runtime may read it.`,
      details: { opset: onnxPackageDetails.opset, maximum, onnxruntimeVersion },
    };
  }
  return null;
}
