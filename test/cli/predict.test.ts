import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InvalidOptionError, ModelPackageAlternativesExhaustedError } from "../../src/errors.js";
import { createKeyPoints } from "../../src/results/index.js";
import { carResult, fakeModel, runCli, serving } from "./support.js";

describe("predict for people", () => {
  it("says what served it, what was found, and how long each stage took", async () => {
    const model = fakeModel();
    const { code, stdout, stderr } = await runCli(["predict", "cars/1", "street.jpg"], { services: serving(model) });
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/package-7 \(onnx\).*640x640/);
    expect(stdout).toMatch(/onnxruntime 1\.30\.0 on cpu/);
    expect(stdout).toMatch(/preprocessing: cpu, decoding: reference/);
    expect(stdout).toMatch(/0\s+car\s+0\.930\s+10\s+20\s+110\s+70/);
    expect(stdout).toMatch(/1\s+class 9\s+0\.500/);
    expect(stdout).toMatch(/2 detections; .*inference 3\.3 ms.*total 6\.8 ms/);
    expect(model.closed).toBe(true);
  });

  it("aligns columns under their titles", async () => {
    const { stdout } = await runCli(["predict", "cars/1", "street.jpg"], { services: serving(fakeModel()) });
    const lines = stdout.split("\n");
    const titles = lines.find((line) => line.includes("confidence")) ?? "";
    const row = lines.find((line) => line.includes("0.930")) ?? "";
    expect(row.indexOf("0.930") + 5).toBe(titles.indexOf("confidence") + "confidence".length);
    expect(row.indexOf("car")).toBe(titles.indexOf("class"));
  });

  it("names key points and their places", async () => {
    const model = fakeModel((image) => {
      const detections = carResult(image);
      if (detections.kind !== "detections") throw new Error("unreachable");
      const classes = Array.from({ length: 10 }, (_, id) => ({ name: `class ${id}`, points: ["front", "rear"], edges: [] }));
      return createKeyPoints({
        detections,
        slots: 2,
        xy: Int32Array.from([11, 22, 33, 44, 0, 0, 5, 6]),
        confidence: Float32Array.from([1, 1, 0, 1]),
        classes,
      });
    });
    const { stdout } = await runCli(["predict", "cars/1", "street.jpg"], { services: serving(model) });
    expect(stdout).toContain("front (11, 22)  rear (33, 44)");
    expect(stdout.match(/front/g)).toHaveLength(1);
  });

  it("colours only terminals, and not against NO_COLOR", async () => {
    const argv = ["predict", "cars/1", "street.jpg"];
    const settings = { services: serving(fakeModel()) };
    const escape = "\u001B[";
    expect((await runCli(argv, { ...settings, tty: true })).stdout).toContain(escape);
    expect((await runCli(argv, settings)).stdout).not.toContain(escape);
    expect((await runCli(argv, { ...settings, tty: true, env: { NO_COLOR: "1" } })).stdout).not.toContain(escape);
    expect((await runCli(argv, { ...settings, env: { FORCE_COLOR: "1" } })).stdout).toContain(escape);
  });

  it("goes on after a bad picture, and fails in the end", async () => {
    const { code, stdout, stderr } = await runCli(["predict", "cars/1", "a.jpg", "broken.jpg", "b.jpg"], {
      services: serving(fakeModel()),
    });
    expect(code).toBe(1);
    expect(stdout).toContain("a.jpg");
    expect(stdout).toContain("b.jpg");
    expect(stdout).not.toContain("broken.jpg");
    expect(stderr).toContain("broken.jpg: The file is truncated. Download it again.");
    expect(stderr).toContain("IMAGE_DECODING");
    expect(stderr).toMatch(/https:\/\/\S+#imagedecodingerror/);
  });
});

describe("predict --json", () => {
  it("prints one document with everything, failures included", async () => {
    const { code, stdout } = await runCli(["predict", "cars/1", "a.jpg", "broken.jpg", "--json"], {
      services: serving(fakeModel()),
      tty: true,
    });
    expect(code).toBe(1);
    const document = JSON.parse(stdout) as { readonly model: unknown; readonly results: readonly Record<string, unknown>[] };
    expect(document.model).toMatchObject({ id: "cars/1", task: "object-detection", engine: "onnxruntime" });
    expect(document.results).toHaveLength(2);
    expect(document.results[0]).toMatchObject({ input: "a.jpg", kind: "detections", timings: { totalMs: 6.75 } });
    expect(document.results[0]?.["detections"]).toContainEqual({
      class: "car",
      class_id: 1,
      confidence: 0.93,
      x1: 10,
      y1: 20,
      x2: 110,
      y2: 70,
    });
    expect(document.results[1]).toMatchObject({ input: "broken.jpg", error: { code: "IMAGE_DECODING" } });
  });

  it("says why a model could not be loaded, with every attempt on stderr", async () => {
    const error = new ModelPackageAlternativesExhaustedError("No package of this model could be loaded. See each reason.", {
      alternativesErrors: [{ packageId: "one", error: new Error("weights.onnx is empty") }],
    });
    const { code, stdout, stderr } = await runCli(["predict", "cars/1", "a.jpg", "--json"], {
      services: { loadModel: () => Promise.reject(error) },
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "MODEL_PACKAGE_ALTERNATIVES_EXHAUSTED" } });
    expect(stderr).toContain("- one: weights.onnx is empty");
  });
});

