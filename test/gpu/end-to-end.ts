/** A frame of a camera to detections: uploading, preparing, network, decoding and downloading, as a caller waits for it. */
import { TensorRtEngine, type DetectionRequest, type PictureBatch } from "../../src/engines/index.js";
import { noise, resize, stepsFor } from "./preprocessing.js";
import type { Report } from "./report.js";
import { Times } from "./times.js";

const FRAME = { width: 1920, height: 1080 };

type Sizes = readonly (number | string)[];

/** As YOLOv8 hands it out, boxes and classes of a candidate below each other; coefficients of masks behind them where planes follow. */
function yoloHead([attributes, candidates]: Sizes, planes: Sizes | undefined): DetectionRequest["head"] | null {
  if (typeof attributes !== "number" || typeof candidates !== "number" || attributes < 5 || candidates <= attributes) return null;
  const extras = planes?.length === 4 && typeof planes[1] === "number" ? planes[1] : 0;
  if (attributes < 5 + extras) return null;
  const part = (from: number) => ({ output: 0, attributes: "first", from }) as const;
  return { kind: "dense", boxes: part(0), boxFormat: "cxcywh", scores: part(4), extras, objectness: null, objectnessUse: "none" };
}

/** The head that outputs of these shapes are taken for: YOLOv8's, rows after NMS in the graph, RF-DETR's; null for others. */
export function recognizeHead(outputs: readonly Sizes[]): DetectionRequest["head"] | null {
  const [first = [], second] = outputs;
  if (first.length !== 3) return null;
  if (first[2] === 4 && second?.length === 3 && second[1] === first[1] && typeof second[2] === "number") {
    return { kind: "queries", boxes: 0, logits: 1, classMapping: Int32Array.from({ length: second[2] }, (_, id) => id) };
  }
  if (first[2] === 6) return { kind: "rows", output: 0, inclusive: false };
  return yoloHead(first.slice(1), second);
}

/** A picture of a camera's size within the engine's first input; null where that takes no pictures. */
export function frameFor(engine: TensorRtEngine, batch: number): PictureBatch | null {
  const [port] = engine.inputs;
  const [, channels, height = 0, width = 0] = engine.profiles[engine.profile]?.[port?.name ?? ""]?.optimum ?? [];
  if (engine.inputs.length !== 1 || channels !== 3 || width === 0 || height === 0) return null;
  if (port?.type !== "float32" && port?.type !== "float16") return null;
  const image = noise(FRAME.width, FRAME.height, 3);
  const scale = Math.min(width / FRAME.width, height / FRAME.height);
  const [inner, outer] = [Math.max(1, Math.round(FRAME.width * scale)), Math.max(1, Math.round(FRAME.height * scale))];
  const place = [width, height, (width - inner) >> 1, (height - outer) >> 1] as const;
  const steps = stepsFor(image, [resize("linear", [inner, outer], place)]);
  return { dims: [batch, 3, height, width], pictures: Array.from({ length: batch }, () => ({ image, steps })) };
}

export async function measureEndToEnd(
  path: string,
  { device, runs }: { readonly device: number; readonly runs: number },
  report: Report,
): Promise<void> {
  await using engine = await TensorRtEngine.load(path, { device, preparesPictures: true, decodesOutputs: true });
  const head = recognizeHead(engine.outputs.map(({ dims }) => dims ?? []));
  const least = engine.profiles[engine.profile]?.[engine.inputs[0]?.name ?? ""]?.minimum[0] ?? 1;
  const frame = frameFor(engine, least);
  if (head === null || frame === null) {
    const what = head === null ? "outputs are of no detection head that is known here" : "input takes no pictures";
    report.note(`Not measured: a picture to detections. The engine's ${what}.`);
    return;
  }
  const settings = { thresholds: Float32Array.of(0.25), iouThreshold: 0.45, classAgnostic: false, maxDetections: 300 };
  const request = { head, settings, pictures: frame.pictures.length };
  const { pictures } = await engine.runDetections!(frame, request);
  const found = pictures.reduce((sum, { rows }) => sum + rows.scores.length, 0);
  const times = await Times.of(runs, () => engine.runDetections!(frame, request));
  const what = `${least} of ${FRAME.width}x${FRAME.height} to ${found} detections (${head.kind} head), all included`;
  report.figure(what, `${times.toString()}, one at a time`);
}
