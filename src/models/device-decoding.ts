/** Models whose outputs are decoded where the network leaves them: only detections are downloaded. */
import type { DetectionRequest, InferenceSession, PictureBatch, RunOptions, Tensor } from "../engines/index.js";
import { logger } from "../logger.js";
import type { TaskType } from "./contract.js";
import type { DetectionRows } from "./decoding/index.js";
import type { FamilyBase, FamilyDescription } from "./family.js";

export type DeviceHead = DetectionRequest["head"];

/** What the engine's device decodes of this model's outputs; null: nothing, they are downloaded and decoded here. */
export function deviceHeadOf<Description extends FamilyDescription>(
  family: Pick<FamilyBase<TaskType, Description, never, unknown>, "task" | "onDevice">,
  description: Description,
  session: InferenceSession,
): DeviceHead | null {
  if (session.runDetections === undefined) return null;
  const head = family.onDevice?.head(description, session.outputs) ?? `the device has no decoder for ${family.task}`;
  if (typeof head !== "string") return head;
  logger().info(`Outputs are decoded by the CPU: ${head}.`);
  return null;
}

/** Runs of a batch each, whose first `counts` places are pictures. @returns rows by picture. */
export async function detectOnDevice(
  session: InferenceSession,
  inputs: readonly (PictureBatch | Readonly<Record<string, Tensor>>)[],
  counts: readonly number[],
  request: Pick<DetectionRequest, "head" | "settings">,
  options: RunOptions,
): Promise<readonly DetectionRows[]> {
  const run = session.runDetections as NonNullable<InferenceSession["runDetections"]>;
  const runs = await Promise.all(inputs.map((input, index) => run(input, { ...request, pictures: counts[index] ?? 0 }, options)));
  return runs.flatMap(({ detections }) => detections);
}
