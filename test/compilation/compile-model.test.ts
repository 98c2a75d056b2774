/** From a provider's ONNX package to an engine in the cache that AutoModel finds, on the stand-ins. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AutoModel, compileModel, type CompileProgress } from "../../src/index.js";
import { forgetRuntimeXRay } from "../../src/environment/x-ray.js";
import {
  EnvironmentConfigurationError,
  InvalidOptionError,
  InvalidParameterError,
  NoModelPackagesAvailableError,
} from "../../src/errors.js";
import { loadAddon } from "../../src/native/index.js";
import { discoverLocalTrtPackages } from "../../src/providers/index.js";
import { detectorFiles, startModelHub, type ModelHub } from "../support/model-hub.js";
import { nvidiaFakes } from "../support/nvidia-fakes.js";
import { buildModel } from "../support/onnx-graphs.js";
import { blankPicture, constantNetwork, inferenceConfig, writePackage, YOLO_HEAD } from "../support/packages.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();
const ID = "acme/bolts/3";
const DYNAMIC = { dynamicBatchSize: true, staticBatchSize: null };
const TRT = { backend: "trt", device: "cuda:0", allowUntrustedPackages: true } as const;

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "models-"));
  vi.stubEnv("INFERENCE_HOME", join(home, "cache"));
  vi.stubEnv("ROBOFLOW_API_KEY", "");
  vi.stubEnv("API_CALLS_MAX_TRIES", "1");
  vi.stubEnv("INFERENCE_MODELS_CUDA_LIBRARY_PATH", join(fakes ?? "", "cuda"));
  vi.stubEnv("INFERENCE_MODELS_TENSORRT_LIBRARY_PATH", join(fakes ?? "", "trt10"));
  forgetRuntimeXRay();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  forgetRuntimeXRay();
  await rm(home, { recursive: true, force: true });
});

/** A model with a network for one picture, and one for any number. */
async function hub(): Promise<ModelHub> {
  const any = { ...detectorFiles(), "weights.onnx": constantNetwork([YOLO_HEAD], { width: 64, height: 64 }, "n") };
  const started = await startModelHub([
    {
      modelId: ID,
      aliases: ["bolts"],
      packages: [
        { packageId: "anybatch", files: any, manifest: DYNAMIC },
        { packageId: "one", files: detectorFiles() },
      ],
    },
  ]);
  vi.stubEnv("ROBOFLOW_API_HOST", started.origin);
  return started;
}

