/** YOLO heads with one candidate an anchor: which axis holds the attributes, and what stands beside box and class scores, is data. */
import type { TensorPort } from "../../engines/index.js";
import type { DenseLayout, HeadPart } from "./head.js";
import { requireClassCount, requireOutput } from "./outputs.js";

export interface AnchorLayout {
  readonly attributes: "first" | "last";
  /** Whether a fifth attribute is the objectness, to which thresholds then apply. */
  readonly objectness: boolean;
  /** Attributes behind the class scores: mask coefficients, or key points. */
  readonly extras: number;
}

function meaningOf({ attributes, objectness, extras }: AnchorLayout): string {
  const sum = `${objectness ? 5 : 4} + classes${extras === 0 ? "" : ` + ${extras}`}`;
  return attributes === "first" ? `[batch, ${sum}, anchors]` : `[batch, anchors, ${sum}]`;
}

const beside = ({ objectness, extras }: AnchorLayout): number => (objectness ? 5 : 4) + extras;

/** @throws CorruptedModelPackageError when the first output has another shape, or other classes than the package. */
export function checkAnchors(outputs: readonly TensorPort[], layout: AnchorLayout, classes: number): void {
  const meaning = meaningOf(layout);
  const attributes = requireOutput(outputs, 0, 3, meaning)[layout.attributes === "first" ? 1 : 2] ?? null;
  requireClassCount(attributes === null ? null : attributes - beside(layout), classes, `of the output ${meaning}`);
}

/** Boxes are centre-size in network pixels, class scores probabilities. */
export function anchorHead({ attributes, objectness, extras }: AnchorLayout): DenseLayout {
  const from = (attribute: number): HeadPart => ({ output: 0, attributes, from: attribute });
  return {
    kind: "dense",
    boxes: from(0),
    boxFormat: "cxcywh",
    scores: from(objectness ? 5 : 4),
    extras,
    objectness: objectness ? from(4) : null,
    objectnessUse: objectness ? "gate" : "none",
  };
}

/** What stands behind the scores of so many classes. */
export function anchorExtras({ attributes, objectness }: AnchorLayout, classes: number): HeadPart {
  return { output: 0, attributes, from: (objectness ? 5 : 4) + classes };
}
