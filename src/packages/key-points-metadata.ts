import * as z from "zod";

import { corrupted, integer, parseJsonAs } from "./json.js";
import type { ClassRemapping, FileContext, KeyPointsMetadata } from "./types.js";

const schema = z
  .array(
    z.object({
      object_class_id: z.int(),
      keypoints: z.record(z.string().regex(/^\s*[+-]?\d+\s*$/, "expected a decimal number as key"), z.string()),
      edges: z.array(z.object({ from: integer, to: integer })),
    }),
  )
  .min(1, "at least one class must be described");

/**
 * `keypoints_metadata.json`: names and skeleton of each class. Point keys are sorted as numbers; edges index the sorted list.
 * @throws CorruptedModelPackageError
 */
export function parseKeyPointsMetadata(text: string, context: FileContext, remapping: ClassRemapping | null = null): KeyPointsMetadata {
  const entries = parseJsonAs(schema, text, context);
  const classes = remapping?.remainingClassIds.length ?? entries.length;
  const names: (readonly string[] | undefined)[] = new Array<undefined>(classes).fill(undefined);
  const skeletons: (readonly (readonly [number, number])[])[] = new Array<[]>(classes).fill([]);
  for (const entry of entries) {
    const { object_class_id: given } = entry;
    const id = remapping === null ? given : remapping.classMapping[given];
    if (id === -1 && remapping !== null) continue;
    if (id === undefined || id < 0 || id >= classes)
      throw corrupted(context.path, `object_class_id ${given} is not one of the ${classes} classes.`);
    const points = Object.entries(entry.keypoints)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, name]) => name);
    for (const { from, to } of entry.edges) {
      for (const end of [from, to]) {
        if (end < 0 || end >= points.length)
          throw corrupted(context.path, `an edge of class ${given} ends at point ${end}, but there are ${points.length} points.`);
      }
    }
    names[id] = points;
    skeletons[id] = entry.edges.map(({ from, to }) => [from, to] as const);
  }
  const complete = names.map((points, id) => {
    if (points === undefined) throw corrupted(context.path, `class ${id} is not described.`);
    return points;
  });
  return { names: complete, skeletons };
}
