/** A decoder whose detections come from the kernels behind an engine, on the stand-in of TensorRT, whose networks hand out their input. */
import { TensorRtEngine, type DetectionRequest } from "../../src/engines/index.js";
import { cpuDecoder, type Decoder, type DecodeSettings, type DenseHead, type DetectionRows } from "../../src/models/decoding/index.js";
import type { NativeAddon, NativeMatrix } from "../../src/native/index.js";
import { fakePlan } from "./nvidia-fakes.js";

type Run = readonly [lines: readonly string[], dims: readonly number[], data: Float32Array, head: DetectionRequest["head"]];

function valueAt({ data, offset, candidateStride, attributeStride }: NativeMatrix, candidate: number, attribute: number): number {
  return data[offset + candidate * candidateStride + attribute * attributeStride] ?? Number.NaN;
}

/** Boxes, objectness and classes side by side in one output, by attribute where the head is laid out so, else by candidate. */
function denseRun(head: DenseHead): Run {
  const { candidates, classes, boxes, scores, objectness } = head;
  const parts: readonly (readonly [NativeMatrix, number])[] = [
    [boxes, 4],
    ...(objectness === null ? [] : [[objectness, 1] as const]),
    [scores, classes],
  ];
  const columns = parts.flatMap(([matrix, count]) => Array.from({ length: count }, (_, attribute) => [matrix, attribute] as const));
  const first = scores.candidateStride === 1;
  const dims = first ? [1, columns.length, candidates] : [1, candidates, columns.length];
  const data = new Float32Array(columns.length * candidates);
  for (const [column, [matrix, attribute]] of columns.entries()) {
    for (let candidate = 0; candidate < candidates; candidate++)
      data[first ? column * candidates + candidate : candidate * columns.length + column] = valueAt(matrix, candidate, attribute);
  }
  const { boxFormat, priors } = head;
  // Another output, behind the first in the numbers of the input.
  const behind = priors === undefined ? [] : Array.from({ length: 4 * candidates }, (_, i) => valueAt(priors, Math.floor(i / 4), i % 4));
  const all = Float32Array.of(...data, ...behind);
  const from = (attribute: number) => ({ output: 0, attributes: first ? "first" : "last", from: attribute }) as const;
  const outputs = [`out head 0 3 ${dims.join(" ")}`, ...(priors === undefined ? [] : [`out priors 0 2 ${candidates} 4 at ${data.length}`])];
  return [
    [`in values 0 2 1 ${all.length}`, ...outputs],
    [1, all.length],
    all,
    {
      kind: "dense",
      boxes: from(0),
      boxFormat,
      ...(priors === undefined ? {} : { priors: { output: 1, inputSize: priors.inputSize } }),
      scores: from(objectness === null ? 4 : 5),
      extras: 0,
      objectness: objectness === null ? null : from(4),
      objectnessUse: head.objectnessUse,
    },
  ];
}

export interface DeviceDecoder extends Decoder, AsyncDisposable {
  /** How many heads the device has decoded, by kind: "dense xyxy", "rows" and so on. */
  readonly decoded: ReadonlyMap<string, number>;
}

export function deviceDecoder(addon: NativeAddon): DeviceDecoder {
  const engines = new Map<string, Promise<TensorRtEngine>>();
  const decoded = new Map<string, number>();
  async function run([lines, dims, data, head]: Run, settings: DecodeSettings): Promise<DetectionRows> {
    const key = lines.join("\n");
    const engine = engines.get(key) ?? TensorRtEngine.load(fakePlan([10, 15, 1, 29], lines), { decodesDetections: true });
    engines.set(key, engine);
    const { runDetections } = await engine;
    const { pictures } = await runDetections!({ values: { type: "float32", dims, data } }, { head, settings, pictures: 1 });
    const kind = head.kind === "dense" ? `dense ${head.boxFormat}` : head.kind;
    decoded.set(kind, (decoded.get(kind) ?? 0) + 1);
    return pictures[0]!.rows;
  }
  return {
    ...cpuDecoder(addon),
    name: "cuda",
    decoded,
    decodeDense: (head, settings) => run(denseRun(head), settings),
    decodeQueries({ boxes, boxesOffset, logits, logitsOffset, queries, classes, classMapping }, settings) {
      const [ofBoxes, ofLogits] = [queries * 4, queries * classes];
      const data = new Float32Array(ofBoxes + ofLogits);
      data.set(boxes.subarray(boxesOffset, boxesOffset + ofBoxes));
      data.set(logits.subarray(logitsOffset, logitsOffset + ofLogits), ofBoxes);
      const lines = [
        `in values 0 2 1 ${data.length}`,
        `out dets 0 3 1 ${queries} 4`,
        `out labels 0 3 1 ${queries} ${classes} at ${ofBoxes}`,
      ];
      return run([lines, [1, data.length], data, { kind: "queries", boxes: 0, logits: 1, classMapping }], settings);
    },
    decodeRows({ data, offset, rows, columns, inclusive }, settings) {
      const shape = `0 3 1 ${rows} ${columns}`;
      return run(
        [
          [`in values ${shape}`, `out rows ${shape}`],
          [1, rows, columns],
          data.slice(offset, offset + rows * columns),
          { kind: "rows", output: 0, inclusive },
        ],
        settings,
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...engines.values()].map(async (engine) => (await engine).close()));
    },
  };
}
