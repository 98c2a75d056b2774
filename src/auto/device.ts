import { configuration } from "../configuration.js";
import type { RuntimeXRay } from "../environment/index.js";
import { parseDevice } from "../negotiation/index.js";

/** What was asked for, else `DEFAULT_DEVICE`, else the GPU if there is one. @throws InvalidParameterError */
export function resolveDevice(requested: string | undefined, { gpuAvailable }: Pick<RuntimeXRay, "gpuAvailable">): string {
  const text = requested ?? (configuration().device.standard || (gpuAvailable ? "cuda" : "cpu"));
  const { type, index } = parseDevice(text);
  return index === null ? type : `${type}:${index}`;
}
