import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  ModelNotFoundError,
  ModelPackageAlternativesExhaustedError,
  NoModelPackagesAvailableError,
  RetryError,
  UnauthorizedModelAccessError,
  UntrustedFileError,
  type AnyModel,
  type AutoModelOptions,
  type ModelAccessManager,
  type ModelOrigin,
} from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { inTurn, reset, status } from "../support/local-server.js";
import { detectorFiles, startModelHub, type HubModel, type ModelHub } from "../support/model-hub.js";
import { blankPicture } from "../support/packages.js";

const DETECTOR: HubModel = {
  modelId: "acme/bolts/3",
  aliases: ["bolts"],
  packages: [
    { packageId: "batch4", files: detectorFiles(), manifest: { staticBatchSize: 4 } },
    { packageId: "batch1", files: detectorFiles(), recommendedParameters: { confidence: 0.75 } },
    { packageId: "half", files: detectorFiles(), manifest: { quantization: "fp16" } },
  ],
};

let home: string;
const warnings: string[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "models-"));
  vi.stubEnv("INFERENCE_HOME", home);
  vi.stubEnv("API_CALLS_MAX_TRIES", "1");
  vi.stubEnv("ROBOFLOW_API_KEY", "");
  warnings.length = 0;
  const ignore = (): void => undefined;
  setLogger({ debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  setLogger(null);
  await rm(home, { recursive: true, force: true });
});

async function hubOf(...models: readonly HubModel[]): Promise<ModelHub> {
  const hub = await startModelHub(models);
  vi.stubEnv("ROBOFLOW_API_HOST", hub.origin);
  return hub;
}

function providerOrigin({ info }: AnyModel): Extract<ModelOrigin, { readonly kind: "provider" }> {
  if (info.origin.kind !== "provider") throw new Error(`unexpected origin ${info.origin.kind}`);
  return info.origin;
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0);

