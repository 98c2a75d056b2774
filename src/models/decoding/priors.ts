/**
 * Boxes as offsets from priors, boxes that belong to the candidates of a network, the same in every picture: as in SSD (Liu et al., 2016),
 * with its variances, and in YOLACT. The same bits as the addon's (native/detection/priors.h).
 */
import type { Size } from "../../imaging/index.js";
import { exp } from "./exponential.js";

const { fround } = Math;

type Numbers = readonly [number, number, number, number];

/** How far offsets move centres, and stretch sides. */
const [CENTRE_VARIANCE, SIZE_VARIANCE] = [fround(0.1), fround(0.2)];

const stretchedSide = (priorSide: number, offset: number): number => fround(priorSide * fround(exp(fround(offset * SIZE_VARIANCE))));

const startOfSide = (priorCentre: number, priorSide: number, offset: number, side: number): number =>
  fround(fround(priorCentre + fround(fround(offset * CENTRE_VARIANCE) * priorSide)) - fround(side / 2));

/** Corners in pixels from a prior (centre and size, as fractions of the network's input) and an offset for each of its four numbers. */
export function boxFromPrior([cx, cy, priorWidth, priorHeight]: Numbers, [dx, dy, dw, dh]: Numbers, input: Size): Numbers {
  const [width, height] = [stretchedSide(priorWidth, dw), stretchedSide(priorHeight, dh)];
  const [left, top] = [startOfSide(cx, priorWidth, dx, width), startOfSide(cy, priorHeight, dy, height)];
  return [
    fround(left * input.width),
    fround(top * input.height),
    fround(fround(left + width) * input.width),
    fround(fround(top + height) * input.height),
  ];
}
