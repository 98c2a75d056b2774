/** What `compileModel` would do, as far as it can be said without doing it. */
import { requireKnownOptions } from "../options.js";
import { estimateTensorRtBuild, type TensorRtBuildEstimate } from "./estimate.js";
import { COMPILE_OPTION_NAMES, prepareModel, type CompileModelOptions } from "./preparation.js";

export interface CompilationPlan {
  readonly modelId: string;
  /** Folder of the ONNX package that the engine would be built from. */
  readonly sourceDirectory: string;
  readonly quantization: "fp16" | "fp32";
  readonly estimate: TensorRtBuildEstimate;
}

/**
 * Says what `compileModel` with the same options would take. Builds and stores no engine, and needs no GPU; the model's ONNX package, whose graph
 * has to be read, is fetched into the cache where it is not there.
 *
 * @param model id of a model, or the folder of an ONNX package
 * @throws what `estimateTensorRtBuild` and `AutoModel.download` throw
 */
export async function planCompilation(model: string, options: CompileModelOptions = {}): Promise<CompilationPlan> {
  requireKnownOptions(options, COMPILE_OPTION_NAMES, "planCompilation");
  const { modelId, directory, network, fp16, settings } = await prepareModel(model, options);
  options.signal?.throwIfAborted();
  const estimate = await estimateTensorRtBuild(network, settings);
  return { modelId, sourceDirectory: directory, quantization: fp16 ? "fp16" : "fp32", estimate };
}
