import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import {
  FileResolutionCache,
  credentialHash,
  refuseEntry,
  resolutionCachePath,
  resolutionKey,
  type AutoResolutionCacheEntry,
  type ResolutionRequest,
} from "../../src/store/index.js";
import { temporaryHome } from "./support.js";

const HASH = "a".repeat(64);
const NOON = new Date("2026-03-01T12:00:00Z");
const minutesLater = (minutes: number) => () => new Date(NOON.getTime() + minutes * 60_000);

const ENTRY: AutoResolutionCacheEntry = {
  modelId: "workspace/model/1",
  cacheModelId: "workspace/model/1",
  canonicalModelId: "workspace/model/1",
  modelPackageId: "package1",
  cacheAttributionVersion: 2,
  credentialHash: credentialHash("key"),
  resolvedFiles: [],
  modelArchitecture: "yolov8",
  taskType: "object-detection",
  backendType: "onnx",
  modelFeatures: { nms_fused: { max_detections: 3 } },
  recommendedParameters: { confidence: 0.4, perClassConfidence: { cat: 0.5 } },
  modelDependencies: [{ name: "base", modelId: "base/1", modelPackageId: null }],
  trustedSource: true,
  createdAt: NOON.toISOString(),
};

async function registered(): Promise<string> {
  const home = await temporaryHome();
  await new FileResolutionCache({ home }).register(HASH, ENTRY);
  return home;
}

describe("a remembered resolution", () => {
  it("comes back as it was", async () => {
    const home = await registered();
    expect(await new FileResolutionCache({ home, now: minutesLater(1) }).retrieve(HASH)).toEqual(ENTRY);
    expect(await readFile(resolutionCachePath(home, HASH), "utf8")).not.toContain('"key"');
  });

  it("expires, and is removed then", async () => {
    const home = await registered();
    const cache = (minutes: number) => new FileResolutionCache({ home, now: minutesLater(minutes), expirationMinutes: 60 });
    expect(await cache(60).retrieve(HASH)).not.toBeNull();
    expect(await cache(61).retrieve(HASH)).toBeNull();
    expect(existsSync(resolutionCachePath(home, HASH))).toBe(false);
  });

  it("is not believed when it comes from further ahead than it may be old: a clock has jumped", async () => {
    const home = await registered();
    const cache = (minutes: number) => new FileResolutionCache({ home, now: minutesLater(minutes), expirationMinutes: 60 });
    expect(await cache(-5).retrieve(HASH)).not.toBeNull();
    expect(await cache(-61).retrieve(HASH)).toBeNull();
    expect(existsSync(resolutionCachePath(home, HASH))).toBe(false);
  });

  it("counts whatever its age offline, where nothing is written or removed", async () => {
    const home = await registered();
    const cache = new FileResolutionCache({ home, offline: true, now: minutesLater(1e6) });
    expect(await cache.retrieve(HASH)).toEqual(ENTRY);
    await cache.invalidate(HASH);
    await cache.register("b".repeat(64), ENTRY);
    expect(existsSync(resolutionCachePath(home, HASH))).toBe(true);
    expect(existsSync(resolutionCachePath(home, "b".repeat(64)))).toBe(false);
  });

  it("is not read through a link, and not written through one", async () => {
    const home = await registered();
    const path = resolutionCachePath(home, HASH);
    const elsewhere = join(home, "elsewhere.json");
    await writeFile(elsewhere, await readFile(path));
    await rm(path);
    await symlink(elsewhere, path);
    const cache = new FileResolutionCache({ home, now: minutesLater(1) });
    expect(await cache.retrieve(HASH)).toBeNull();
    const before = await readFile(elsewhere, "utf8");
    await cache.register(HASH, { ...ENTRY, modelPackageId: "package2" });
    expect(await readFile(elsewhere, "utf8")).toBe(before);
    expect(await cache.retrieve(HASH)).toMatchObject({ modelPackageId: "package2" });
  });

  it.each(["", "{", "[]", "null", '{"model_id": 5}', JSON.stringify({ created_at: "yesterday" })])(
    "is removed when it is %j",
    async (content) => {
      const home = await temporaryHome();
      const path = resolutionCachePath(home, HASH);
      await mkdir(join(path, ".."));
      await writeFile(path, content);
      expect(await new FileResolutionCache({ home }).retrieve(HASH)).toBeNull();
      expect(existsSync(path)).toBe(false);
    },
  );

  it("serves only who asked for the same model with the same key, and only while its files exist", async () => {
    const home = await temporaryHome();
    const file = join(home, "weights.onnx");
    await writeFile(file, "x");
    const entry = { ...ENTRY, resolvedFiles: [file] };
    const request = { modelId: entry.modelId, credentialHash: credentialHash("key"), allowUntrustedPackages: false };
    expect(await refuseEntry(entry, request)).toBeNull();
    expect(await refuseEntry(entry, { ...request, modelId: "other" })).toBe("other-model");
    expect(await refuseEntry(entry, { ...request, credentialHash: credentialHash("other") })).toBe("other-credential");
    expect(await refuseEntry({ ...entry, trustedSource: null }, request)).toBe("untrusted");
    expect(await refuseEntry({ ...entry, trustedSource: false }, { ...request, allowUntrustedPackages: true })).toBeNull();
    await rm(file);
    expect(await refuseEntry(entry, request)).toBe("missing-files");
  });
});

