/** GPU time of the kernels, by events of the device, beside what its memory could do. */
import { configuration } from "../../src/configuration.js";
import type { PreprocessSteps } from "../../src/imaging/index.js";
import type { NativeAddon, NativeDeviceWork } from "../../src/native/index.js";
import { CONTRASTS, noise, resize, stepsFor } from "./preprocessing.js";
import type { Report } from "./report.js";

export interface MeasureSettings {
  readonly device: number;
  readonly rounds: number;
  /** How often the work is put into one launch, so that the launch does not count. */
  readonly together: number;
  /** Written to find out how fast memory is. */
  readonly fillBytes: number;
}

interface Measured {
  readonly name: string;
  readonly work: NativeDeviceWork;
  /** That have to be read and written at least once. */
  readonly bytes: number;
  /** Microseconds. */
  readonly target?: number;
}

const NETWORK = 640;
const CANDIDATES = 8400;
const CLASSES = 80;

const letterbox = resize("linear", [NETWORK, 360], [NETWORK, NETWORK, 0, 140]);
const STEPS: readonly (readonly [string, Parameters<typeof stepsFor>[1], PreprocessSteps["contrast"]])[] = [
  ["letterbox", [letterbox], null],
  ["pillow", [resize("pillow", [NETWORK, NETWORK])], null],
  ["cubic", [resize("cubic", [NETWORK, NETWORK])], null],
  ["gaussian", [resize("gaussian", [NETWORK, NETWORK])], null],
  ...CONTRASTS.map((contrast) => [`letterbox, ${contrast}`, [letterbox], contrast] as const),
];

function* preprocessing(): Generator<Measured> {
  const image = noise(1920, 1080, 3);
  for (const [name, geometry, contrast] of STEPS) {
    const steps = stepsFor(image, geometry, { contrast });
    for (const half of [true, false]) {
      yield {
        name: `preprocess 1920x1080 to ${NETWORK}x${NETWORK}, ${half ? "float16" : "float32"}, ${name}`,
        work: { kind: "preprocess", pixels: image.data, image, steps, half },
        bytes: image.data.length + 3 * NETWORK * NETWORK * (half ? 2 : 4),
        ...(half && name === "letterbox" ? { target: 15 } : {}),
      };
    }
  }
}

/** As a detector's output: few candidates are sure, and those overlap. */
function detection(): Measured {
  const output = new Float32Array((4 + CLASSES) * CANDIDATES);
  const random = (index: number): number => (Math.imul(index + 1, 2654435761) >>> 8) / 2 ** 24;
  for (let candidate = 0; candidate < CANDIDATES; candidate += 1) {
    for (let attribute = 0; attribute < 4 + CLASSES; attribute += 1) {
      const value = random(candidate * (4 + CLASSES) + attribute);
      const score = candidate % 40 === 0 ? value : value * 0.2;
      output[attribute * CANDIDATES + candidate] = attribute < 2 ? value * NETWORK : attribute < 4 ? 40 + value * 200 : score;
    }
  }
  return {
    name: `decode and suppress ${CANDIDATES} candidates of ${CLASSES} classes, download included`,
    work: {
      kind: "detection",
      output: new Uint8Array(output.buffer),
      candidates: CANDIDATES,
      classes: CLASSES,
      threshold: 0.25,
      iouThreshold: 0.45,
      maxDetections: 300,
    },
    bytes: output.byteLength,
    target: 60,
  };
}

const median = (values: Float64Array): number => values.toSorted()[values.length >> 1] ?? NaN;

export async function measureKernels(addon: NativeAddon, settings: MeasureSettings, report: Report): Promise<void> {
  const { cudaLibraryPath } = configuration().device;
  const { device, rounds, together, fillBytes } = settings;
  const measure = async (work: NativeDeviceWork): Promise<number> =>
    median(await addon.measureDevice({ cudaLibraryPath, device, rounds, together }, work));
  const gigabytes = (bytes: number, microseconds: number): number => bytes / microseconds / 1000;
  const memory = gigabytes(fillBytes, await measure({ kind: "fill", bytes: fillBytes }));
  report.figure(`writing ${fillBytes >> 20} MiB of memory`, `${memory.toFixed(0)} GB/s`);
  for (const { name, work, bytes, target } of [...preprocessing(), detection()]) {
    const microseconds = await measure(work);
    const rate = gigabytes(bytes, microseconds);
    const share = `${((100 * rate) / memory).toFixed(0)} % of that`;
    const value = `${microseconds.toFixed(1)} us GPU time; ${rate.toFixed(0)} GB/s of what is read and written once, ${share}`;
    report.figure(name, value, target === undefined ? null : `at most ${target} us`);
  }
}
