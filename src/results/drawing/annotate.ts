import { InvalidParameterError } from "../../errors.js";
import { requireKnownOptions } from "../../options.js";
import type { RawPixels } from "../../imaging/types.js";
import type {
  Box,
  ClassScore,
  Detection,
  Detections,
  Gaze,
  Instance,
  InstanceDetections,
  KeyPointInstance,
  KeyPoints,
  Result,
  SemanticSegmentation,
  TextResult,
} from "../types.js";
import { Canvas } from "./canvas.js";
import type { Area } from "./canvas.js";
import { decodeFor } from "./files.js";
import type { Segment } from "./font.js";
import { drawClassMap, drawDepthMap } from "./maps.js";
import { BLACK, colourOfClass, WHITE } from "./palette.js";
import { drawText } from "./text.js";
import type { Colour } from "./palette.js";

export interface AnnotateOptions {
  /** Text of the tag; null = no tag. Default: class name and confidence, "face 0.93". */
  readonly label?: (detection: Detection) => string | null;
  /** Default: a fixed colour for each class id. */
  readonly colour?: (detection: Detection) => Colour;
  /** Multiplies line widths and text; default 1, which suits a picture seen as a whole. Above 0. */
  readonly scale?: number;
  /** Default true. */
  readonly boxes?: boolean;
  /** Default true. */
  readonly masks?: boolean;
}

/** An annotated picture: RGB, 8 bits. */
export interface AnnotatedPicture extends RawPixels {
  readonly data: Uint8Array;
  readonly channels: 3;
  readonly colorFormat: "rgb";
}

interface Style {
  readonly line: number;
  /** Pixels per unit of the font's grid. */
  readonly textUnit: number;
  readonly label: (detection: Detection) => string | null;
  readonly colour: (detection: Detection) => Colour;
  readonly boxes: boolean;
  readonly masks: boolean;
}

const OUTLINE_OPACITY = 0.45;
const MASK_OPACITY = 0.4;

const nameOf = (className: string, classId: number): string => (className === "" ? `class ${classId}` : className);

function defaultLabel({ className, classId, confidence }: Detection): string {
  return `${nameOf(className, classId)} ${confidence.toFixed(2)}`;
}

const defaultColour = ({ classId }: Detection): Colour => colourOfClass(classId);

function styleFor(width: number, height: number, options: AnnotateOptions): Style {
  requireKnownOptions(options, ["label", "colour", "scale", "boxes", "masks"] satisfies readonly (keyof AnnotateOptions)[], "annotate");
  const { scale = 1, label = defaultLabel, colour = defaultColour, boxes = true, masks = true } = options;
  if (!(Number.isFinite(scale) && scale > 0))
    throw new InvalidParameterError(`Option "scale" must be above 0 but is ${String(scale)}.`, { parameter: "scale" });
  // Line and text grow with the picture, so that they look alike once it is fitted to a screen; in small ones they stay legible.
  const size = Math.sqrt(width * height) / 640;
  return {
    line: Math.max(1, Math.round(2.4 * Math.max(0.6, size) * scale)),
    textUnit: 1.25 * Math.max(0.85, size) * scale,
    label,
    colour,
    boxes,
    masks,
  };
}

const areaOf = ({ x1, y1, x2, y2 }: Box): Area => ({ left: x1, top: y1, right: x2, bottom: y2 });
const grow = ({ left, top, right, bottom }: Area, by: number): Area => ({
  left: left - by,
  top: top - by,
  right: right + by,
  bottom: bottom + by,
});

/** Corners of a region that its network found at any angle, in `data.polygon`; null where there is only the box. */
function polygonOf({ data }: Detection): readonly Segment[] | null {
  const polygon = data["polygon"];
  if (!Array.isArray(polygon) || polygon.length < 3) return null;
  const corners = polygon as readonly unknown[];
  if (!corners.every((corner): corner is readonly [number, number] => Array.isArray(corner) && corner.every(Number.isFinite))) return null;
  return corners.map(([x1, y1], index) => {
    const [x2, y2] = corners[(index + 1) % corners.length] as readonly [number, number];
    return { x1, y1, x2, y2 };
  });
}

function drawBox(canvas: Canvas, detection: Detection, style: Style): void {
  const polygon = polygonOf(detection);
  if (polygon !== null) {
    canvas.strokeSegments(polygon, style.line + 2, BLACK, OUTLINE_OPACITY);
    canvas.strokeSegments(polygon, style.line, style.colour(detection));
    return;
  }
  const area = grow(areaOf(detection.box), Math.floor(style.line / 2));
  // A dark hairline keeps bright frames visible on bright ground.
  canvas.strokeRectangle(grow(area, 1), 1, BLACK, OUTLINE_OPACITY);
  canvas.strokeRectangle(area, style.line, style.colour(detection));
}

