/** What every kind of session refuses, in the same words. */
import { CorruptedModelPackageError, ModelDisposedError, QueueFullError } from "../errors.js";

const ONNX_STAGE = "onnxruntime.run";

export function sessionClosed(stage: string = ONNX_STAGE): ModelDisposedError {
  return new ModelDisposedError("The session is closed. Create a new one to run the network again.", { stage });
}

export function queueFull(limit: number, stage: string = ONNX_STAGE): QueueFullError {
  return new QueueFullError(`${limit} runs are waiting already. Await some of them first, or raise queueLimit.`, { limit, stage });
}

/** @param reason what the library said. */
export function modelNotLoadable(model: string | Uint8Array, reason: string, cause: unknown): CorruptedModelPackageError {
  const what = typeof model === "string" ? model : `the model of ${model.length} bytes`;
  return new CorruptedModelPackageError(`ONNX Runtime cannot load ${what}. ${reason} Download or export the model again.`, {
    ...(typeof model === "string" ? { path: model } : {}),
    kind: "engine",
    cause,
  });
}
