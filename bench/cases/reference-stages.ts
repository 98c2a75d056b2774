import { existsSync } from "node:fs";
import { join } from "node:path";

import { AutoModel, type DetectionOptions, type Timings } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";
import { perfFixture, pixels } from "../fixtures.js";
import { summarize, Unavailable, type Case, type Claim, type Measurement } from "../measure.js";
import { startPythonPeer } from "../peers/python-peer.js";

/** Made by hand, since it takes some gigabytes: `python3 -m venv build/reference-venv` and its pip install "inference-models[onnx-cpu]==0.36.0". */
const PYTHON = join(packageRoot, "build", "reference-venv", "bin", "python");

/** As in reference_stages.py. */
const REPETITIONS = 5;

interface Stages {
  readonly name: string;
  readonly directory: () => string;
  /** Of the call, and what the Python library calls them. */
  readonly options: DetectionOptions;
  readonly referenceOptions: Readonly<Record<string, unknown>>;
  /** How much faster than the reference a stage has to be. */
  readonly wanted: { readonly preprocess: number; readonly postprocess: number };
}

/** What happens before and after the network, here and in the Python library, with the same weights and picture, so on the same arrays. */
function stagesCase({ name, directory, options, referenceOptions, wanted }: Stages): Case {
  return {
    name: `stages of ${name} beside the Python library's, 1280x720 picture in memory`,
    async run(quick) {
      if (!existsSync(PYTHON))
        throw new Unavailable("the Python library is not there (bench/cases/reference-stages.ts says how to get it)");
      const path = perfFixture("photo_1280x720.png");
      const picture = await pixels(path, "bgr");
      await using model = await AutoModel.fromPretrained(directory());
      const peer = await startPythonPeer(PYTHON, "reference_stages.py", [directory(), path, JSON.stringify(referenceOptions)]);
      /** As the other side does it: back to back, since after a pause the first call pays for cold caches. */
      const predictRepeatedly = async (): Promise<{ readonly preprocess: number; readonly postprocess: number }> => {
        const all: Timings[] = [];
        for (let index = 0; index < REPETITIONS; index++) {
          const { timings } = await model.predict(picture, options);
          if (timings !== null) all.push(timings);
        }
        const median = (values: readonly number[]): number => summarize("", values).median;
        return { preprocess: median(all.map((one) => one.preprocessMs)), postprocess: median(all.map((one) => one.postprocessMs)) };
      };
      const samples = { preprocess: [] as number[], postprocess: [] as number[] };
      const reference = { preprocess: [] as number[], postprocess: [] as number[] };
      try {
        for (let round = -2; round < (quick ? 5 : 20); round++) {
          const own = await predictRepeatedly();
          const [before, after] = (await peer.once()) as [number, number];
          if (round < 0) continue;
          samples.preprocess.push(own.preprocess);
          samples.postprocess.push(own.postprocess);
          reference.preprocess.push(before);
          reference.postprocess.push(after);
        }
      } finally {
        peer.stop();
      }
      const measurements: Measurement[] = [];
      const claims: Claim[] = [];
      for (const stage of ["preprocess", "postprocess"] as const) {
        const [own, theirs] = [summarize(stage, samples[stage]), summarize(`${stage}, Python library`, reference[stage])];
        measurements.push(own, theirs);
        claims.push({ text: `${stage}: Python library / this`, value: theirs.median / own.median, comparison: ">=", bound: wanted[stage] });
      }
      return { measurements, claims };
    },
  };
}

const fixture = (name: string) => (): string => {
  const directory = join(packageRoot, "..", "shared", "fixtures", "packages", name);
  if (!existsSync(directory)) throw new Unavailable(`${name} is not there (it lies in ../shared/fixtures/packages)`);
  return directory;
};

export const referenceStages: readonly Case[] = [
  {
    name: "YOLOv8n 640",
    directory: () => perfFixture("yolov8n-640-busy"),
    options: {},
    referenceOptions: {},
    wanted: { preprocess: 1, postprocess: 1 },
  },
  {
    name: "YOLOv8n-seg 640, 10 instances",
    directory: () => perfFixture("yolov8n-seg-640-busy"),
    options: { maxDetections: 10 },
    referenceOptions: { max_detections: 10 },
    wanted: { preprocess: 1, postprocess: 5 },
  },
  {
    name: "RF-DETR 160",
    directory: fixture("rfdetr-onnx-stretch"),
    options: {},
    referenceOptions: {},
    wanted: { preprocess: 5, postprocess: 1 },
  },
  {
    name: "ResNet 128",
    directory: fixture("resnet-cls-imagenet-norm"),
    options: {},
    referenceOptions: {},
    wanted: { preprocess: 1, postprocess: 1 },
  },
  {
    name: "DeepLabV3+ 192",
    directory: fixture("deeplabv3plus-sem-letterbox"),
    options: {},
    referenceOptions: {},
    wanted: { preprocess: 1, postprocess: 1 },
  },
  {
    name: "YOLOv8 key points 192",
    directory: fixture("yolov8-pose-stretch"),
    options: {},
    referenceOptions: {},
    wanted: { preprocess: 1, postprocess: 1 },
  },
].map(stagesCase);
