/** What both kinds of session refuse, in the same words. */
import { CorruptedModelPackageError, ModelDisposedError, QueueFullError } from "../../errors.js";

const STAGE = "onnxruntime.run";

export function sessionClosed(): ModelDisposedError {
  return new ModelDisposedError("The session is closed. Create a new one to run the network again.", { stage: STAGE });
}

export function queueFull(limit: number): QueueFullError {
  return new QueueFullError(`${limit} runs are waiting already. Await some of them first, or raise queueLimit.`, { limit, stage: STAGE });
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