function drawTag(canvas: Canvas, detection: Detection, style: Style): void {
  const text = style.label(detection);
  if (text === null || text === "") return;
  const box = grow(areaOf(detection.box), style.boxes ? Math.floor(style.line / 2) : 0);
  drawText(canvas, text, style.textUnit, style.colour(detection), ({ width, height }) => ({
    // Above the box; inside it where there is no room above; never beyond the sides of the picture.
    left: Math.round(Math.max(0, Math.min(box.left, canvas.width - width))),
    top: Math.round(box.top - height >= 0 ? box.top - height : Math.max(0, box.top)),
  }));
}

interface Label {
  readonly text: string;
  readonly colour: Colour;
}

const scoredLabel = ({ className, classId, confidence }: ClassScore): Label => ({
  text: `${nameOf(className, classId)} ${confidence.toFixed(2)}`,
  colour: colourOfClass(classId),
});

/** The classes that have pixels. */
function mapLegend(map: SemanticSegmentation): readonly Label[] {
  return Array.from(map.pixelsPerClass().entries()).flatMap(([id, pixels]) =>
    pixels === 0 || id === map.backgroundId ? [] : [{ text: nameOf(map.classNames[id] ?? "", id), colour: colourOfClass(id) }],
  );
}

/** One tag below the other in the upper left corner. */
function drawLabels(canvas: Canvas, labels: readonly Label[], style: Style): void {
  let top = 0;
  for (const { text, colour } of labels) {
    if (top >= canvas.height) return;
    top = drawText(canvas, text, style.textUnit, colour, () => ({ left: 0, top })).bottom;
  }
}

function drawSkeleton(
  canvas: Canvas,
  { detection, points }: KeyPointInstance,
  edges: readonly (readonly [number, number])[],
  style: Style,
): void {
  const colour = style.colour(detection);
  const segments = edges.flatMap(([from, to]) => {
    const [a, b] = [points[from], points[to]];
    // Pixel i spans i to i + 1: its middle is where a point is.
    return a?.visible === true && b?.visible === true ? [{ x1: a.x + 0.5, y1: a.y + 0.5, x2: b.x + 0.5, y2: b.y + 0.5 }] : [];
  });
  canvas.strokeSegments(segments, style.line + 2, BLACK, OUTLINE_OPACITY);
  canvas.strokeSegments(segments, style.line, colour);
  for (const { x, y, visible } of points) {
    if (!visible) continue;
    canvas.fillDisc(x + 0.5, y + 0.5, style.line * 1.6 + 1, BLACK, OUTLINE_OPACITY);
    canvas.fillDisc(x + 0.5, y + 0.5, style.line * 1.6, WHITE);
    canvas.fillDisc(x + 0.5, y + 0.5, style.line * 0.95, colour);
  }
}

/** The pixels of the mask under a veil of its colour, and a line around each of its parts. */
function drawMask(canvas: Canvas, instance: Instance, style: Style): void {
  const { bounds } = instance.mask;
  if (bounds === null) return;
  const colour = style.colour(instance);
  canvas.fillPixels(instance.mask.toDense(), bounds, colour, MASK_OPACITY);
  for (const polygon of instance.mask.toPolygons()) canvas.strokeSegments(closedLine(polygon), Math.max(1, style.line * 0.75), colour);
}

function closedLine(polygon: readonly number[]): Segment[] {
  return Array.from({ length: polygon.length / 2 }, (_, corner) => {
    const next = (2 * corner + 2) % polygon.length;
    return { x1: polygon[2 * corner] ?? 0, y1: polygon[2 * corner + 1] ?? 0, x2: polygon[next] ?? 0, y2: polygon[next + 1] ?? 0 };
  });
}

function drawDetections(canvas: Canvas, result: Detections | InstanceDetections | KeyPoints, style: Style): void {
  const detections = [...(result.kind === "detections" ? result : result.detections)].reverse();
  if (result.kind === "instance-detections" && style.masks) for (const instance of [...result].reverse()) drawMask(canvas, instance, style);
  // The best detection last, and all tags after all boxes: what matters most stays on top.
  if (style.boxes) for (const detection of detections) drawBox(canvas, detection, style);
  if (result.kind === "key-points") {
    for (const instance of [...result].reverse())
      drawSkeleton(canvas, instance, result.classes[instance.detection.classId]?.edges ?? [], style);
  }
  for (const detection of detections) drawTag(canvas, detection, style);
}

