/** Models with a value for every pixel on the stand-in of TensorRT: maps by the device are those by the CPU. */
import { afterEach, describe, expect, it, vi } from "vitest";

import { DEVICE_MAP_PIXELS, TensorRtEngine, type MapRequest } from "../../src/engines/index.js";
import { ModelInputError } from "../../src/errors.js";
import { AutoModel, type AutoModelOptions, type DepthEstimationModel, type SemanticSegmentationModel } from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { loadAddon } from "../../src/native/index.js";
import { DYNAMIC_BATCH, HALF_IMAGES, noisePicture, planOf, writeEnginePackage } from "../support/engine-packages.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { inferenceConfig } from "../support/packages.js";
import { loadBoth, useStandIns } from "../support/stand-ins.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

/** Numbers of the network's input are from -10 to 30; letterboxes are trimmed, static crops pasted. */
const letterbox = { normalization: [Array(3).fill(0.25), Array(3).fill(0.025)], resize_mode: "letterbox", padding_value: 0 };
const LETTERBOX = inferenceConfig({ networkInput: letterbox });
const CROP = {
  ...inferenceConfig({ networkInput: letterbox }),
  image_pre_processing: { "static-crop": { enabled: true, x_min: 10, x_max: 80, y_min: 20, y_max: 90 } },
};
const CLASSES = ["background", "cat", "dog"];

async function load<Model>(directory: string, options: AutoModelOptions = {}): Promise<Model> {
  return (await AutoModel.fromPretrained(directory, options)) as Model;
}

/** float16 comes from float16. */
const write = (task: string, architecture: string, output: string, config: object = LETTERBOX) =>
  writeEnginePackage(DYNAMIC_BATCH, planOf([output], output.startsWith("out logits 1") ? HALF_IMAGES : undefined), config, architecture, {
    task,
    classNames: CLASSES,
  });

