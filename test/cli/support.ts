import { ImageDecodingError } from "../../src/errors.js";
import { run } from "../../src/cli/run.js";
import type { LoadedModel, PredictOptions, Services } from "../../src/cli/services.js";
import { createDetections } from "../../src/results/index.js";
import type { Result } from "../../src/results/index.js";

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  readonly services?: Partial<Services>;
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
}

/** Runs the command line in this process, with everything it writes. */
export async function runCli(
  argv: readonly string[],
  { services = {}, env = {}, tty = false, signal }: RunSettings = {},
): Promise<Captured> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text), isTTY: tty });
  const io = { stdout: stream("stdout"), stderr: stream("stderr"), env, ...(signal === undefined ? {} : { signal }) };
  const refuse = (): never => {
    throw new Error("This test does not expect that the command gets this far.");
  };
  const all: Services = {
    loadModel: refuse,
    loadReader: refuse,
    describeEnvironment: refuse,
    describeModel: refuse,
    describeModelPackage: refuse,
    planLoading: refuse,
    downloadModel: refuse,
    compileModel: refuse,
    planCompilation: refuse,
    inspectEngine: refuse,
    listCache: refuse,
    verifyCache: refuse,
    removeFromCache: refuse,
    pruneCache: refuse,
    buildNative: refuse,
  };
  const code = await run(argv, io, { ...all, ...services });
  return { code, ...written };
}

/** What the fake model says about a picture of 200 x 150. */
export function carResult(source: string): Result {
  return createDetections({
    image: { width: 200, height: 150, source, exifOrientation: 1, orientationApplied: false },
    xyxy: Int32Array.from([10, 20, 110, 70, 5, 6, 7, 8]),
    classId: Int32Array.from([1, 9]),
    confidence: Float32Array.from([0.93, 0.5]),
    classNames: ["person", "car"],
    timings: { decodeImageMs: 1, preprocessMs: 2, inferenceMs: 3.25, postprocessMs: 0.5, totalMs: 6.75 },
  });
}

export interface FakeModel extends LoadedModel {
  readonly calls: { readonly image: string; readonly options: PredictOptions }[];
  closed: boolean;
}

/** A model that sees two things in every picture, except in those whose name says "broken". */
export function fakeModel(answer: (image: string, options: PredictOptions) => Promise<Result> | Result = carResult): FakeModel {
  const calls: FakeModel["calls"] = [];
  return {
    calls,
    closed: false,
    task: "object-detection",
    info: {
      id: "cars/1",
      packageId: "package-7",
      architecture: "yolov8",
      variant: "yolov8n",
      backend: "onnx",
      engine: "onnxruntime",
      engineVersion: "1.30.0",
      executionProviders: ["cpu"],
      device: "cpu",
      preprocessExecutor: "cpu",
      decodeExecutor: "reference",
      inputSize: { width: 640, height: 640 },
    },
    async predict(image, options) {
      calls.push({ image, options });
      if (image.includes("broken")) throw new ImageDecodingError("The file is truncated. Download it again.", { source: image });
      return answer(image, options);
    },
    close() {
      this.closed = true;
      return Promise.resolve();
    },
  };
}

export const serving = (model: LoadedModel): Partial<Services> => ({ loadModel: () => Promise.resolve(model) });