describe("fromPretrained with an id", () => {
  it("asks the provider, takes the best package, and says what was chosen and why", async () => {
    await using hub = await hubOf(DETECTOR);
    await using model = await AutoModel.fromPretrained("acme/bolts/3");
    expect(model.task).toBe("object-detection");
    expect(model.info).toMatchObject({ id: "acme/bolts/3", packageId: "batch1", backend: "onnx" });
    const origin = providerOrigin(model);
    expect(origin).toMatchObject({ canonicalId: "acme/bolts/3", resolvedBy: "negotiation", fromCache: false, failed: [] });
    expect(origin.ranked.map(({ packageId }) => packageId)).toEqual(["batch1", "batch4"]);
    expect(origin.discarded).toMatchObject([{ packageId: "half", code: "QUANTIZATION_MISMATCH" }]);
    const result = await model.predict(blankPicture(64, 64));
    expect(result.servedBy).toMatchObject({ modelId: "acme/bolts/3", packageId: "batch1", backend: "onnx", device: "cpu" });
    expect(hub.metadataRequests()).toBe(1);
    expect(sum(hub.fileRequests())).toBe(3);
  });

  it("opens no socket when the same was asked before", async () => {
    await using hub = await hubOf(DETECTOR);
    await (await AutoModel.fromPretrained("bolts")).close();
    const before = hub.requests.length;
    await using model = await AutoModel.fromPretrained("bolts");
    expect(hub.requests.length).toBe(before);
    expect(providerOrigin(model)).toMatchObject({ resolvedBy: "remembered", canonicalId: "acme/bolts/3", fromCache: true });
    expect(model.info.packageId).toBe("batch1");
  });

  it("asks again, and downloads nothing, when remembering is off or something else is asked for", async () => {
    await using hub = await hubOf(DETECTOR);
    await (await AutoModel.fromPretrained("bolts")).close();
    const files = sum(hub.fileRequests());
    await using again = await AutoModel.fromPretrained("bolts", { useAutoResolutionCache: false });
    expect(providerOrigin(again)).toMatchObject({ resolvedBy: "negotiation", fromCache: true });
    await using other = await AutoModel.fromPretrained("bolts", { batchSize: 4 });
    expect(other.info.packageId).toBe("batch4");
    expect(hub.metadataRequests()).toBe(3);
    // The packages have the same files, which are stored once.
    expect(sum(hub.fileRequests())).toBe(files);
  });

  it("asks the provider again when what is remembered is gone or damaged", async () => {
    await using hub = await hubOf(DETECTOR);
    const first = await AutoModel.fromPretrained("bolts");
    const { directory } = providerOrigin(first);
    await first.close();
    await rm(directory, { recursive: true });
    await (await AutoModel.fromPretrained("bolts")).close();
    expect(hub.metadataRequests()).toBe(2);
    const [entry = ""] = await readdir(join(home, "auto-resolution-cache"));
    await writeFile(join(home, "auto-resolution-cache", entry), "{");
    await (await AutoModel.fromPretrained("bolts")).close();
    expect(hub.metadataRequests()).toBe(3);
    await (await AutoModel.fromPretrained("bolts")).close();
    expect(hub.metadataRequests()).toBe(3);
  });

  it("keeps what one API key may see from another", async () => {
    await using hub = await hubOf(DETECTOR);
    await (await AutoModel.fromPretrained("bolts", { apiKey: "one" })).close();
    hub.answerMetadata(status(403));
    await expect(AutoModel.fromPretrained("bolts", { apiKey: "two" })).rejects.toThrow(/403|not allowed|permission|access/i);
    expect(hub.requests.map(({ headers }) => headers.authorization).filter(Boolean)).toEqual(["Bearer one", "Bearer two"]);
  });

  it("uses recommended thresholds of the provider", async () => {
    await using _hub = await hubOf(DETECTOR);
    await using model = await AutoModel.fromPretrained("bolts");
    if (model.task !== "object-detection") throw new Error(`unexpected task ${model.task}`);
    expect(await model.predict(blankPicture(64, 64))).toHaveLength(2);
    expect(await model.predict(blankPicture(64, 64), { confidence: "best" })).toHaveLength(1);
  });

  it("loads exactly the package that is asked for", async () => {
    await using _hub = await hubOf(DETECTOR);
    await using model = await AutoModel.fromPretrained("bolts", { modelPackageId: "half" });
    expect(model.info.packageId).toBe("half");
    await expect(AutoModel.fromPretrained("bolts", { modelPackageId: "nothing" })).rejects.toThrow(NoModelPackagesAvailableError);
  });

  it("tries the next package when one does not load, and tells so", async () => {
    const broken = { ...detectorFiles(), "weights.onnx": "not a network" };
    await using _hub = await hubOf({
      modelId: "m",
      packages: [
        { packageId: "good", files: detectorFiles(), manifest: { staticBatchSize: 4 } },
        { packageId: "bad", files: broken },
      ],
    });
    await using model = await AutoModel.fromPretrained("m");
    expect(model.info.packageId).toBe("good");
    expect(providerOrigin(model).failed).toMatchObject([{ packageId: "bad" }]);
    expect(warnings.join("\n")).toMatch(/bad .*good/s);
  });

  it("tells the story of all packages when none loads", async () => {
    const broken = { ...detectorFiles(), "weights.onnx": "not a network" };
    const missing = { "weights.onnx": detectorFiles()["weights.onnx"] ?? "" };
    await using _hub = await hubOf({
      modelId: "m",
      packages: [
        { packageId: "a", files: broken },
        { packageId: "b", files: missing, manifest: { staticBatchSize: 4 } },
      ],
    });
    const error: unknown = await AutoModel.fromPretrained("m").catch((reason: unknown) => reason);
    if (!ModelPackageAlternativesExhaustedError.is(error)) throw error;
    expect(error.alternativesErrors?.map(({ packageId }) => packageId)).toEqual(["a", "b"]);
    expect(error.message).toMatch(/a: .*\n.*b: .*inference_config\.json/s);
    expect(error.cause).toBe(error.alternativesErrors?.[0]?.error);
    const one: unknown = await AutoModel.fromPretrained("m", { maxPackageLoadingAttempts: 1 }).catch((reason: unknown) => reason);
    if (!ModelPackageAlternativesExhaustedError.is(one)) throw one;
    expect(one.alternativesErrors).toHaveLength(1);
  });

  it("says why nothing fits", async () => {
    await using _hub = await hubOf(DETECTOR);
    const error: unknown = await AutoModel.fromPretrained("bolts", { backend: "trt" }).catch((reason: unknown) => reason);
    if (!NoModelPackagesAvailableError.is(error)) throw error;
    expect(error.discarded?.map(({ code }) => code)).toEqual(["BACKEND_NOT_REQUESTED", "BACKEND_NOT_REQUESTED", "BACKEND_NOT_REQUESTED"]);
  });

  it("passes the provider's errors on", async () => {
    await using hub = await hubOf(DETECTOR);
    await expect(AutoModel.fromPretrained("nobody/knows/1")).rejects.toThrow(ModelNotFoundError);
    hub.answerMetadata(status(401), reset, status(503));
    await expect(AutoModel.fromPretrained("bolts")).rejects.toThrow(UnauthorizedModelAccessError);
    await expect(AutoModel.fromPretrained("bolts")).rejects.toThrow(RetryError);
    await expect(AutoModel.fromPretrained("bolts")).rejects.toThrow(RetryError);
  });

  it("asks for fresh addresses when those of the files have expired", async () => {
    await using hub = await hubOf(DETECTOR);
    hub.answerFile("weights.onnx", inTurn(status(403)));
    await using model = await AutoModel.fromPretrained("bolts");
    expect(model.info.packageId).toBe("batch1");
    expect(hub.metadataRequests()).toBe(2);
  });

  it("refuses files without a hash unless they are asked for", async () => {
    const announcedMd5 = { "class_names.txt": null };
    await using _hub = await hubOf({ modelId: "m", packages: [{ packageId: "p", files: detectorFiles(), announcedMd5 }] });
    const error: unknown = await AutoModel.fromPretrained("m").catch((reason: unknown) => reason);
    if (!ModelPackageAlternativesExhaustedError.is(error)) throw error;
    expect(error.cause).toBeInstanceOf(UntrustedFileError);
    await using model = await AutoModel.fromPretrained("m", { downloadFilesWithoutHash: true });
    expect(model.info.packageId).toBe("p");
  });

  it("never lets a wrong byte through, and leaves nothing usable behind", async () => {
    const announcedMd5 = { "class_names.txt": "0".repeat(32) };
    await using _hub = await hubOf({ modelId: "m", packages: [{ packageId: "p", files: detectorFiles(), announcedMd5 }] });
    await expect(AutoModel.fromPretrained("m")).rejects.toThrow(/hash|MD5/i);
    expect(await readdir(join(home, "shared-blobs"))).not.toContain("0".repeat(32));
  });

  it("ends with the signal's reason, wherever it stands", async () => {
    await using hub = await hubOf(DETECTOR);
    const controller = new AbortController();
    const reason = new Error("enough");
    hub.answerFile("weights.onnx", () => controller.abort(reason));
    await expect(AutoModel.fromPretrained("bolts", { signal: controller.signal })).rejects.toBe(reason);
    await using model = await AutoModel.fromPretrained("bolts");
    expect(model.info.packageId).toBe("batch1");
  });

  it("reports progress with totals", async () => {
    await using _hub = await hubOf(DETECTOR);
    const types: string[] = [];
    let last = { bytes: 0, totalBytes: null as number | null };
    await using _model = await AutoModel.fromPretrained("bolts", {
      onProgress: (event) => {
        types.push(event.type);
        if ("overall" in event) last = event.overall;
      },
    });
    expect(types).toContain("download-started");
    expect(types).toContain("download-finished");
    expect(last.bytes).toBe(last.totalBytes);
    expect(last.bytes).toBeGreaterThan(0);
  });

  it("loads one download for sixteen at once", async () => {
    await using hub = await hubOf(DETECTOR);
    const models = await Promise.all(Array.from({ length: 16 }, () => AutoModel.fromPretrained("bolts")));
    expect(Math.max(...Object.values(hub.fileRequests()))).toBe(1);
    await Promise.all(models.map((model) => model.close()));
  });
});

