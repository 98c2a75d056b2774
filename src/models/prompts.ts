/** Prompts as callers write them: checked, and counted out to pictures. */
import { ModelInputError } from "../errors.js";
import type { Size } from "../imaging/index.js";
import type { SegmentationPrompt, SegmentRequest } from "./contract.js";

const isNumbers = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every((one) => Number.isFinite(one));

/** @throws ModelInputError */
export function requirePrompt(prompt: SegmentationPrompt, index: number, maskInput: Size): void {
  const refuse = (problem: string): never => {
    throw new ModelInputError(`Prompt ${index}: ${problem}`, { index });
  };
  if (typeof prompt !== "object" || (prompt as unknown) === null) refuse("expected an object { points, labels, box, mask }.");
  const unknown = Object.keys(prompt).find((name) => !["points", "labels", "box", "mask"].includes(name));
  if (unknown !== undefined) refuse(`"${unknown}" is not known; a prompt has points, labels, box and mask.`);
  const { points, labels, box, mask } = prompt;
  if ((points === undefined) !== (labels === undefined)) refuse("points need labels and labels need points, one for each.");
  if (points !== undefined && labels !== undefined) {
    if (!(Array.isArray(points) && points.every((point) => isNumbers(point, 2))))
      refuse("points are a list of [x, y], in pixels of the picture.");
    if (!(Array.isArray(labels) && labels.every((label) => label === 0 || label === 1)))
      refuse("labels are 1 (on the thing) or 0 (beside it).");
    if (points.length !== labels.length) refuse(`it has ${points.length} points and ${labels.length} labels; each point needs one.`);
  }
  if (box !== undefined && !isNumbers(box, 4)) refuse("a box is [x1, y1, x2, y2], in pixels of the picture.");
  if (mask !== undefined) {
    const { width, height } = maskInput;
    if (mask.width !== width || mask.height !== height || !(mask.data instanceof Float32Array) || mask.data.length !== width * height)
      refuse(`its mask must be the logits of an earlier call, ${width} x ${height} float32 numbers.`);
  }
}

type Prompts = SegmentRequest["prompts"];

/** Prompts of each picture; none at all is one prompt that says nothing. @throws ModelInputError */
export function promptsOf(prompts: Prompts, pictures: number): readonly (readonly SegmentationPrompt[])[] {
  const list = (prompts === undefined ? [{}] : Array.isArray(prompts) ? prompts : [prompts]) as readonly unknown[];
  if (!list.some(Array.isArray)) return Array.from({ length: pictures }, () => list as readonly SegmentationPrompt[]);
  if (!list.every(Array.isArray) || (list.length !== 1 && list.length !== pictures)) {
    throw new ModelInputError(
      `There are ${list.length} lists of prompts for ${pictures} pictures. Pass one list for all of them, or one list for each.`,
    );
  }
  return Array.from({ length: pictures }, (_, picture) => (list[picture] ?? list[0]) as readonly SegmentationPrompt[]);
}