describe("the key of a request", () => {
  const REQUEST: ResolutionRequest = {
    provider: "roboflow",
    modelId: "workspace/model/1",
    modelPackageId: null,
    backends: ["onnx", "trt"],
    batchSize: [1, 8],
    quantization: null,
    device: "cpu",
    onnxExecutionProviders: null,
    effectiveExecutionProviders: ["CPUExecutionProvider"],
    defaultOnnxTrtOptions: true,
    allowUntrustedPackages: false,
    trtEngineHostCodeAllowed: true,
    allowLocalCodePackages: true,
    allowLoadingDependencyModels: true,
    nmsFusionPreferences: null,
    dependencyModelsParams: null,
    forwardedOptions: null,
    runtime: { gpuDevices: [] },
    verifyHashWhileDownload: true,
    downloadFilesWithoutHash: false,
    maxPackageLoadingAttempts: null,
    providerExtraQueryParams: null,
    providerExtraHeaders: null,
    apiKey: "key",
    libraryVersion: "1.0.0",
  };

  it("does not depend on order where there is none", () => {
    expect(resolutionKey({ ...REQUEST, backends: ["TRT", "onnx", "onnx"] })).toBe(resolutionKey(REQUEST));
    expect(resolutionKey(Object.fromEntries(Object.entries(REQUEST).reverse()) as unknown as ResolutionRequest)).toBe(
      resolutionKey(REQUEST),
    );
  });

  it("depends on everything else", () => {
    const changes: readonly Partial<ResolutionRequest>[] = [
      { provider: "other" },
      { modelId: "x" },
      { modelPackageId: "p" },
      { backends: null },
      { backends: [] },
      { batchSize: null },
      { quantization: [] },
      { device: "cuda:0" },
      { onnxExecutionProviders: [] },
      { effectiveExecutionProviders: ["CUDAExecutionProvider", "CPUExecutionProvider"] },
      { allowUntrustedPackages: true },
      { nmsFusionPreferences: false },
      { runtime: { gpuDevices: ["nvidia-l4"] } },
      { maxPackageLoadingAttempts: 1 },
      { providerExtraHeaders: { a: "b" } },
      { apiKey: null },
      { libraryVersion: "1.0.1" },
    ];
    const keys = changes.map((change) => resolutionKey({ ...REQUEST, ...change }));
    expect(new Set([...keys, resolutionKey(REQUEST)]).size).toBe(changes.length + 1);
  });
});