describe("dependencies", () => {
  const parent: HubModel = {
    modelId: "parent",
    packages: [{ packageId: "p", files: detectorFiles() }],
    dependencies: [{ name: "eyes", modelId: "acme/bolts/3" }],
  };

  it("are loaded first, linked into the package, and closed with the parent", async () => {
    await using _hub = await hubOf(parent, DETECTOR);
    for (const expected of ["negotiation", "remembered"]) {
      const model = await AutoModel.fromPretrained("parent");
      const { directory, resolvedBy } = providerOrigin(model);
      expect(resolvedBy).toBe(expected);
      const config = JSON.parse(await readFile(join(directory, "model_dependencies", "eyes", "model_config.json"), "utf8")) as object;
      expect(config).toMatchObject({ canonical_model_id: "acme/bolts/3" });
      await model.close();
    }
  });

  it("are refused when they are not allowed, nested, or spoken to by a wrong name", async () => {
    await using _hub = await hubOf(parent, DETECTOR, {
      ...parent,
      modelId: "grandparent",
      dependencies: [{ name: "child", modelId: "parent" }],
    });
    const load = (id: string, options: AutoModelOptions) => AutoModel.fromPretrained(id, options);
    await expect(load("parent", { allowLoadingDependencyModels: false })).rejects.toThrow(CorruptedModelPackageError);
    await expect(load("grandparent", {})).rejects.toThrow(CorruptedModelPackageError);
    await expect(load("parent", { dependencyModelsParams: { ears: {} } })).rejects.toThrow(/ears.*eyes/s);
  });
});

