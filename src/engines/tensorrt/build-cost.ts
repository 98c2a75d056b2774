/** What a model's graph tells about a build with these settings. */
import { EngineBuildError } from "../../errors.js";
import type { NativeTensorRtBuildOptions } from "../../native/index.js";
import type { GraphValue } from "../onnx/graph-outline.js";
import type { NetworkCost } from "../onnx/network-cost.js";
import { toNativeBuildOptions, type TensorRtBuildSettings } from "./builder-options.js";

/** The sizes that the engine is fastest at, in its first profile; null where the settings leave some of them open. */
function optimumOf({ name, dims }: GraphValue, { batch, imageSize, profiles }: NativeTensorRtBuildOptions): readonly number[] | null {
  const range = profiles[0]?.find(({ input }) => input === name);
  if (range !== undefined) return range.optimum;
  const varying = [batch?.optimum, undefined, ...(dims?.length === 4 ? [imageSize?.height, imageSize?.width] : [])];
  const sizes = dims?.map((size, axis) => (typeof size === "number" ? size : varying[axis]));
  return sizes === undefined || sizes.includes(undefined) ? null : (sizes as number[]);
}

/**
 * @param model path of an ONNX file, or its bytes; weights are not read
 * @throws InvalidOptionError, EngineBuildError
 */
export async function readNetworkCost(model: string | Uint8Array, settings: TensorRtBuildSettings): Promise<NetworkCost> {
  const options = toNativeBuildOptions(settings, null);
  // Seldom needed, so it costs nobody's start.
  const { readGraphOutline } = await import("../onnx/graph-outline.js");
  const { networkCost } = await import("../onnx/network-cost.js");
  try {
    return networkCost(readGraphOutline(model), { inputShape: (input) => optimumOf(input, options), fp16: options.fp16 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const path = typeof model === "string" ? { path: model } : {};
    const what = error instanceof Error && "syscall" in error ? "it cannot be read" : "it is no ONNX model, or damaged";
    throw new EngineBuildError(
      `${typeof model === "string" ? `${model}: ` : ""}What a build would take cannot be told, because ${what}: ${reason}`,
      { ...path, stage: "estimate", cause: error },
    );
  }
}