describe.skipIf(fakes === null)("compileModel", () => {
  it("makes a package that negotiation finds and AutoModel runs", async () => {
    await using _hub = await hub();
    const events: CompileProgress[] = [];
    const compiled = await compileModel("bolts", {
      batch: { minimum: 1, optimum: 2, maximum: 4 },
      fp16: true,
      timingCachePath: join(home, "timing.cache"),
      onProgress: (event) => events.push(event),
    });
    expect(compiled).toMatchObject({
      modelId: ID,
      quantization: "fp16",
      batch: { kind: "dynamic", minimum: 1, optimum: 2, maximum: 4 },
      report: { timingCache: { state: "new", saved: true } },
    });
    expect(compiled.packageId).toMatch(/^localtrt[0-9a-f]{16}$/);
    expect((await readdir(compiled.directory)).sort()).toEqual([
      "class_names.txt",
      "engine.plan",
      "inference_config.json",
      "local_trt_package_manifest.json",
      "trt_config.json",
    ]);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["download-progress", "building"]));
    expect(events.at(-1)).toEqual({ type: "building", fraction: 1, phases: [] });

    const plan = await AutoModel.planLoading(ID, { ...TRT, batchSize: [1, 4] });
    expect(plan).toMatchObject({
      kind: "provider",
      chosen: { packageId: compiled.packageId, backend: "trt", quantization: "fp16", trustedSource: false },
      download: { bytes: 0 },
    });
    // What nobody vouches for is not taken unasked.
    await expect(AutoModel.planLoading(ID, { ...TRT, allowUntrustedPackages: false })).rejects.toThrow(NoModelPackagesAvailableError);

    await using model = await AutoModel.fromPretrained(ID, TRT);
    expect(model.info).toMatchObject({ packageId: compiled.packageId, backend: "trt", batchSize: { minimum: 1, maximum: 4 } });
    expect((await model.predict([blankPicture(64, 64), blankPicture(64, 64)])).length).toBe(2);
  });

  it("puts a new engine in the place of the old one, and one of other settings beside it", async () => {
    await using _hub = await hub();
    const first = await compileModel(ID, { modelPackageId: "one" });
    expect(first.batch).toEqual({ kind: "static", batchSize: 1 });
    expect((await AutoModel.fromPretrained(ID, TRT).then(async (model) => (await model.close(), model))).info.packageId).toBe(
      first.packageId,
    );
    const again = await compileModel(ID, { modelPackageId: "one" });
    expect(again.packageId).toBe(first.packageId);
    const half = await compileModel(ID, {
      modelPackageId: "one",
      fp16: true,
      hardwareCompatible: "same-compute-capability",
      versionCompatible: true,
    });
    expect(half.packageId).not.toBe(first.packageId);
    const plan = await AutoModel.planLoading(ID, { ...TRT, quantization: [] });
    expect(plan.kind === "provider" ? plan.ranked.map(({ packageId }) => packageId).sort() : []).toEqual(
      [first.packageId, half.packageId].sort(),
    );
    const found = await discoverLocalTrtPackages(ID);
    expect(found.find(({ packageId }) => packageId === half.packageId)?.trtPackageDetails).toMatchObject({
      sameCcCompatible: true,
      trtForwardCompatible: true,
    });
  });

  it("takes any number of pictures up to eight unless told otherwise", async () => {
    await using _hub = await hub();
    const { batch } = await compileModel(ID, { modelPackageId: "anybatch" });
    expect(batch).toEqual({ kind: "dynamic", minimum: 1, optimum: 1, maximum: 8 });
    const fixed = await compileModel(ID, { batch: { minimum: 2, optimum: 2, maximum: 2 } });
    expect(fixed.batch).toEqual({ kind: "static", batchSize: 2 });
  });

  it("takes from the package what the network leaves open", async () => {
    const network = buildModel({
      inputs: [{ name: "images", type: "float32", dims: ["n", 3, "h", "w"] }],
      outputs: [{ name: "output0", type: "float32", dims: ["n", 6, 2] }],
      nodes: [{ op: "Identity", inputs: ["images"], outputs: ["output0"] }],
    });
    const source = await writePackage({
      weights: network,
      inferenceConfig: inferenceConfig({ forwardPass: { max_dynamic_batch_size: 2 } }),
    });
    const outputDirectory = join(home, "engine");
    const compiled = await compileModel(source, { outputDirectory });
    expect(compiled.batch).toEqual({ kind: "dynamic", minimum: 1, optimum: 1, maximum: 2 });
    expect(compiled.report.profiles).toEqual([{ images: { minimum: [1, 3, 64, 64], optimum: [1, 3, 64, 64], maximum: [2, 3, 64, 64] } }]);
    const larger = await compileModel(source, {
      outputDirectory,
      imageSize: { width: 96, height: 32 },
      batch: { minimum: 4, optimum: 4, maximum: 4 },
    });
    expect(larger.report.profiles[0]?.["images"]?.optimum).toEqual([4, 3, 32, 96]);
    await using model = await AutoModel.fromPretrained(outputDirectory);
    expect(model.info.batchSize).toEqual({ minimum: 4, maximum: 4 });
  });

  it("builds a network that is half already as one", async () => {
    const modelConfig = { model_architecture: "yolov8", task_type: "object-detection", backend_type: "onnx", quantization: "fp16" };
    const source = await writePackage({ modelConfig, weights: constantNetwork([YOLO_HEAD], { width: 64, height: 64 }) });
    expect(await compileModel(source, { outputDirectory: join(home, "engine") })).toMatchObject({ quantization: "fp16" });
    expect(await compileModel(source, { outputDirectory: join(home, "engine"), fp16: false })).toMatchObject({ quantization: "fp32" });
  });

  it("makes a folder of its own from one, that loads by its path", async () => {
    await using _hub = await hub();
    const { directory: source } = await AutoModel.download(ID, { device: "cpu", modelPackageId: "one" });
    const outputDirectory = join(home, "engine");
    for (let round = 0; round < 2; round += 1) {
      const compiled = await compileModel(source, { outputDirectory });
      expect(compiled).toMatchObject({ directory: outputDirectory, sourceDirectory: source });
    }
    await using model = await AutoModel.fromPretrained(outputDirectory);
    expect(model.info).toMatchObject({ backend: "trt", architecture: "yolov8" });
    expect(JSON.parse(await readFile(join(outputDirectory, "trt_config.json"), "utf8"))).toEqual({ static_batch_size: 1 });
  });

  it("never takes a folder that holds something else", async () => {
    await writeFile(join(home, "thesis.txt"), "years of work");
    await using started = await hub();
    const failure = await compileModel(ID, { outputDirectory: home }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidParameterError);
    expect((failure as Error).message).toMatch(/holds other files/);
    expect(started.requests).toEqual([]);
    expect(await readFile(join(home, "thesis.txt"), "utf8")).toBe("years of work");
    await expect(compileModel(ID, { outputDirectory: join(home, "thesis.txt") })).rejects.toThrow(/cannot be used for a package/);
  });

  it("leaves nothing behind when it is stopped", async () => {
    await using _hub = await hub();
    const reason = new Error("enough");
    const controller = new AbortController();
    const onProgress = ({ type }: CompileProgress): void => {
      if (type === "building") controller.abort(reason);
    };
    await expect(compileModel(ID, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    const [folder] = await readdir(join(home, "cache", "models-cache"));
    expect((await readdir(join(home, "cache", "models-cache", folder!))).filter((name) => name.includes("localtrt"))).toEqual([]);
  });

  it("says what is missing before it downloads anything", async () => {
    await using started = await hub();
    await expect(compileModel(ID, { device: 7 })).rejects.toThrow(EnvironmentConfigurationError);
    await expect(compileModel(ID, { half: true } as never)).rejects.toThrow(InvalidOptionError);
    await expect(compileModel(tmpdir())).rejects.toThrow(/outputDirectory/);
    await expect(compileModel(fakes!, { outputDirectory: join(home, "engine") })).rejects.toThrow(/no file weights\.onnx/);
    await expect(compileModel(join(fakes!, "cuda", "libcuda.so.1"))).rejects.toThrow(/is a file/);
    expect(started.requests).toEqual([]);
  });
});
