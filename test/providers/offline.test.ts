import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { cacheLayout, type ModelMetadata, type ModelPackageMetadata } from "../../src/packages/index.js";
import {
  getModelFromProvider,
  listOfflineModels,
  offlineMode,
  recordOfflineLoad,
  verifyOfflineModel,
  type OfflineLoad,
  type RecordOptions,
} from "../../src/providers/index.js";
import { withFileLock } from "../../src/store/index.js";
import { captureLog, caught, isolate, settings, temporaryFolder } from "./support.js";

const logged = captureLog();
isolate();
const home = temporaryFolder();

const md5 = (content: string): string => createHash("md5").update(content).digest("hex");

const known = (packageId: string, change: Partial<ModelPackageMetadata> = {}): ModelPackageMetadata => ({
  packageId,
  backend: "onnx",
  packageSource: "platform",
  packageArtefacts: [
    { kind: "download", downloadUrl: "https://files.example/w?sig=secret", fileHandle: "weights.onnx", md5Hash: md5(packageId) },
  ],
  quantization: "fp32",
  dynamicBatchSizeSupported: true,
  staticBatchSize: null,
  trtPackageDetails: null,
  onnxPackageDetails: { opset: 17, incompatibleProviders: null },
  torchScriptPackageDetails: null,
  trustedSource: true,
  environmentRequirements: null,
  modelFeatures: { nms_fused: { max_detections: 300 } },
  recommendedParameters: { confidence: 0.4, perClassConfidence: null },
  cacheModelId: null,
  ...change,
});

const model = (modelPackages: readonly ModelPackageMetadata[], change: Partial<ModelMetadata> = {}): ModelMetadata => ({
  modelId: "workspace/bolts/3",
  modelArchitecture: "yolov8",
  taskType: "object-detection",
  modelVariant: null,
  modelPackages,
  modelDependencies: null,
  recommendedParameters: null,
  ...change,
});

const record = (load: Partial<OfflineLoad> & Pick<OfflineLoad, "metadata">, options: RecordOptions = {}) =>
  recordOfflineLoad({ requestedModelId: "bolts", packageId: "a", ...load }, { home: home(), ...options });

function put(packageId: string, fileHandle = "weights.onnx", content = packageId): string {
  const path = join(cacheLayout(home()).packageDirectory("workspace/bolts/3", packageId), fileHandle);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const recordPath = (): string => cacheLayout(home()).offlineRecord("workspace/bolts/3");

describe("a recorded model", () => {
  it("can be had offline by its id and its alias, with the packages that are there", async () => {
    expect(await record({ metadata: model([known("a"), known("b")]) })).toBe(true);
    put("a");
    settings({ offline: { enabled: true }, home: home() });
    for (const id of ["workspace/bolts/3", "bolts"]) {
      const metadata = await getModelFromProvider(id);
      expect(metadata).toEqual(
        model([
          {
            ...known("a"),
            packageSource: "local_cache",
            packageArtefacts: [{ kind: "local", fileHandle: "weights.onnx", md5Hash: md5("a") }],
          },
        ]),
      );
    }
    expect(readFileSync(recordPath(), "utf8")).not.toContain("secret");
  });

  it("is one whose files are all there, through links too", async () => {
    const blob = put("elsewhere");
    const folder = cacheLayout(home()).packageDirectory("workspace/bolts/3", "a");
    mkdirSync(folder, { recursive: true });
    symlinkSync(blob, join(folder, "weights.onnx"));
    await record({ metadata: model([known("a")]) });
    settings({ offline: { enabled: true }, home: home() });
    expect((await getModelFromProvider("bolts")).modelPackages).toHaveLength(1);
  });

  it("without files, and one that was never recorded, tell how to warm up", async () => {
    settings({ offline: { enabled: true }, home: home() });
    expect(await caught(getModelFromProvider("bolts"))).toMatchObject({
      name: "ModelNotFoundError",
      message: expect.stringContaining("OFFLINE_MODE_WARM_UP"),
    });
    await record({ metadata: model([known("a")]) });
    expect(await caught(getModelFromProvider("bolts"))).toMatchObject({
      name: "ModelRetrievalError",
      message: expect.stringContaining("OFFLINE_MODE_WARM_UP"),
    });
  });
});

describe("recording", () => {
  it("merges: packages by id, aliases and proofs united, fields kept where nothing new is known", async () => {
    await record({ metadata: model([known("a"), known("b")], { modelVariant: "n" }) });
    await record({
      metadata: model([known("b", { quantization: "fp16" }), known("c")], { taskType: null }),
      requestedModelId: "other",
      packageId: "c",
    });
    const written = JSON.parse(readFileSync(recordPath(), "utf8"));
    expect(written).toMatchObject({
      format_version: 1,
      requested_aliases: ["bolts", "other"],
      source: "warmup",
      model: { task_type: "object-detection", model_variant: "n" },
      packages: [{ package_id: "a" }, { package_id: "b", quantization: "fp16" }, { package_id: "c" }],
      proven: { a: { last_proven_at: expect.stringMatching(/^\d{4}-.*\.\d{6}\+00:00$/) }, c: {} },
    });
    expect(Object.keys(written)).toEqual([...Object.keys(written)].sort());
  });

  it("loses nothing when many loads are recorded at once", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `p${index}`);
    await Promise.all(ids.map((id) => record({ metadata: model([known(id)]), packageId: id, requestedModelId: id })));
    const [status] = await listOfflineModels({ home: home() });
    expect(status?.packages).toHaveLength(20);
    expect(Object.keys(status?.proven ?? {})).toHaveLength(20);
    expect(readdirSync(cacheLayout(home()).offlineRegistry).filter((name) => !name.endsWith(".lock"))).toHaveLength(1);
  });

  it("leaves out packages without hashes, and records nothing when the loaded one has none", async () => {
    const bare = known("b", {
      packageArtefacts: [{ kind: "download", downloadUrl: "https://files.example/b", fileHandle: "w", md5Hash: null }],
    });
    expect(await record({ metadata: model([known("a"), bare]) })).toBe(true);
    expect(logged.warnings).toEqual([expect.stringMatching(/Without hashes.*: b\.$/)]);
    expect(await record({ metadata: model([known("a"), bare]), packageId: "b" })).toBe(false);
    expect((await listOfflineModels({ home: home() }))[0]?.packages).toHaveLength(1);
  });

  it("never fails, and never follows a link", async () => {
    const outside = join(home(), "precious");
    writeFileSync(outside, "precious");
    mkdirSync(dirname(recordPath()), { recursive: true });
    symlinkSync(outside, recordPath());
    expect(await record({ metadata: model([known("a")]) })).toBe(true);
    expect(readFileSync(outside, "utf8")).toBe("precious");

    await withFileLock(`${recordPath()}.lock`, { timeoutSeconds: 1 }, async () => {
      expect(await record({ metadata: model([known("a")]) }, { signal: AbortSignal.timeout(100) })).toBe(false);
    });
    expect(logged.warnings.at(-1)).toMatch(/not recorded.*timeout/);
  });

  it("writes nothing into a registry that is a link", async () => {
    mkdirSync(join(home(), "elsewhere"));
    symlinkSync(join(home(), "elsewhere"), cacheLayout(home()).offlineRegistry);
    expect(await record({ metadata: model([known("a")]) })).toBe(false);
    expect(readdirSync(join(home(), "elsewhere"))).toEqual([]);
  });
});

