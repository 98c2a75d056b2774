import { existsSync } from "node:fs";
import { link, lstat, mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { configure } from "../../src/configuration.js";
import { setLogger } from "../../src/logger.js";
import { modelIdSlug, type ArtefactSpecs } from "../../src/packages/index.js";
import {
  listCache,
  materializePackage,
  pruneCache,
  removeFromCache,
  usePackage,
  verifyCache,
  withFileLock,
} from "../../src/store/index.js";
import { setLastUse } from "../../src/store/package-use.js";
import { storeLayout } from "../../src/store/store-layout.js";
import { FileServer, bytesOf, md5Of } from "../support/file-server.js";
import { filesUnder, materializeRequest, packageMetadata, temporaryHome } from "./support.js";

const OWNER = "workspace/model/1";

let server: FileServer;
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(() => server.close());
afterEach(() => {
  configure({});
  setLogger(null);
});

let counter = 0;
function artefact(fileHandle: string, bytes: number, seed: number): ArtefactSpecs {
  const body = bytesOf(bytes, seed);
  return { kind: "download", fileHandle, md5Hash: md5Of(body), downloadUrl: server.serve(`/${++counter}`, { body }) };
}

const SHARED = { fileHandle: "shared.bin", bytes: 1000, seed: 700 };

/** Packages a, b, ... of 10,000 bytes each and 1,000 shared ones, used on one day after the other; none is in use. */
async function scene(ids = ["a", "b", "c"]) {
  const home = await temporaryHome();
  const shared = artefact(SHARED.fileHandle, SHARED.bytes, SHARED.seed);
  for (const [index, packageId] of ids.entries()) {
    const own = artefact("weights.onnx", 10_000, 800 + index);
    const made = await materializePackage(materializeRequest(home, packageMetadata([own, shared], { packageId })));
    made.lease.release();
    await setLastUse(storeLayout(home), OWNER, packageId, new Date(2026, 0, 1 + index));
  }
  const directory = (id: string): string => join(home, "models-cache", modelIdSlug(OWNER), id);
  return { home, directory };
}

describe("listing the cache", () => {
  it("tells what is there, most recently used first, and counts shared bytes once", async () => {
    const { home, directory } = await scene();
    const lease = await usePackage(home, OWNER, "a");
    const { packages, totalBytes } = await listCache({ home });
    expect(packages.map(({ packageId }) => packageId)).toEqual(["a", "c", "b"]);
    expect(packages[0]).toMatchObject({
      modelId: OWNER,
      directory: directory("a"),
      architecture: "yolov8",
      backend: "onnx",
      sharedBytes: 1000,
      inUse: true,
      isComplete: true,
    });
    expect(packages[0]?.bytes).toBeGreaterThan(11_000);
    expect(packages.slice(1).map(({ inUse }) => inUse)).toEqual([false, false]);
    const manifests = await Promise.all(["a", "b", "c"].map(async (id) => (await lstat(join(directory(id), "model_config.json"))).size));
    expect(totalBytes).toBe(31_000 + manifests.reduce((sum, size) => sum + size, 0));
    lease.release();
    expect((await listCache({ home })).packages.some(({ inUse }) => inUse)).toBe(false);
  });

  it("is empty where there is no cache", async () => {
    expect(await listCache({ home: join(await temporaryHome(), "absent") })).toMatchObject({ packages: [], totalBytes: 0 });
  });

  it("reports what is broken in it", async () => {
    const { home, directory } = await scene();
    await rm(join(directory("a"), "weights.onnx"));
    await writeFile(join(directory("b"), "model_config.json"), "{");
    const md5 = md5Of(bytesOf(10_000, 802));
    await writeFile(join(home, "shared-blobs", md5), "changed");
    const { problems, packages } = await verifyCache({ home });
    expect(packages).toBe(3);
    expect(problems.map(({ packageId, file, problem }) => [packageId, file, problem]).sort()).toEqual([
      ["a", "weights.onnx", "missing"],
      ["b", null, "malformed-manifest"],
      ["c", "weights.onnx", "wrong-content"],
    ]);
  });
});

describe("removing from the cache", () => {
  it("takes a package and the files that only it has", async () => {
    const { home, directory } = await scene();
    const report = await removeFromCache(OWNER, { packageId: "a", home });
    expect(report).toMatchObject({ removed: [directory("a")], kept: [] });
    expect(report.freedBytes).toBeGreaterThanOrEqual(10_000);
    expect(await filesUnder(join(home, "shared-blobs"))).toHaveLength(3);
    expect((await verifyCache({ home })).problems).toEqual([]);
  });

  it("takes all packages of a model, and leaves other models alone", async () => {
    const { home } = await scene();
    const other = materializeRequest(home, packageMetadata([artefact("x", 10, 1)]), { cacheModelId: "other", canonicalModelId: "other" });
    await materializePackage(other);
    expect((await removeFromCache(OWNER, { home })).removed).toHaveLength(3);
    expect((await listCache({ home })).packages.map(({ modelId }) => modelId)).toEqual(["other"]);
    expect(await filesUnder(join(home, "shared-blobs"))).toHaveLength(1);
  });

  it("keeps what is in use, and what is being loaded", async () => {
    const { home, directory } = await scene();
    const lease = await usePackage(home, OWNER, "a");
    expect(
      await withFileLock(storeLayout(home).packageLock(OWNER, "b"), { timeoutSeconds: 5 }, () => removeFromCache(OWNER, { home })),
    ).toMatchObject({
      removed: [directory("c")],
      kept: [directory("a"), directory("b")],
    });
    lease.release();
    expect((await removeFromCache(OWNER, { home })).removed).toHaveLength(2);
  });

  it("keeps blobs that a hard link or a link by another path of the same cache refers to", async () => {
    const { home, directory } = await scene(["a", "b"]);
    const blob = join(home, "shared-blobs", md5Of(bytesOf(10_000, 801)));
    await rm(join(directory("b"), "weights.onnx"));
    await link(blob, join(directory("b"), "weights.onnx"));
    const alias = join(await temporaryHome(), "alias");
    await symlink(home, alias);
    await rm(join(directory("b"), "shared.bin"));
    await symlink(join(alias, "shared-blobs", md5Of(bytesOf(1000, 700))), join(directory("b"), "shared.bin"));
    await removeFromCache(OWNER, { packageId: "a", home });
    expect((await verifyCache({ home })).problems).toEqual([]);
    await pruneCache({ home });
    expect(await filesUnder(join(home, "shared-blobs"))).toHaveLength(2);
  });
});

describe("pruning", () => {
  it("removes least recently used packages until the cache is small enough", async () => {
    const { home, directory } = await scene();
    const { totalBytes } = await listCache({ home });
    expect((await pruneCache({ home, maxBytes: totalBytes - 5000 })).removed).toEqual([directory("a")]);
    expect((await pruneCache({ home, maxBytes: totalBytes })).removed).toEqual([]);
    expect((await pruneCache({ home, maxBytes: 0 })).removed).toEqual([directory("b"), directory("c")]);
    expect((await listCache({ home })).totalBytes).toBe(0);
    expect(await filesUnder(join(home, "shared-blobs"))).toEqual([]);
  });

  it("removes what was not used for long, and never what is in use", async () => {
    const { home, directory } = await scene();
    const lease = await usePackage(home, OWNER, "a");
    expect((await pruneCache({ home, olderThan: new Date(2026, 0, 2, 12), maxBytes: 25_000 })).removed).toEqual([directory("b")]);
    expect((await pruneCache({ home, maxBytes: 0 })).removed).toEqual([directory("c")]);
    lease.release();
  });

  it("a load counts as use", async () => {
    const { home, directory } = await scene();
    const shared = artefact(SHARED.fileHandle, SHARED.bytes, SHARED.seed);
    const request = materializeRequest(home, packageMetadata([artefact("weights.onnx", 10_000, 800), shared], { packageId: "a" }));
    const made = await materializePackage(request);
    expect(made.fromCache).toBe(true);
    made.lease.release();
    expect((await pruneCache({ home, maxBytes: 25_000 })).removed).toEqual([directory("b")]);
  });

  it("sweeps what killed processes have left, and old blobs that nobody links to, but no young ones", async () => {
    const { home } = await scene(["a"]);
    const model = join(home, "models-cache", modelIdSlug(OWNER));
    await mkdir(join(model, ".01234567-0123-0123-0123-0123456789ab.removed.lock", "x"), { recursive: true });
    const partial = join(home, "shared-blobs", `.${"1".repeat(32)}.partial.lock`);
    await mkdir(partial);
    await writeFile(join(partial, "free.x.data"), "left");
    const [old, young] = ["2", "3"].map((digit) => join(home, "shared-blobs", digit.repeat(32)));
    await writeFile(old ?? "", "old");
    await utimes(old ?? "", new Date(2020, 0, 1), new Date(2020, 0, 1));
    await writeFile(young ?? "", "young");
    await pruneCache({ home });
    expect(await filesUnder(model)).toEqual(["a", "a/model_config.json", "a/shared.bin", "a/weights.onnx"]);
    expect([existsSync(partial), existsSync(old ?? ""), existsSync(young ?? "")]).toEqual([false, false, true]);
  });

  it("happens by itself after a download when the cache has a size", async () => {
    const { home, directory } = await scene();
    configure({ cache: { maxBytes: 36_000 } });
    const made = await materializePackage(
      materializeRequest(home, packageMetadata([artefact("weights.onnx", 10_000, 850)], { packageId: "d" })),
    );
    expect(existsSync(made.directory)).toBe(true);
    expect([existsSync(directory("a")), existsSync(directory("b")), existsSync(directory("c"))]).toEqual([false, true, true]);
    expect(await readFile(join(made.directory, "weights.onnx"))).toHaveLength(10_000);
  });
});
