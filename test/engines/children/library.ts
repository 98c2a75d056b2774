/** Prints what the engine says about the library that INFERENCE_MODELS_ONNXRUNTIME names. */
import { onnxRuntimeInfo } from "../../../src/engines/index.js";
import { InferenceModelsError } from "../../../src/errors.js";

const info = onnxRuntimeInfo();
if (info.available) process.stdout.write(JSON.stringify(info));
else
  process.stdout.write(
    JSON.stringify({ code: InferenceModelsError.is(info.failure) ? info.failure.code : null, message: info.failure.message }),
  );