describe("a damaged record", () => {
  it.each<[string, string]>([
    ["cut off", '{"format_version": 1'],
    ["of a later format", '{"format_version": 2, "canonical_model_id": "workspace/bolts/3"}'],
    ["without a version", '{"canonical_model_id": "workspace/bolts/3"}'],
    ["without a model", '{"format_version": 1}'],
    ["nested without end", "[".repeat(100_000)],
  ])("%s is ignored with a warning, and replaced by the next load", async (_name, content) => {
    mkdirSync(dirname(recordPath()), { recursive: true });
    writeFileSync(recordPath(), content);
    expect(await listOfflineModels({ home: home() })).toEqual([]);
    expect(logged.warnings).toHaveLength(1);
    expect(await record({ metadata: model([known("a")]) })).toBe(true);
    expect(await listOfflineModels({ home: home() })).toHaveLength(1);
  });
});

describe("maintenance", () => {
  it("tells what is there, what is missing and what is damaged", async () => {
    const two = known("b", { packageArtefacts: ["x", "y"].map((fileHandle) => ({ kind: "local", fileHandle, md5Hash: md5(fileHandle) })) });
    await record({ metadata: model([known("a"), two, known("c")]) });
    put("a", "weights.onnx", "damaged");
    put("b", "x", "x");
    expect((await listOfflineModels({ home: home() }))[0]).toMatchObject({
      canonicalModelId: "workspace/bolts/3",
      requestedAliases: ["bolts"],
      packages: [
        { packageId: "a", presence: "ok", missingFiles: [] },
        { packageId: "b", presence: "incomplete", missingFiles: ["y"] },
        { packageId: "c", presence: "missing" },
      ],
    });
    const statuses = async (checkHashes: boolean) =>
      (await verifyOfflineModel("bolts", { home: home(), checkHashes })).map(({ status }) => status);
    expect(await statuses(false)).toEqual(["ok", "ok", "missing", "missing"]);
    expect(await statuses(true)).toEqual(["hash-mismatch", "ok", "missing", "missing"]);
    expect(await verifyOfflineModel("unknown", { home: home() })).toEqual([]);
  });

  it("does not look outside the cache, whatever a record says", async () => {
    await record({ metadata: model([known("a")]) });
    const content = readFileSync(recordPath(), "utf8");
    writeFileSync(join(home(), "outside"), "a");
    writeFileSync(recordPath(), content.replace("weights.onnx", "../../../outside"));
    put("a");
    expect((await listOfflineModels({ home: home() }))[0]?.packages).toMatchObject([{ presence: "incomplete" }]);
    writeFileSync(recordPath(), content.replace('"package_id": "a"', '"package_id": "../a"'));
    expect((await listOfflineModels({ home: home() }))[0]?.packages).toMatchObject([{ presence: "missing" }]);
  });
});

describe("the mode", () => {
  it("is decided once; later changes only warn", () => {
    expect(offlineMode()).toBe("online");
    settings({ offline: { enabled: true } });
    expect([offlineMode(), offlineMode()]).toEqual(["online", "online"]);
    expect(logged.warnings).toEqual([expect.stringContaining("stays online")]);
  });

  it("can be one of warming up, but not together with offline", async () => {
    settings({ offline: { warmUp: true } });
    expect(offlineMode()).toBe("warm-up");
  });

  it("cannot be two at once", async () => {
    settings({ offline: { enabled: true, warmUp: true } });
    expect(await caught(getModelFromProvider("m"))).toMatchObject({
      name: "ModelRetrievalError",
      message: expect.stringContaining("both on"),
    });
  });
});
