import {
  becauseOf,
  CudaError,
  GPU_FAILURE_REASONS,
  InferenceModelsError,
  ModelDisposedError,
  ModelInputError,
  ModelRuntimeError,
  OperationAbortedError,
  OutOfDeviceMemoryError,
  OutOfMemoryError,
  TensorRtError,
} from "../errors.js";
import type { NativeFailure } from "./addon.js";

/** The typed error for what the addon reported; other values pass unchanged. */
export function translateNativeFailure(failure: unknown): unknown {
  if (!(failure instanceof Error) || failure instanceof InferenceModelsError || !("nativeCode" in failure)) return failure;
  const { nativeCode, stage, message, api, errorCode, reason, requestedBytes = null, freeBytes = null } = failure as NativeFailure;
  const call = {
    ...(api === undefined ? {} : { api }),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...becauseOf(GPU_FAILURE_REASONS.find((one) => one === reason) ?? null),
  };
  switch (nativeCode) {
    case "invalid-argument":
      return new ModelInputError(message, { cause: failure });
    case "cancelled":
      return new OperationAbortedError(message, { cause: failure });
    case "closed":
      return new ModelDisposedError(message, { cause: failure, stage });
    case "out-of-memory":
      return new OutOfMemoryError(message, { cause: failure, stage, requestedBytes });
    case "cuda":
      return new CudaError(message, { cause: failure, stage, ...call });
    case "tensorrt":
      return new TensorRtError(message, { cause: failure, stage, ...call });
    case "out-of-device-memory":
      return new OutOfDeviceMemoryError(message, { cause: failure, stage, requestedBytes, freeBytes });
    default:
      return new ModelRuntimeError(message, { cause: failure, stage });
  }
}

/**
 * Awaits a native call. A failure becomes one of our errors with the stack of the caller: the native one ends in the
 * event loop and points nowhere.
 */
export async function callNative<T>(call: () => T | Promise<T>): Promise<T> {
  const caller: { stack?: string } = {};
  Error.captureStackTrace(caller, callNative);
  try {
    return await call();
  } catch (failure) {
    const error = translateNativeFailure(failure);
    if (error instanceof Error && error !== failure) {
      error.stack = `${error.name}: ${error.message}\n${(caller.stack ?? "").split("\n").slice(1).join("\n")}`;
    }
    throw error;
  }
}
