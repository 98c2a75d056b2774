/**
 * RF-DETR with key points. Every query has a block of points for each class column, and says of each point how precisely it
 * knows it: as the logarithmic diagonal and the lower element of the Cholesky factor of the precision matrix.
 */
import { configuration } from "../../configuration.js";
import { settingsOf } from "./detector.js";
import { keyPointFamily, slotsOf, type KeyPointContext, type KeyPointLayout } from "./key-points.js";
import { floatData, requireOutput, requireRank, wrongNetwork } from "./outputs.js";
import { queriesReader, RFDETR_RULES, rfdetrLayout } from "./rfdetr.js";

const MEANING = "key points [batch, queries, classes x slots, 7 or more]";
const LEAST_NUMBERS = 7;

/** @throws CorruptedModelPackageError; null is a size that varies. */
function checkPoints(rows: number | null, columns: number | null, slots: number, numbers: number | null): void {
  if (rows !== null && columns !== null && rows !== columns * slots)
    throw wrongNetwork(`The network has ${rows} rows of key points; ${columns} class columns of ${slots} points were expected.`);
  if (numbers !== null && numbers < LEAST_NUMBERS)
    throw wrongNetwork(`The network has ${numbers} numbers a key point; at least ${LEAST_NUMBERS} were expected.`);
}

export function rfdetrKeyPointsLayout({ keyPoints, ...context }: KeyPointContext): KeyPointLayout {
  const detector = rfdetrLayout(context);
  const read = queriesReader(context);
  const slots = slotsOf(keyPoints);
  return {
    defaults: { ...detector.defaults, keyPointThreshold: configuration().defaults.rfdetr.keyPointsThreshold },
    boxes: detector.boxes,
    clampsPoints: true,
    saysCovariance: true,
    keyPoints,
    check(outputs) {
      detector.check(outputs);
      const [, , columns = null] = requireOutput(outputs, 1, 3, "logits [batch, queries, classes]");
      const [, , rows = null, numbers = null] = requireOutput(outputs, 2, 4, MEANING);
      checkPoints(rows, columns, slots, numbers);
    },
    async locate(outputs, image, geometry, options, decoder) {
      const head = read(outputs, image);
      const points = floatData(outputs, 2);
      const [, , rows = 0, numbers = 0] = requireRank(points.dims, 4, MEANING);
      checkPoints(rows, head.classes, slots, numbers);
      const size = geometry.nonsquareIntermediateSize ?? geometry.inferenceSize;
      const covarianceSize = { width: size.width / geometry.scaleWidth, height: size.height / geometry.scaleHeight };
      const pointsOffset = image * head.queries * rows * numbers;
      return decoder.decodeKeyPointQueries(
        { ...head, points: points.data, pointsOffset, slots, numbers, size, covarianceSize },
        settingsOf(options),
      );
    },
  };
}

export const family = keyPointFamily({ layout: rfdetrKeyPointsLayout, ...RFDETR_RULES });