describe("options of predict", () => {
  it("reach the model", async () => {
    const model = fakeModel();
    const flags = ["--confidence", "0.25", "--iou", "0.4", "--max-detections", "7", "--image-size", "320x256", "--no-exif"];
    await runCli(["predict", "cars/1", "a.jpg", ...flags], { services: serving(model) });
    expect(model.calls).toEqual([
      {
        image: "a.jpg",
        options: { confidence: 0.25, iouThreshold: 0.4, maxDetections: 7, imageSize: [320, 256], exifOrientation: "ignore" },
      },
    ]);
  });

  it("are left to the model's defaults when not given", async () => {
    const model = fakeModel();
    await runCli(["predict", "cars/1", "a.jpg", "--confidence", "best", "--image-size", "320"], { services: serving(model) });
    expect(model.calls[0]?.options).toEqual({ confidence: "best", imageSize: 320 });
    await runCli(["predict", "owl/1", "a.jpg", "--classes", "a cat, remote control,"], { services: serving(model) });
    expect(model.calls[1]?.options).toEqual({ classes: ["a cat", "remote control"] });
  });
});

describe("predict --save", () => {
  let folder = "";
  const pictures: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "inference-models-cli-"));
    for (const parent of ["one", "two"]) {
      await mkdir(join(folder, parent));
      pictures.push(join(folder, parent, "car.png"));
      await sharp({ create: { width: 200, height: 150, channels: 3, background: "#556" } })
        .png()
        .toFile(join(folder, parent, "car.png"));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("writes annotated copies beside neither original nor namesake", async () => {
    const original = await readFile(pictures[0] ?? "");
    const target = join(folder, "one");
    const { code, stderr } = await runCli(["predict", "cars/1", ...pictures, "--save", target], { services: serving(fakeModel()) });
    expect(code).toBe(0);
    expect((await readdir(target)).sort()).toEqual(["car-annotated-2.png", "car-annotated.png", "car.png"]);
    expect(await readFile(pictures[0] ?? "")).toEqual(original);
    expect(stderr).toContain(`saved ${join(target, "car-annotated.png")}`);
  });

  it("keeps the result of a picture whose copy could not be written", async () => {
    const { code, stdout } = await runCli(["predict", "cars/1", "absent.png", "--json", "--save", folder], {
      services: serving(fakeModel()),
    });
    expect(code).toBe(1);
    const { results } = JSON.parse(stdout) as { readonly results: readonly Record<string, unknown>[] };
    expect(results[0]).toMatchObject({ kind: "detections", error: { code: "IMAGE_DECODING" } });
  });
});

describe("errors", () => {
  const failing = (error: unknown) => ({ services: { loadModel: () => Promise.reject(error) } });

  it("show a stack with DEBUG only", async () => {
    const error = new InvalidOptionError("Wrong.", { cause: new Error("deeper") });
    const quiet = await runCli(["predict", "m", "a.jpg"], failing(error));
    expect(quiet.code).toBe(1);
    expect(quiet.stderr).not.toMatch(/\bat .*\.ts/);
    const loud = await runCli(["predict", "m", "a.jpg"], { ...failing(error), env: { DEBUG: "1" } });
    expect(loud.stderr).toMatch(/\bat .*\.ts/);
    expect(loud.stderr).toContain("deeper");
  });

  it("that nobody foresaw ask for a report", async () => {
    expect((await runCli(["predict", "m", "a.jpg"], failing(new TypeError("x is not a function")))).stderr).toContain("DEBUG=1");
  });
});

describe("Ctrl-C", () => {
  it("ends a prediction with code 130, without the remaining pictures, and closes the model", async () => {
    const interruption = new AbortController();
    const model = fakeModel((image, { signal }) => {
      if (image !== "b.jpg") return carResult(image);
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
        interruption.abort();
      });
    });
    const { code, stdout, stderr } = await runCli(["predict", "m", "a.jpg", "b.jpg", "c.jpg"], {
      services: serving(model),
      signal: interruption.signal,
    });
    expect(code).toBe(130);
    expect(stdout).toContain("a.jpg");
    expect(stderr).toBe("Interrupted.\n");
    expect(model.calls.map(({ image }) => image)).toEqual(["a.jpg", "b.jpg"]);
    expect(model.closed).toBe(true);
  });
});
