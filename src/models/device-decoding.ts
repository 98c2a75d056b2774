/** Models whose outputs are decoded where the network leaves them: only results are downloaded. */
import type { DecodedPicture, DetectionRequest, InferenceSession, PictureBatch, RunOptions, Tensor } from "../engines/index.js";
import { logger } from "../logger.js";
import type { TaskType } from "./contract.js";
import type { FamilyBase, FamilyDescription } from "./family.js";

/** Whether the engine's device decodes this model's outputs; else they are downloaded and decoded here. */
export function decodesOnDevice<Description extends FamilyDescription>(
  family: Pick<FamilyBase<TaskType, Description, never, unknown>, "task" | "onDevice">,
  description: Description,
  session: InferenceSession,
): boolean {
  if (session.runDetections === undefined) return false;
  const { onDevice, task } = family;
  const obstacle = onDevice === undefined ? `the device has no decoder for ${task}` : onDevice.obstacle(description, session.outputs);
  if (obstacle !== null) logger().info(`Outputs are decoded by the CPU: ${obstacle}.`);
  return obstacle === null;
}

/**
 * Runs of a batch each, whose first `counts` places are pictures.
 *
 * @param requestFor what the device is to make of `count` pictures from number `first` on.
 */
export async function runOnDevice(
  session: InferenceSession,
  inputs: readonly (PictureBatch | Readonly<Record<string, Tensor>>)[],
  counts: readonly number[],
  requestFor: (first: number, count: number) => Omit<DetectionRequest, "pictures">,
  options: RunOptions,
): Promise<readonly DecodedPicture[]> {
  const run = session.runDetections as NonNullable<InferenceSession["runDetections"]>;
  let first = 0;
  const runs = inputs.map((input, index) => {
    const pictures = counts[index] ?? 0;
    const request = { ...requestFor(first, pictures), pictures };
    first += pictures;
    return run(input, request, options);
  });
  return (await Promise.all(runs)).flatMap(({ pictures }) => pictures);
}
