/** What can be known, and fetched, before anything is loaded. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AutoModel, CorruptedModelPackageError, InvalidParameterError, NoModelPackagesAvailableError } from "../../src/index.js";
import { setLogger } from "../../src/logger.js";
import { detectorFiles, startModelHub, type HubModel, type ModelHub } from "../support/model-hub.js";
import { writePackage } from "../support/packages.js";

const FILES = detectorFiles();
const BYTES = Object.values(FILES).reduce((sum, content) => sum + Buffer.from(content).length, 0);
const DETECTOR: HubModel = {
  modelId: "acme/bolts/3",
  aliases: ["bolts"],
  packages: [
    { packageId: "batch4", files: FILES, manifest: { staticBatchSize: 4 } },
    { packageId: "batch1", files: FILES, recommendedParameters: { confidence: 0.75 } },
    { packageId: "half", files: { ...FILES, "more.bin": "1" }, manifest: { quantization: "fp16" } },
  ],
};
const PARENT: HubModel = {
  modelId: "parent",
  packages: [{ packageId: "p", files: { ...FILES, "class_names.txt": "one\ntwo" } }],
  dependencies: [{ name: "eyes", modelId: "bolts" }],
};

let home: string;
let hub: ModelHub;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "models-"));
  hub = await startModelHub([
    DETECTOR,
    PARENT,
    { ...PARENT, modelId: "grandparent", dependencies: [{ name: "child", modelId: "parent" }] },
  ]);
  vi.stubEnv("INFERENCE_HOME", home);
  vi.stubEnv("ROBOFLOW_API_HOST", hub.origin);
  vi.stubEnv("ROBOFLOW_API_KEY", "");
  const ignore = (): void => undefined;
  setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  setLogger(null);
  await hub[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

const cached = (): Promise<readonly string[]> => readdir(home, { recursive: true });
const hasAddress = (value: unknown): boolean => JSON.stringify(value).includes(hub.origin);

describe("describeModel", () => {
  it("lists the packages as announced, without asking for sizes, downloading, or telling addresses", async () => {
    const described = await AutoModel.describeModel("bolts");
    expect(described).toMatchObject({ requestedId: "bolts", modelId: "acme/bolts/3", architecture: "yolov8", task: "object-detection" });
    expect(described.packages.map(({ packageId, batchSize, quantization, size }) => [packageId, batchSize, quantization, size])).toEqual([
      ["batch4", 4, "fp32", null],
      ["batch1", 1, "fp32", null],
      ["half", 1, "fp16", null],
    ]);
    expect(hub.fileRequests()).toEqual({});
    expect(hasAddress(described)).toBe(false);
    expect(await cached()).toEqual([]);
  });

  it("asks the file servers for sizes when that is wanted", async () => {
    const { packages } = await AutoModel.describeModel("bolts", { pullArtefactsSize: true });
    expect(packages.map(({ size }) => size)).toEqual([BYTES, BYTES, BYTES + 1].map((bytes) => ({ bytes, complete: true })));
  });
});

describe("describeModelPackage", () => {
  it("tells every file with its size and hash", async () => {
    const described = await AutoModel.describeModelPackage("bolts", "half");
    expect(described).toMatchObject({ modelId: "acme/bolts/3", packageId: "half", size: { bytes: BYTES + 1, complete: true } });
    expect(described.files).toContainEqual({ fileHandle: "more.bin", bytes: 1, md5Hash: "c4ca4238a0b923820dcc509a6f75849b" });
    expect(hasAddress(described)).toBe(false);
  });

  it("names the packages that there are when asked for another", async () => {
    const failure: unknown = await AutoModel.describeModelPackage("bolts", "quarter").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoModelPackagesAvailableError);
    expect((failure as Error).message).toMatch(/batch4, batch1, half/);
  });
});

describe("planLoading", () => {
  it("says what would be used, what would be downloaded, and what is there already", async () => {
    const plan = await AutoModel.planLoading("bolts");
    if (plan.kind !== "provider") throw new Error(`unexpected kind ${plan.kind}`);
    expect(plan).toMatchObject({ modelId: "acme/bolts/3", device: "cpu", download: { bytes: BYTES, complete: true } });
    expect(plan.chosen.packageId).toBe("batch1");
    expect(plan.ranked.map(({ packageId }) => packageId)).toEqual(["batch1", "batch4"]);
    expect(plan.discarded.map(({ packageId }) => packageId)).toEqual(["half"]);
    expect(hasAddress(plan)).toBe(false);
    expect(await cached()).toEqual([]);

    await AutoModel.download("bolts");
    const after = await AutoModel.planLoading("bolts");
    expect(after).toMatchObject({ download: { bytes: 0, complete: true } });
    expect(after.kind === "provider" && after.chosen.files.every((file) => file.cached)).toBe(true);
  });

  it("agrees with what is loaded", async () => {
    const options = { batchSize: 4 };
    const plan = await AutoModel.planLoading("bolts", options);
    await using model = await AutoModel.fromPretrained("bolts", options);
    expect(plan).toMatchObject({ chosen: { packageId: model.info.packageId } });
  });

  it("has nothing to do for a folder", async () => {
    const path = await writePackage({});
    expect(await AutoModel.planLoading(path)).toEqual({ kind: "local", path });
  });
});

describe("download", () => {
  it("fetches what a load then finds, dependencies included", async () => {
    const downloaded = await AutoModel.download("parent");
    expect(downloaded).toMatchObject({ modelId: "parent", packageId: "p", bytesDownloaded: 7 });
    expect(downloaded.dependencies).toMatchObject([{ modelId: "acme/bolts/3", packageId: "batch1", bytesDownloaded: BYTES }]);
    const before = hub.fileRequests();
    await using model = await AutoModel.fromPretrained("parent");
    expect(model.info.origin).toMatchObject({ fromCache: true, directory: downloaded.directory });
    expect(hub.fileRequests()).toEqual(before);
    expect(await AutoModel.download("parent")).toMatchObject({ bytesDownloaded: 0 });
  });

  it("refuses what a load refuses: nested dependencies, and parameters for unknown ones", async () => {
    await expect(AutoModel.download("grandparent")).rejects.toThrow(CorruptedModelPackageError);
    await expect(AutoModel.download("parent", { dependencyModelsParams: { ears: {} } })).rejects.toThrow(/ears.*eyes/s);
  });

  it("is not for folders", async () => {
    await expect(AutoModel.download(await writePackage({}))).rejects.toThrow(InvalidParameterError);
  });
});
