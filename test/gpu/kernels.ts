/** GPU time of the kernels, by events of the device, beside what its memory could do. */
import { configuration } from "../../src/configuration.js";
import type { PreprocessSteps } from "../../src/imaging/index.js";
import type { NativeAddon, NativeDeviceWork } from "../../src/native/index.js";
import { decoding } from "./kernel-heads.js";
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

export interface Measured {
  readonly name: string;
  readonly work: NativeDeviceWork;
  /** That have to be read and written at least once. */
  readonly bytes: number;
  /** Microseconds. */
  readonly target?: number;
}

const NETWORK = 640;

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

export const median = (values: Float64Array): number => values.toSorted()[values.length >> 1] ?? NaN;

export async function measureKernels(addon: NativeAddon, settings: MeasureSettings, report: Report): Promise<void> {
  const { cudaLibraryPath } = configuration().device;
  const { device, rounds, together, fillBytes } = settings;
  const measure = async (work: NativeDeviceWork): Promise<number> =>
    median(await addon.measureDevice({ cudaLibraryPath, device, rounds, together }, work));
  const gigabytes = (bytes: number, microseconds: number): number => bytes / microseconds / 1000;
  const memory = gigabytes(fillBytes, await measure({ kind: "fill", bytes: fillBytes }));
  report.figure(`writing ${fillBytes >> 20} MiB of memory`, `${memory.toFixed(0)} GB/s`);
  for (const { name, work, bytes, target } of [...preprocessing(), ...decoding()]) {
    const microseconds = await measure(work);
    const rate = gigabytes(bytes, microseconds);
    const share = `${((100 * rate) / memory).toFixed(0)} % of that`;
    const value = `${microseconds.toFixed(1)} us GPU time; ${rate.toFixed(0)} GB/s of what is read and written once, ${share}`;
    report.figure(name, value, target === undefined ? null : `at most ${target} us`);
  }
}
