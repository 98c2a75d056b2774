/** Whether this machine can run a package: one matcher a backend. */
import { ModelPackageNegotiationError } from "../../errors.js";
import type { ModelPackageMetadata } from "../../packages/index.js";
import { compareVersions } from "../../versions.js";
import type { Filter } from "../filters.js";
import type { Device, NegotiationInput, Refusal } from "../types.js";
import { matchOnnx } from "./onnx.js";
import { matchHuggingFace, matchTorch, matchTorchScript } from "./torch.js";
import { compareCommonParts, matchTrt } from "./trt.js";

export { engineFits, gpusOf, selectGpus, type Gpu } from "./devices.js";

export type RuntimeInput = Pick<NegotiationInput, "environment" | "defaultOnnxExecutionProviders" | "rules"> & {
  readonly request: Pick<NegotiationInput["request"], "onnxExecutionProviders" | "trtEngineHostCodeAllowed">;
};

/**
 * What speaks against a package on this machine, or null.
 * @throws ModelPackageNegotiationError when the requested GPU does not exist and an engine is judged, and for a backend that nothing can judge.
 */
export function matchRuntime(
  candidate: ModelPackageMetadata,
  { environment, defaultOnnxExecutionProviders, request, rules = "own" }: RuntimeInput,
  device: Device | null,
): Refusal | null {
  switch (candidate.backend) {
    case "onnx":
      return matchOnnx(candidate, {
        environment,
        gpuProvidersAllowed: device?.type !== "cpu" || rules === "reference",
        requestedProviders: request.onnxExecutionProviders,
        defaultProviders: defaultOnnxExecutionProviders,
      });
    case "trt":
      return matchTrt(candidate, {
        environment,
        device,
        hostCodeAllowed: request.trtEngineHostCodeAllowed,
        compare: rules === "reference" ? compareVersions : compareCommonParts,
      });
    case "torch":
      return matchTorch(environment);
    case "hugging-face":
      return matchHuggingFace(environment);
    case "torch-script":
      return matchTorchScript(candidate, environment, device);
    case "ultralytics":
    case "custom":
      throw new ModelPackageNegotiationError(`Packages of backend ${candidate.backend} cannot be judged, and are not loaded.`);
  }
}

/** One package that nothing can judge must not end the negotiation about the others. */
export function runtimeFilter(input: RuntimeInput, device: Device | null): Filter {
  return (candidate) => {
    const { backend } = candidate;
    if (backend !== "ultralytics" && backend !== "custom") return matchRuntime(candidate, input, device);
    return {
      code: "BACKEND_NOT_RUNNABLE",
      message: `Packages of backend ${backend} cannot be judged, and are not loaded.`,
      details: { backend },
    };
  };
}