describe("the access manager", () => {
  it("hears of everything in order, and may forbid or answer itself", async () => {
    await using hub = await hubOf(DETECTOR);
    const heard: string[] = [];
    const manager: ModelAccessManager = {
      isModelAccessForbidden: (id) => id === "secret",
      onModelAliasDiscovered: (alias, id) => void heard.push(`alias ${alias} ${id}`),
      onModelPackageAccessGranted: ({ packageId }) => void heard.push(`granted ${packageId}`),
      onModelLoaded: (_model, { packageId }, path) => void heard.push(`loaded ${packageId} ${path.startsWith(home)}`),
      onModelAccessForbidden: (id) => void heard.push(`forbidden ${id}`),
    };
    await using model = await AutoModel.fromPretrained("bolts", { modelAccessManager: manager });
    expect(heard).toEqual(["alias bolts acme/bolts/3", "granted batch4", "granted batch1", "granted half", "loaded batch1 true"]);
    await expect(AutoModel.fromPretrained("secret", { modelAccessManager: manager })).rejects.toThrow(UnauthorizedModelAccessError);
    hub.answerMetadata(status(401));
    await AutoModel.fromPretrained("other", { modelAccessManager: manager }).catch(() => undefined);
    expect(heard.at(-1)).toBe("forbidden other");
    const live = await AutoModel.fromPretrained("bolts", { modelAccessManager: { retrieveModelInstance: () => model } });
    expect(live).toBe(model);
  });
});

describe("the caller's own functions", () => {
  it("are heard after the model is loaded, and what they throw closes it and tries no other package", async () => {
    await using hub = await hubOf(DETECTOR);
    const reason = new Error("not today");
    let seen: AnyModel | null = null;
    const modelAccessManager: ModelAccessManager = {
      onModelLoaded: (model) => {
        seen = model;
        throw reason;
      },
    };
    await expect(AutoModel.fromPretrained("bolts", { modelAccessManager })).rejects.toBe(reason);
    expect(seen).toMatchObject({ closed: true, info: { packageId: "batch1" } });
    expect(Object.keys(hub.fileRequests()).some((path) => path.includes("batch4"))).toBe(false);
    const directories: string[] = [];
    await using _model = await AutoModel.fromPretrained("bolts", {
      useAutoResolutionCache: false,
      onModelDirectory: (directory) => directories.push(directory),
    });
    expect(directories).toEqual([expect.stringMatching(/batch1$/)]);
  });
});

describe("offline", () => {
  it("serves what was recorded while warming up, without the network", async () => {
    const hub = await hubOf(DETECTOR);
    vi.stubEnv("OFFLINE_MODE_WARM_UP", "true");
    await (await AutoModel.fromPretrained("bolts")).close();
    await hub[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
    const { forgetOfflineMode } = await import("../../src/providers/index.js");
    forgetOfflineMode();
    vi.stubEnv("INFERENCE_HOME", home);
    vi.stubEnv("OFFLINE_MODE", "true");
    try {
      for (const id of ["bolts", "acme/bolts/3"]) {
        await using model = await AutoModel.fromPretrained(id);
        expect(model.info.packageId).toBe("batch1");
      }
      await expect(AutoModel.fromPretrained("never/seen/1")).rejects.toThrow(/warm/i);
    } finally {
      vi.unstubAllEnvs();
      forgetOfflineMode();
    }
  });
});
