/** Pictures through the kernels of a real device, compared with the CPU executor. */
import { TensorRtEngine } from "../../src/engines/index.js";
import { cpuExecutor, openCudaExecutor, type PixelImage, type PreprocessExecutor, type PreprocessSteps } from "../../src/imaging/index.js";
import type { NativeAddon } from "../../src/native/index.js";

const ROUNDS = 200;

type Geometry = PreprocessSteps["geometry"][number];

export function noise(width: number, height: number, channels: 1 | 3 | 4): PixelImage {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i += 1) data[i] = Math.imul(i + 1, 2654435761) >>> 24;
  return { data, width, height, channels, colorFormat: "bgr", borrowed: true };
}

export function resize(
  filter: "linear" | "pillow" | "none" | "triangle" | "cubic" | "gaussian",
  [width, height]: readonly [number, number],
  [canvasWidth, canvasHeight, left, top]: readonly [number, number, number, number] = [width, height, 0, 0],
): Geometry {
  return { kind: "resize", filter, width, height, canvas: { width: canvasWidth, height: canvasHeight, left, top, fill: 114 } };
}

/** Every kind of pass, alone and behind another. */
const GEOMETRIES: Readonly<Record<string, readonly Geometry[]>> = {
  letterbox: [resize("linear", [640, 360], [640, 640, 0, 140])],
  stretch: [resize("linear", [641, 479])],
  halved: [resize("linear", [640, 360])],
  "center crop": [resize("none", [1280, 720], [640, 640, -320, -40])],
  pillow: [resize("pillow", [560, 560])],
  "pillow, columns only": [resize("pillow", [560, 720])],
  "pillow, rows only": [resize("pillow", [1280, 560])],
  "two steps": [resize("linear", [640, 360], [640, 480, 0, 60]), resize("pillow", [560, 560])],
  triangle: [resize("triangle", [448, 448])],
  cubic: [resize("cubic", [398, 224], [224, 224, -87, 0])],
  gaussian: [resize("gaussian", [960, 960])],
  sample: [{ kind: "sample", width: 256, height: 256, originX: -3.5, originY: 2.25, stepX: 5.1, stepY: 2.9 }],
};

export const CONTRASTS = ["contrast-stretching", "histogram-equalization", "adaptive-equalization"] as const;

export function stepsFor(
  image: PixelImage,
  geometry: readonly Geometry[],
  { grayscale = false, contrast = null }: Partial<Pick<PreprocessSteps, "grayscale" | "contrast">> = {},
): PreprocessSteps {
  const last = geometry.at(-1);
  if (last === undefined) throw new Error("There is no step.");
  const { width, height } = last.kind === "resize" ? last.canvas : last;
  return {
    source: { width: image.width, height: image.height },
    crop: { left: 0, top: 0, width: image.width, height: image.height },
    grayscale,
    contrast,
    geometry,
    swapChannels: true,
    normalization: { divisor: 255, factor: null, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    output: { width, height },
  };
}

/** How many values differ in their bits. */
function differences(a: Float32Array, b: Float32Array): number {
  const [first, second] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer, b.byteOffset, b.length)];
  return first.reduce((count, bits, index) => count + (bits === second[index] ? 0 : 1), 0);
}

async function median(executor: PreprocessExecutor, image: PixelImage, steps: PreprocessSteps, target: Float32Array): Promise<number> {
  const each: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await executor.run(image, steps, target);
    each.push(performance.now() - start);
  }
  return each.sort((a, b) => a - b)[ROUNDS / 2] ?? 0;
}

export async function checkPreprocessing(
  addon: NativeAddon,
  device: number,
  expectThat: (holds: boolean, what: string) => void,
  say: (text: string) => void,
): Promise<void> {
  await using cuda = await openCudaExecutor(addon, { device });
  const cpu = cpuExecutor(addon);
  say(`kernels as ${addon.buildInfo().kernels}`);
  const check = async (name: string, geometry: readonly Geometry[], contrast: PreprocessSteps["contrast"]): Promise<void> => {
    let differing = 0;
    for (const channels of [1, 3, 4] as const) {
      for (const grayscale of [false, true]) {
        const image = noise(1280, 720, channels);
        const steps = stepsFor(image, geometry, { grayscale, contrast });
        const length = 3 * steps.output.width * steps.output.height;
        const [onDevice, onCpu] = [new Float32Array(length), new Float32Array(length)];
        await cuda.run(image, steps, onDevice);
        await cpu.run(image, steps, onCpu);
        differing += differences(onDevice, onCpu);
      }
    }
    expectThat(differing === 0, `${name}: ${differing} values differ from the CPU's`);
  };
  for (const [name, geometry] of Object.entries(GEOMETRIES)) await check(name, geometry, null);
  for (const contrast of CONTRASTS) await check(contrast, GEOMETRIES["letterbox"] ?? [], contrast);
  const image = noise(1280, 720, 3);
  const steps = stepsFor(image, GEOMETRIES["letterbox"] ?? []);
  const target = new Float32Array(3 * 640 * 640);
  say(
    `letterbox of 1280x720 to 640x640, upload and download included: ${(await median(cuda, image, steps, target)).toFixed(3)} ms; ` +
      `on the CPU: ${(await median(cpu, image, steps, target)).toFixed(3)} ms`,
  );
}

/** An engine that prepares a picture itself has to answer what it answers to the picture as the CPU prepares it. */
export async function checkEngineOnPictures(
  addon: NativeAddon,
  path: string,
  device: number,
  expectThat: (holds: boolean, what: string) => void,
  say: (text: string) => void,
): Promise<void> {
  await using engine = await TensorRtEngine.load(path, { device, preparesPictures: true });
  const [port] = engine.inputs;
  const [batch = 0, channels, height = 0, width = 0] = engine.profiles[engine.profile]?.[port?.name ?? ""]?.optimum ?? [];
  if (port?.type !== "float32" || engine.inputs.length !== 1 || channels !== 3 || engine.runPictures === undefined) {
    say("the engine's input is no batch of pictures in float32: not run on pictures");
    return;
  }
  const image = noise(1280, 720, 3);
  const steps = stepsFor(image, [resize("linear", [width, height])]);
  const data = new Float32Array(batch * 3 * height * width);
  await cpuExecutor(addon).run(image, steps, data.subarray(0, 3 * height * width));
  const expected = await engine.run({ [port.name]: { type: "float32", dims: [batch, 3, height, width], data } });
  // The second run of a shape captures a graph, the third is launched as one.
  for (const run of ["first", "captured", "launched"]) {
    const outputs = await engine.runPictures({ dims: [batch, 3, height, width], pictures: [{ image, steps }] });
    for (const [name, { data: values }] of Object.entries(outputs)) {
      const other = expected[name]?.data;
      if (!(values instanceof Float32Array) || !(other instanceof Float32Array)) continue;
      expectThat(differences(values, other) === 0, `${run} run on pictures: ${name} is that of the picture as the CPU prepares it`);
    }
  }
}