/** Compared at once: a million numbers one by one take their time. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array | Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

const pictures = [64, 90, 31, 64, 77].map((side, index) => noisePicture(side, side + 40, index));

describe.skipIf(fakes === null)("maps of an engine", () => {
  useStandIns(fakes);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["deep-lab-v3-plus", "out logits 0 4 -1 3 16 16", LETTERBOX],
    ["deep-lab-v3-plus", "out logits 1 4 -1 3 16 16", LETTERBOX],
    ["deep-lab-v3-plus", "out logits 0 4 -1 3 16 16", CROP],
    ["yolo26", "out logits 0 4 -1 2 12 20", LETTERBOX],
  ])("of %s from %s are made by the device", async (architecture, output, config) => {
    const both = await loadBoth<SemanticSegmentationModel>(await write("semantic-segmentation", architecture, output, config));
    const { onCpu, onDevice, engine, downloads } = both;
    expect(onDevice.info).toMatchObject({ preprocessExecutor: "cuda", decodeExecutor: "cuda" });
    const columns = async (model: SemanticSegmentationModel, confidence: number) =>
      (await model.predict(pictures, { confidence })).map((one) => ({ classMap: one.classMap, confidence: one.confidence }));
    const seen = new Set<number>();
    for (const confidence of [0, 0.7, 0.99]) {
      const expected = await columns(onCpu, confidence);
      for (const { classMap } of expected) for (const id of classMap) seen.add(id);
      for (const round of await Promise.all(Array.from({ length: 4 }, () => columns(onDevice, confidence))))
        expect(round).toEqual(expected);
    }
    expect([...seen].sort()).toEqual([0, 1, 2]);
    expect(engine.statistics().graphLaunches).toBeGreaterThan(8);
    for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
    await Promise.all([onCpu.close(), onDevice.close()]);
  });

  it.each(["out depth 0 4 -1 1 16 12", "out depth 0 3 -1 9 14"])("of distances from %s are made by the device", async (output) => {
    const { onCpu, onDevice, downloads } = await loadBoth<DepthEstimationModel>(await write("depth-estimation", "yolo26", output));
    expect(onDevice.info).toMatchObject({ decodeExecutor: "cuda" });
    const seen = new Set<number>();
    const values = async (model: DepthEstimationModel) =>
      (await model.predict(pictures)).map((one) => {
        for (const value of one.values) seen.add(value);
        return bytesOf(one.values);
      });
    const expected = await values(onCpu);
    expect(seen.size).toBeGreaterThan(1000);
    for (let round = 0; round < 4; round += 1) expect(await values(onDevice)).toEqual(expected);
    for (const spy of downloads) expect(spy).not.toHaveBeenCalled();
    await Promise.all([onCpu.close(), onDevice.close()]);
  });

  it("of pictures that are too large for it, or planes whose size varies, are left to the CPU", async () => {
    const directory = await write("depth-estimation", "yolo26", "out depth 0 4 -1 1 8 8");
    const { onDevice, engine, downloads } = await loadBoth<DepthEstimationModel>(directory);
    const run = vi.spyOn(engine, "runMaps" as never);
    const large = noisePicture(DEVICE_MAP_PIXELS / 4096 + 1, 4096, 1);
    const [depth] = await onDevice.predict([large]);
    expect(depth!.values).toHaveLength(large.width * large.height);
    expect(run).not.toHaveBeenCalled();
    expect(downloads[1]).toHaveBeenCalledOnce();
    await onDevice.close();

    const told: string[] = [];
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: (message) => told.push(message), warn: ignore, error: ignore });
    const varying = await write("depth-estimation", "yolo26", "out depth 0 4 -1 1 -1 8");
    await using model = await load<DepthEstimationModel>(varying, { executor: "cuda" });
    setLogger(null);
    expect(model.info.decodeExecutor).toBe("cpu");
    expect(told.join()).toMatch(/output 0 "depth".*varies/);
  });

  it("are refused where the output cannot be one", async () => {
    const options = { device: 0, preparesPictures: true, decodesOutputs: true };
    const outputs = ["out logits 0 4 -1 3 16 16", "out flat 0 2 -1 5", "out ids 3 4 -1 3 16 16"];
    await using engine = await TensorRtEngine.load(planOf(outputs), options);
    const size = { width: 20, height: 10 };
    const placement = {
      ...{ trim: { left: 0, top: 0, right: 0, bottom: 0 }, resize: size, canvas: { ...size, left: 0, top: 0 } },
    };
    const request = {
      ...{ planes: 0, filter: "triangle", placements: [placement, placement] },
      classes: { classIds: Int32Array.of(0, 1, 2), background: 0, thresholds: Float32Array.of(0.5) },
    } as const;
    const images = { type: "float32", dims: [2, 3, 64, 64], data: new Float32Array(2 * 3 * 64 * 64).map((_, i) => (i % 7) - 3) } as const;
    const ask = (change: object) => engine.runMaps!({ images }, { ...request, ...change } as MapRequest);
    await expect(ask({ planes: 1 })).rejects.toThrow(/three or four dimensions/);
    await expect(ask({ planes: 2 })).rejects.toThrow(ModelInputError);
    await expect(ask({ planes: 3 })).rejects.toThrow(/3 outputs/);
    await expect(ask({ placements: [] })).rejects.toThrow(ModelInputError);
    await expect(ask({ placements: [placement, placement, placement] })).rejects.toThrow(ModelInputError);
    await expect(ask({ classes: { ...request.classes, classIds: Int32Array.of(0, 1) } })).rejects.toThrow(/one class id/);
    await expect(ask({ placements: [{ ...placement, canvas: { ...size, left: 1, top: 0 } }, placement] })).rejects.toThrow(/within/);
    // The limit that models keep to is the device's.
    const full = {
      ...placement,
      resize: { width: 1, height: 1 },
      canvas: { width: 8192, height: DEVICE_MAP_PIXELS / 8192, left: 0, top: 0 },
    };
    const more = { ...full, canvas: { ...full.canvas, height: full.canvas.height + 1 } };
    const values = { classes: null, placements: [full] };
    await expect(ask({ ...values, placements: [more] })).rejects.toThrow(ModelInputError);
    expect((await ask(values)).pictures[0]).toHaveLength(DEVICE_MAP_PIXELS);
    const { pictures: maps } = await ask({});
    expect(maps).toHaveLength(2);
    // An id above 255 takes 16 bits.
    const [wide] = (await ask({ classes: { ...request.classes, classIds: Int32Array.of(0, 300, 2), thresholds: Float32Array.of(0) } }))
      .pictures;
    expect((wide as { classMap: Uint16Array }).classMap).toBeInstanceOf(Uint16Array);
    expect([...(wide as { classMap: Uint16Array }).classMap]).toContain(300);
  });
});
