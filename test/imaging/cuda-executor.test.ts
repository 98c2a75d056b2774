/** The kernels through the addon, on the stand-in driver that runs their twins. What they do is tested in test/native. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CudaError, ModelDisposedError, ModelInputError } from "../../src/errors.js";
import { cpuExecutor, openCudaExecutor, type PixelImage, type PreprocessSteps } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";
import { readVectors } from "../conformance/vectors.js";
import { comparePreprocessing } from "../support/device-vectors.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();
const vectors = resolve("../shared/conformance");
if (!existsSync(vectors)) process.stderr.write("skipped: ../shared/conformance is not there\n");

const image = (width: number, height: number): PixelImage => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 97 + ((index * index) >> 3)) & 255),
  width,
  height,
  channels: 3,
  colorFormat: "rgb",
  borrowed: true,
});

const steps = (width: number, height: number): PreprocessSteps => ({
  source: { width, height },
  crop: { left: 1, top: 2, width: width - 3, height: height - 4 },
  grayscale: false,
  contrast: null,
  geometry: [
    { kind: "resize", filter: "linear", width: 28, height: 30, canvas: { width: 32, height: 30, left: 2, top: 0, fill: 114 } },
    { kind: "resize", filter: "pillow", width: 20, height: 24, canvas: { width: 20, height: 24, left: 0, top: 0, fill: 0 } },
  ],
  swapChannels: true,
  normalization: { divisor: 255, factor: null, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  output: { width: 20, height: 24 },
});

describe.skipIf(fakes === null)("the executor on a GPU", () => {
  const open = () => openCudaExecutor(addon!, { device: 0 });
  const cpu = () => cpuExecutor(addon!);

  async function prepared(executor: ReturnType<typeof cpu>, picture: PixelImage, what: PreprocessSteps): Promise<Float32Array> {
    const target = new Float32Array(3 * what.output.width * what.output.height).fill(-1);
    await executor.run(picture, what, target);
    return target;
  }

  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
  });
  afterAll(() => {
    delete process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"];
  });

  it("gives the bits of the CPU's, for many pictures at once", async () => {
    await using executor = await open();
    expect(executor.name).toBe("cuda");
    const sizes = Array.from({ length: 20 }, (_, index) => [10 + index, 40 - index] as const);
    const results = await Promise.all(sizes.map(([width, height]) => prepared(executor, image(width, height), steps(width, height))));
    for (const [index, [width, height]] of sizes.entries()) {
      expect(results[index]).toEqual(await prepared(cpu(), image(width, height), steps(width, height)));
    }
  });

  it.each(["contrast-stretching", "histogram-equalization", "adaptive-equalization"] as const)(
    "enhances contrast: %s",
    async (contrast) => {
      await using executor = await open();
      const what = { ...steps(90, 70), contrast };
      const enhanced = await prepared(executor, image(90, 70), what);
      expect(enhanced).toEqual(await prepared(cpu(), image(90, 70), what));
      expect(enhanced).not.toEqual(await prepared(executor, image(90, 70), steps(90, 70)));
    },
  );

  it("does not read what its caller overwrites", async () => {
    await using executor = await open();
    const picture = image(30, 30);
    const expected = await prepared(cpu(), image(30, 30), steps(30, 30));
    const running = prepared(executor, picture, steps(30, 30));
    picture.data.fill(0);
    expect(await running).toEqual(expected);
  });

  it("refuses pictures and targets that do not fit their steps", async () => {
    await using executor = await open();
    await expect(prepared(executor, image(21, 20), steps(20, 20))).rejects.toThrow(ModelInputError);
    await expect(executor.run(image(20, 20), steps(20, 20), new Float32Array(5))).rejects.toThrow(ModelInputError);
  });

  it("says what it lacks, and that it is closed", async () => {
    await expect(openCudaExecutor(addon!, { device: 7 })).rejects.toThrow(CudaError);
    for (const device of [-1, 0.5, NaN, "0", null]) {
      await expect(openCudaExecutor(addon!, { device: device as number })).rejects.toThrow(/options\.device/);
    }
    const executor = await open();
    const last = prepared(executor, image(20, 20), steps(20, 20));
    await executor[Symbol.asyncDispose]();
    expect(await last).toEqual(await prepared(cpu(), image(20, 20), steps(20, 20)));
    await expect(prepared(executor, image(20, 20), steps(20, 20))).rejects.toThrow(ModelDisposedError);
  });

  it.skipIf(!existsSync(vectors))(
    "gives the bits of the CPU's on every preprocessing vector",
    async () => {
      await using executor = await open();
      const { compared, differing } = await comparePreprocessing(readVectors(vectors), addon!, executor);
      expect(differing).toEqual([]);
      expect([...compared.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
    },
    120_000,
  );
});