/** An arrow's share of the picture's shorter side, when the face looks to the side. */
const ARROW = 0.45;

/** From the middle of the face in the direction of its look, as it is projected onto the picture. */
function drawGaze(canvas: Canvas, { yaw, pitch }: Gaze, style: Style): void {
  const [x, y] = [canvas.width / 2, canvas.height / 2];
  const length = ARROW * Math.min(canvas.width, canvas.height);
  // Negative yaw looks to the left of the picture, negative pitch up.
  const tip = { x: x + length * Math.sin(yaw) * Math.cos(pitch), y: y + length * Math.sin(pitch) };
  const shaft = [{ x1: x, y1: y, x2: tip.x, y2: tip.y }];
  canvas.strokeSegments(shaft, style.line + 2, BLACK, OUTLINE_OPACITY);
  canvas.strokeSegments(shaft, style.line, colourOfClass(0));
  canvas.fillDisc(tip.x, tip.y, style.line * 1.6, colourOfClass(0));
}

/** Tags say what was read, unless the caller has labels of its own. */
function readStyle(style: Style, { lines }: TextResult): Style {
  return style.label === defaultLabel ? { ...style, label: ({ index }) => lines[index]?.text ?? null } : style;
}

/** A copy of the pixels as RGB. */
function toRgb({ data, width, height, channels, colorFormat }: RawPixels): Uint8Array {
  if (data.length !== width * height * channels) {
    throw new InvalidParameterError(
      `A picture of ${width}x${height} with ${channels} channels has ${width * height * channels} values, not ${data.length}.`,
      {
        parameter: "picture",
      },
    );
  }
  if (channels === 3 && colorFormat === "rgb") return Uint8Array.from(data);
  const rgb = new Uint8Array(width * height * 3);
  const [red, green, blue] = channels === 1 ? [0, 0, 0] : colorFormat === "rgb" ? [0, 1, 2] : [2, 1, 0];
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb[pixel * 3] = data[pixel * channels + red] ?? 0;
    rgb[pixel * 3 + 1] = data[pixel * channels + green] ?? 0;
    rgb[pixel * 3 + 2] = data[pixel * channels + blue] ?? 0;
  }
  return rgb;
}

/**
 * Draws a result over its picture: boxes with tags, masks, key points with their skeletons, labels of the whole picture in its corner,
 * classes of pixels as a coat of colour, distances as a colour map. An embedding leaves the picture as it is.
 * The picture itself is not changed.
 *
 * Raw pixels need nothing but this package; a path is decoded with sharp, turned upright exactly if the result's picture was.
 * Labels are drawn with a built-in font of Latin letters: other scripts appear as boxes, unless `label` says something else.
 *
 * @throws InvalidParameterError when picture and result do not have the same size. MissingDependencyError without sharp.
 */
export async function annotate(picture: RawPixels | string, result: Result, options: AnnotateOptions = {}): Promise<AnnotatedPicture> {
  const pixels = typeof picture === "string" ? await decodeFor(picture, result.image) : picture;
  const { width, height } = pixels;
  if (width !== result.image.width || height !== result.image.height) {
    throw new InvalidParameterError(
      `The picture is ${width}x${height}, but the result belongs to one of ${result.image.width}x${result.image.height}. Pass the picture that was predicted on.`,
      { parameter: "picture" },
    );
  }
  const canvas = new Canvas(toRgb(pixels), width, height);
  const style = styleFor(width, height, options);
  switch (result.kind) {
    case "detections":
    case "instance-detections":
    case "key-points":
      drawDetections(canvas, result, style);
      break;
    case "classification":
      drawLabels(canvas, [scoredLabel(result)], style);
      break;
    case "multi-label-classification":
      drawLabels(canvas, result.labels.map(scoredLabel), style);
      break;
    case "semantic-segmentation":
      drawClassMap(canvas, result);
      drawLabels(canvas, mapLegend(result), style);
      break;
    case "gaze":
      drawGaze(canvas, result, style);
      break;
    case "text":
      if (result.detections !== null) drawDetections(canvas, result.detections, readStyle(style, result));
      break;
    case "depth":
      drawDepthMap(canvas, result);
      break;
    case "embedding": // Numbers without a place in the picture.
      break;
  }
  return { data: canvas.pixels, width, height, channels: 3, colorFormat: "rgb" };
}
