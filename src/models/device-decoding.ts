/** Models whose outputs are decoded where the network leaves them: only results are downloaded. */
import type { InferenceSession, PictureBatch, RunOptions, Tensor } from "../engines/index.js";
import type { Geometry } from "../imaging/index.js";
import { logger } from "../logger.js";
import type { TaskType } from "./contract.js";
import type { DeviceDecoding, FamilyBase, FamilyDescription } from "./family.js";

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

type DecodingSession = { readonly [Method in "runDetections" | "runMaps"]: NonNullable<InferenceSession[Method]> };

/** What a batch of pictures goes through on its way to results. */
export interface DeviceCall<Description, Resolved, Columns> {
  readonly onDevice: DeviceDecoding<Description, Resolved, Columns>;
  readonly description: Description;
  readonly options: Resolved;
  readonly runOptions: RunOptions;
}

/**
 * One run. Its pictures come first in the batch, whose other places are padding.
 *
 * @returns null where pictures or results are too large for the device; then they have to be decoded here.
 */
export async function runOnDevice<Description, Resolved, Columns>(
  session: InferenceSession,
  input: PictureBatch | Readonly<Record<string, Tensor>>,
  pictures: readonly Geometry[],
  { onDevice, description, options, runOptions }: DeviceCall<Description, Resolved, Columns>,
): Promise<readonly Columns[] | null> {
  const { runDetections, runMaps } = session as DecodingSession;
  if (onDevice.kind === "maps") {
    const request = onDevice.request(description, session.outputs, pictures, options);
    if (request === null) return null;
    const run = await runMaps(input, request, runOptions);
    return allOrNone(run.pictures.map((map, index) => onDevice.finish(map, pictures[index] as Geometry, description, options)));
  }
  const request = onDevice.request(description, session.outputs, pictures, options);
  if (request === null) return null;
  const run = await runDetections(input, { ...request, pictures: pictures.length }, runOptions);
  return allOrNone(run.pictures.map((one, index) => onDevice.finish(one, pictures[index] as Geometry, description, options)));
}

function allOrNone<Columns>(columns: readonly (Columns | null)[]): readonly Columns[] | null {
  return columns.every((one) => one !== null) ? columns : null;
}
