import { describe, expect, it } from "vitest";

import { VisionModelBase, type ImageInput, type ImageOptions, type ModelInfo, type Prepared, type Stages } from "../../src/index.js";

const INFO: ModelInfo = {
  id: "brightness",
  packageId: "brightness",
  origin: { kind: "custom" },
  architecture: "mean",
  task: "classification",
  variant: null,
  backend: "custom",
  engine: "none",
  engineVersion: "0",
  executionProviders: [],
  device: "cpu",
  preprocessExecutor: "none",
  decodeExecutor: "none",
  inputSize: { width: 2, height: 2 },
  batchSize: { minimum: 1, maximum: null },
};

type Pixels = Extract<ImageInput, { readonly colorFormat: unknown }>;

/** What a user writes: three stages, and what to release. */
class Brightness extends VisionModelBase<"classification", ImageOptions, readonly number[], number> {
  readonly task = "classification";
  readonly info = INFO;
  released = 0;

  readonly stages: Stages<readonly number[], number, ImageOptions> = {
    preprocess: (images) =>
      Promise.resolve({
        geometry: [],
        tensors: (images as readonly Pixels[]).map(({ data }) => ({ type: "uint8", dims: [data.length], data: new Uint8Array(data) })),
      }),
    forward: ({ tensors }: Prepared) =>
      Promise.resolve(tensors.map(({ data }) => (data as Uint8Array).reduce((sum, value) => sum + value, 0) / data.length)),
    postprocess: (raw) => Promise.resolve([...raw]),
  };

  protected override checkOptions(): void {
    // This model has no options of its own.
  }
  protected override release(): Promise<void> {
    this.released++;
    return Promise.resolve();
  }
  protected override engineStatistics() {
    return { waiting: 0, running: 0, completed: 0, failed: 0, cancelled: 0, lanes: 1 };
  }
}

const gray = (value: number) => ({ data: new Uint8Array(12).fill(value), width: 2, height: 2, channels: 3, colorFormat: "rgb" }) as const;

describe("a model of one's own", () => {
  it("gets overloads, lists, streams, warm-up and closing from the base class", async () => {
    const model = new Brightness();
    expect(await model.predict(gray(7))).toBe(7);
    expect(await model.predict([gray(1), gray(2), gray(3)])).toEqual([1, 2, 3]);
    const streamed: number[] = [];
    for await (const result of model.stream([gray(4), gray(5)])) streamed.push(result);
    expect(streamed).toEqual([4, 5]);
    await model.warmup();
    await Promise.all([model.close(), model.close()]);
    expect(model.released).toBe(1);
    await expect(model.predict(gray(1))).rejects.toThrow(/closed/);
  });

  it("ends a stream early without leaving work behind", async () => {
    await using model = new Brightness();
    for await (const result of model.stream([gray(1), gray(2), gray(3)])) {
      expect(result).toBe(1);
      break;
    }
    expect(model.statistics().activePredictions).toBe(0);
  });
});
