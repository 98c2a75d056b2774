/** Key points: a family is a layout of outputs, as for detectors, with points behind the attributes of each candidate. */
import { CorruptedModelPackageError } from "../../errors.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { mapPointsBack, roundHalfEven, type Geometry } from "../../imaging/index.js";
import { parseKeyPointsMetadata } from "../../packages/index.js";
import type { KeyPointsMetadata } from "../../packages/index.js";
import type { Decoder, LocatedInstances } from "../decoding/index.js";
import type {
  KeyPointColumns,
  KeyPointDefaults,
  KeyPointDescription,
  KeyPointFamily,
  PackageContents,
  ResolvedKeyPointOptions,
} from "../family.js";
import {
  describePackage,
  detectionColumns,
  packageFacts,
  settingsOf,
  type DetectorLayout,
  type Laidout,
  type LayoutContext,
  type PackageRules,
} from "./detector.js";
import type { HeadLayout, HeadPart } from "./head.js";
import { locateInstances, obstacleToPoints, pointsRequest, type PointsLayout } from "./points.js";

const METADATA = "keypoints_metadata.json";
/** x, y, confidence. */
export const NUMBERS_A_POINT = 3;

export interface KeyPointContext extends LayoutContext {
  /** By reported class id. */
  readonly keyPoints: KeyPointsMetadata;
}

export interface KeyPointLayout {
  readonly defaults: KeyPointDefaults;
  readonly boxes: DetectorLayout["boxes"];
  /** Whether points end at the picture's borders, as boxes do. */
  readonly clampsPoints: boolean;
  /** Whether the network says how precisely it knows each point. */
  readonly saysCovariance: boolean;
  readonly keyPoints: KeyPointsMetadata;
  /** @throws CorruptedModelPackageError when the ports cannot belong to this layout. */
  check(outputs: readonly TensorPort[]): void;
  readonly points: PointsLayout;
}

export const slotsOf = ({ names }: KeyPointsMetadata): number => Math.max(...names.map(({ length }) => length));

/** A YOLO head whose last attributes are three numbers a point. */
export function pointsLayout(
  keyPoints: KeyPointsMetadata,
  layout: {
    readonly defaults: KeyPointDefaults;
    readonly check: (outputs: readonly TensorPort[]) => void;
    readonly head: HeadLayout;
    readonly points: HeadPart;
  },
): KeyPointLayout {
  const { defaults, check, head, points } = layout;
  return {
    defaults,
    boxes: "pixels",
    clampsPoints: false,
    saysCovariance: false,
    keyPoints,
    check,
    points: { kind: "candidates", head, points },
  };
}

/** Saturates where an Int32Array would wrap around. */
const toInt32 = (value: number): number => Math.min(Math.max(roundHalfEven(value), -(2 ** 31)), 2 ** 31 - 1);

/** Outputs of one picture to columns in the original picture. */
export async function decodeKeyPoints(
  layout: KeyPointLayout,
  outputs: readonly Tensor[],
  image: number,
  geometry: Geometry,
  options: ResolvedKeyPointOptions,
  decoder: Decoder,
): Promise<KeyPointColumns> {
  const slots = slotsOf(layout.keyPoints);
  const located = await locateInstances(layout.points, slots, outputs, image, geometry, settingsOf(options), decoder);
  return keyPointColumns(layout, located, geometry, options);
}

/** To the original picture; points that a class does not have, or that are unsure, become nothing. */
function keyPointColumns(
  layout: KeyPointLayout,
  { rows, keyPoints }: LocatedInstances,
  geometry: Geometry,
  options: ResolvedKeyPointOptions,
): KeyPointColumns {
  const { confidence, covariance } = keyPoints;
  const slots = slotsOf(layout.keyPoints);
  const threshold = Math.fround(options.keyPointThreshold);
  const mapped = mapPointsBack(keyPoints.points, geometry, { clamp: layout.clampsPoints });
  confidence.forEach((value, place) => {
    const names = layout.keyPoints.names[rows.classIds[Math.floor(place / slots)] ?? -1] ?? [];
    if (place % slots < names.length && value >= threshold) return;
    confidence[place] = 0;
    mapped.fill(0, 2 * place, 2 * place + 2);
    covariance.fill(Number.NaN, 4 * place, 4 * place + 4);
  });
  return {
    ...detectionColumns(rows, geometry, layout.boxes, options),
    points: options.rounding === "none" ? mapped : Int32Array.from(mapped, toInt32),
    pointConfidence: confidence,
    covariance: layout.saysCovariance ? covariance : null,
  };
}

function readMetadata({ texts }: PackageContents, { remapping }: LayoutContext): KeyPointsMetadata {
  const file = texts[METADATA];
  if (file === undefined) throw new CorruptedModelPackageError(`This architecture needs ${METADATA}.`, { kind: "config" });
  return parseKeyPointsMetadata(file.text, { path: file.path }, remapping);
}

export function keyPointFamily({
  layout: makeLayout,
  ...rules
}: PackageRules & { readonly layout: (context: KeyPointContext) => KeyPointLayout }): KeyPointFamily<
  KeyPointDescription & Laidout<KeyPointLayout>
> {
  const facts = packageFacts(rules);
  return {
    task: "keypoint-detection",
    ...facts,
    files: [...facts.files, METADATA],
    describe(contents, network) {
      const description = describePackage(
        (context) => makeLayout({ ...context, keyPoints: readMetadata(contents, context) }),
        rules,
        contents,
        network,
      );
      const { names, skeletons } = description.layout.keyPoints;
      return {
        ...description,
        slots: slotsOf(description.layout.keyPoints),
        skeletons: names.map((points, id) => ({ name: description.classNames[id] ?? "", points, edges: skeletons[id] ?? [] })),
      };
    },
    decode: (outputs, image, geometry, description, options, decoder) =>
      decodeKeyPoints(description.layout, outputs, image, geometry, options, decoder),
    onDevice: {
      kind: "detections",
      obstacle: ({ layout: { points } }, outputs) => obstacleToPoints(points, outputs),
      request: ({ layout, slots }, _outputs, pictures, options) => pointsRequest(layout.points, slots, pictures, settingsOf(options)),
      finish: ({ rows, keyPoints }, geometry, { layout }, options) =>
        keyPoints === undefined ? null : keyPointColumns(layout, { rows, keyPoints }, geometry, options),
    },
  };
}
