/** YOLO heads with one candidate an anchor: which axis holds the attributes, and what stands beside box and class scores, is data. */
import type { Tensor, TensorPort } from "../../engines/index.js";
import type { NativeMatrix } from "../../native/index.js";
import type { DetectorHead } from "./detector.js";
import { floatData, requireClassCount, requireOutput, requireRank } from "./outputs.js";

export interface AnchorLayout {
  readonly attributes: "first" | "last";
  /** Whether a fifth attribute is the objectness, to which thresholds then apply. */
  readonly objectness: boolean;
  /** Attributes behind the class scores: mask coefficients, or key points. */
  readonly extras: number;
}

/** A head, and the attributes behind it by candidate. */
export interface HeadWithExtras {
  readonly head: DetectorHead;
  readonly extras: NativeMatrix & { readonly candidates: number };
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
export function readAnchors(outputs: readonly Tensor[], image: number, layout: AnchorLayout): HeadWithExtras {
  const { data, dims } = floatData(outputs, 0);
  const [, rows = 0, columns = 0] = requireRank(dims, 3, meaningOf(layout));
  const first = layout.attributes === "first";
  const [attributes, candidates] = first ? [rows, columns] : [columns, rows];
  const strides = first ? { candidateStride: 1, attributeStride: candidates } : { candidateStride: attributes, attributeStride: 1 };
  const from = (attribute: number): NativeMatrix => ({
    data,
    offset: image * rows * columns + attribute * strides.attributeStride,
    ...strides,
  });
  const classes = Math.max(attributes - beside(layout), 0);
  const scores = layout.objectness ? 5 : 4;
  return {
    head: {
      kind: "dense",
      head: {
        candidates,
        classes,
        boxes: from(0),
        boxFormat: "cxcywh",
        scores: from(scores),
        objectness: layout.objectness ? from(4) : null,
        objectnessUse: layout.objectness ? "gate" : "none",
      },
    },
    extras: { ...from(scores + classes), candidates },
  };
}
