import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, readlink, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  CorruptedModelPackageError,
  DownloadLinkExpiredError,
  FileHashSumMismatchError,
  InsecureModelIdentifierError,
  UntrustedFileError,
} from "../../src/errors.js";
import { setLogger } from "../../src/logger.js";
import { modelIdSlug, type ArtefactSpecs } from "../../src/packages/index.js";
import { materializePackage, verifyCache, type MaterializeRequest, type ProgressEvent } from "../../src/store/index.js";
import { FileServer, bytesOf, md5Of } from "../support/file-server.js";
import { filesUnder, materializeRequest, packageMetadata, temporaryHome } from "./support.js";

const WEIGHTS = bytesOf(2_000_000, 3);
const NAMES = Buffer.from("cat\ndog\n");

let server: FileServer;
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(() => server.close());
afterEach(() => setLogger(null));

let counter = 0;

function artefact(
  fileHandle: string,
  body: Buffer,
  path = `/${++counter}/${fileHandle}`,
): ArtefactSpecs & { readonly kind: "download"; readonly path: string } {
  return { kind: "download", fileHandle, md5Hash: md5Of(body), downloadUrl: server.serve(path, { body }), path };
}

async function scene(changes: Partial<MaterializeRequest> = {}) {
  const weights = artefact("weights.onnx", WEIGHTS);
  const names = artefact("nested/class_names.txt", NAMES);
  const home = await temporaryHome();
  const request = materializeRequest(home, packageMetadata([weights, names]), changes);
  const directory = join(home, "models-cache", modelIdSlug("workspace/model/1"), "package1");
  const requests = (): number => server.count(weights.path) + server.count(names.path);
  return { weights, names, home, request, directory, requests, manifest: join(directory, "model_config.json") };
}

const readJson = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;

describe("a package", () => {
  it("is fetched, linked from shared blobs, and vouched for by a manifest that the Python library can read", async () => {
    const { request, directory, home, manifest, weights } = await scene({
      recommendedParameters: { confidence: 0.3, perClassConfidence: null },
    });
    const result = await materializePackage(request);
    expect(result).toMatchObject({ directory, bytesDownloaded: WEIGHTS.length + NAMES.length, fromCache: false });
    expect(result.files).toEqual({
      "weights.onnx": join(directory, "weights.onnx"),
      "nested/class_names.txt": join(directory, "nested", "class_names.txt"),
    });
    expect(md5Of(await readFile(join(directory, "weights.onnx")))).toBe(weights.md5Hash);
    expect(await readlink(join(directory, "weights.onnx"))).toBe(join(home, "shared-blobs", weights.md5Hash ?? ""));
    expect(await readJson(manifest)).toMatchObject({
      offline_manifest_version: 4,
      model_id: "workspace/model/1",
      canonical_model_id: "workspace/model/1",
      model_architecture: "yolov8",
      task_type: "object-detection",
      backend_type: "onnx",
      quantization: "fp32",
      static_batch_size: 1,
      recommended_parameters: { confidence: 0.3, per_class_confidence: null },
      model_dependencies: [],
      dependency_package_paths: [],
      package_artifacts: [
        {
          file_handle: "nested/class_names.txt",
          md5_hash: md5Of(NAMES),
          unhashed: false,
          sha256_hash: null,
          source_hash: null,
          storage: "shared_blob",
        },
        {
          file_handle: "weights.onnx",
          md5_hash: md5Of(WEIGHTS),
          unhashed: false,
          sha256_hash: null,
          source_hash: null,
          storage: "shared_blob",
        },
      ],
    });
    expect(await filesUnder(directory)).toEqual(["model_config.json", "nested", "nested/class_names.txt", "weights.onnx"]);
  });

  it("is taken from the cache the next time, without a request and without reading its files again", async () => {
    const { request, requests } = await scene();
    await materializePackage(request);
    const before = requests();
    const events: ProgressEvent[] = [];
    expect(await materializePackage(request, { onProgress: (event) => events.push(event) })).toMatchObject({
      bytesDownloaded: 0,
      fromCache: true,
    });
    expect(requests()).toBe(before);
    expect(events).toEqual([]);
  });

  it("is fetched once for callers of one process that ask at the same time", async () => {
    const { request, requests } = await scene();
    const results = await Promise.all(Array.from({ length: 8 }, () => materializePackage(request)));
    expect(requests()).toBe(2);
    expect(results.reduce((sum, { bytesDownloaded }) => sum + bytesDownloaded, 0)).toBe(WEIGHTS.length + NAMES.length);
  });

  it("shares files with other packages", async () => {
    const { request, home, weights } = await scene();
    await materializePackage(request);
    const other = materializeRequest(
      home,
      packageMetadata([weights, artefact("extra.txt", Buffer.from("more"))], { packageId: "package2" }),
    );
    expect(await materializePackage(other)).toMatchObject({ bytesDownloaded: 4 });
    expect(server.count(weights.path)).toBe(1);
  });

  it("tells how far it is", async () => {
    const { request } = await scene();
    const events: ProgressEvent[] = [];
    await materializePackage(request, { onProgress: (event) => events.push(event) });
    const total = WEIGHTS.length + NAMES.length;
    expect(events.at(-1)).toMatchObject({
      type: "download-finished",
      overall: { bytes: total, totalBytes: total, files: 2, finishedFiles: 2 },
    });
    expect(events.filter(({ type }) => type === "download-started")).toHaveLength(2);
  });

  it("keeps its identity, and takes over what else the platform says anew", async () => {
    const { request, directory, manifest, weights, names } = await scene();
    await materializePackage(request);
    await writeFile(manifest, JSON.stringify({ ...(await readJson(manifest)), note: "kept" }));
    const updated = { ...request, recommendedParameters: { confidence: 0.9, perClassConfidence: null } };
    expect(await materializePackage(updated)).toMatchObject({ bytesDownloaded: 0 });
    expect(await readJson(manifest)).toMatchObject({ recommended_parameters: { confidence: 0.9 }, note: "kept" });
    for (const changed of [
      { ...request, architecture: "yolov9" },
      { ...request, taskType: "classification" },
      { ...request, canonicalModelId: "other" },
      { ...request, package: { ...request.package, backend: "trt" as const } },
      { ...request, package: packageMetadata([weights, { ...names, md5Hash: "0".repeat(32) }]) },
      { ...request, package: packageMetadata([weights]) },
    ]) {
      await expect(materializePackage(changed)).rejects.toMatchObject({
        name: "CorruptedModelPackageError",
        kind: "manifest",
        path: directory,
      });
    }
  });

  it("is taken over from the Python library's cache", async () => {
    const { request, manifest, requests } = await scene();
    await materializePackage(request);
    const { artifact_placements: _, ...python } = await readJson(manifest);
    await writeFile(manifest, JSON.stringify(python));
    expect(await materializePackage(request)).toMatchObject({ bytesDownloaded: 0 });
    expect(await materializePackage(request)).toMatchObject({ fromCache: true });
    expect(requests()).toBe(2);
  });

  it.each(["{", "[]", '{"offline_manifest_version": 4, "package_artifacts": "none"}'])(
    "is built anew when its manifest is %s",
    async (text) => {
      const { request, manifest, requests } = await scene();
      await materializePackage(request);
      const good = await readJson(manifest);
      await writeFile(manifest, text);
      setLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
      await materializePackage(request);
      expect(await readJson(manifest)).toEqual(good);
      expect(requests()).toBe(2);
    },
  );

  it("is repaired when a blob was damaged, and says where the damaged one went", async () => {
    const { request, home, weights } = await scene();
    await materializePackage(request);
    const warnings: string[] = [];
    setLogger({ debug: () => undefined, info: () => undefined, warn: (message) => warnings.push(message), error: () => undefined });
    const blob = join(home, "shared-blobs", weights.md5Hash ?? "");
    await writeFile(blob, bytesOf(2_000_000, 99));
    expect(await materializePackage(request)).toMatchObject({ bytesDownloaded: WEIGHTS.length, fromCache: false });
    expect(md5Of(await readFile(blob))).toBe(weights.md5Hash);
    expect(await filesUnder(join(home, "quarantine"))).toHaveLength(1);
    expect(warnings.join()).toContain(join(home, "quarantine"));
  });

  it.each(["missing", "broken", "foreign"])("gets a new link where its link is %s", async (how) => {
    const { request, directory, weights } = await scene();
    await materializePackage(request);
    const link = join(directory, "weights.onnx");
    await rm(link);
    const foreign = join(directory, "..", "foreign");
    await writeFile(foreign, "foreign");
    if (how === "broken") await symlink(join(directory, "absent"), link);
    if (how === "foreign") await symlink(foreign, link);
    expect(await materializePackage(request)).toMatchObject({ bytesDownloaded: 0 });
    expect(md5Of(await readFile(link))).toBe(weights.md5Hash);
    expect(await readFile(foreign, "utf8")).toBe("foreign");
  });

  it("is rid of what a writer left that was killed, and of nothing else", async () => {
    const { request, directory } = await scene();
    await mkdir(join(directory, "nested"), { recursive: true });
    const left = ".model_config.json.0b7f6c0e-38a5-4b63-9f0c-0a1f3f6f5f10.lock";
    for (const name of [left, join("nested", left), ".notes.lock", "notes.txt"]) await writeFile(join(directory, name), "{");
    await materializePackage(request);
    const mine = [".notes.lock", "notes.txt"];
    expect(await filesUnder(directory)).toEqual([...mine, "model_config.json", "nested", "nested/class_names.txt", "weights.onnx"].sort());
  });

  it("leaves a file of the user's where a link belongs, and refuses it unless its content is right", async () => {
    const { request, directory } = await scene();
    await materializePackage(request);
    const path = join(directory, "weights.onnx");
    await rm(path);
    await writeFile(path, WEIGHTS);
    expect(await materializePackage(request)).toMatchObject({ bytesDownloaded: 0 });
    expect((await lstat(path)).isFile()).toBe(true);
    expect(await readJson(join(directory, "model_config.json"))).toMatchObject({ artifact_placements: { "weights.onnx": "copy" } });
    await writeFile(path, "mine");
    await expect(materializePackage(request)).rejects.toMatchObject({ name: "CorruptedModelPackageError", path });
    expect(await readFile(path, "utf8")).toBe("mine");
  });

  it("reads a file again once its time has changed, in whichever direction", async () => {
    const { request, home, weights } = await scene();
    await materializePackage(request);
    const blob = join(home, "shared-blobs", weights.md5Hash ?? "");
    for (const time of [new Date(0), new Date(Date.now() + 1e11)]) {
      await utimes(blob, time, time);
      const verified: string[] = [];
      const onProgress = (event: ProgressEvent) => event.type === "verifying" && verified.push(event.file);
      expect(await materializePackage(request, { onProgress })).toMatchObject({ fromCache: true });
      expect(verified).toEqual(["weights.onnx"]);
    }
  });

  it("links the packages that it depends on", async () => {
    const { request, directory } = await scene();
    const base = await scene({ home: request.home, cacheModelId: "base/1", canonicalModelId: "base/1" });
    const made = await materializePackage({ ...base.request, home: request.home });
    const dependency = {
      name: "base",
      modelId: "base/1",
      modelPackageId: null,
      directory: made.directory,
      cacheModelId: "base/1",
      canonicalModelId: "base/1",
      packageId: "package1",
    };
    await materializePackage({ ...request, dependencies: [dependency] });
    expect(await readlink(join(directory, "model_dependencies", "base"))).toBe(made.directory);
    expect(await readJson(join(directory, "model_config.json"))).toMatchObject({
      model_dependencies: [{ name: "base", model_id: "base/1", model_package_id: null }],
      dependency_package_paths: [
        { name: "base", target_path: made.directory, package_manifest_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ],
    });
    expect(await materializePackage({ ...request, dependencies: [dependency] })).toMatchObject({ fromCache: true });
    await expect(materializePackage({ ...request, dependencies: [{ ...dependency, name: "../x" }] })).rejects.toThrow(
      CorruptedModelPackageError,
    );
  });
});

describe("files without a hash", () => {
  it("are refused unless allowed, and then known by their own hash", async () => {
    const unhashed = { ...artefact("notes.txt", Buffer.from("notes")), md5Hash: null };
    const home = await temporaryHome();
    const request = materializeRequest(home, packageMetadata([unhashed]));
    await expect(materializePackage(request)).rejects.toMatchObject({ name: "UntrustedFileError", files: ["notes.txt"] });
    expect(existsSync(join(home, "models-cache"))).toBe(false);
    const options = { downloadFilesWithoutHash: true };
    const { directory } = await materializePackage(request, options);
    expect(await materializePackage(request, options)).toMatchObject({ fromCache: true });
    await writeFile(join(directory, "notes.txt"), "other");
    expect(await materializePackage(request, options)).toMatchObject({ bytesDownloaded: 5 });
    expect(await readFile(join(directory, "notes.txt"), "utf8")).toBe("notes");
    await rm(join(directory, "model_config.json"));
    // Nobody vouches for what is left.
    expect(await materializePackage(request, options)).toMatchObject({ bytesDownloaded: 5 });
    await expect(materializePackage(request)).rejects.toThrow(UntrustedFileError);
  });
});

describe("files that are on disk already", () => {
  it("are verified where they are, and never fetched", async () => {
    const { request, directory } = await scene();
    const local: ArtefactSpecs = { kind: "local", fileHandle: "weights.onnx", md5Hash: md5Of(WEIGHTS) };
    const localRequest = { ...request, package: packageMetadata([local], { packageSource: "local_cache" }) };
    await expect(materializePackage(localRequest)).rejects.toThrow(CorruptedModelPackageError);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "weights.onnx"), WEIGHTS);
    expect(await materializePackage(localRequest)).toMatchObject({ bytesDownloaded: 0 });
    expect(await materializePackage(localRequest)).toMatchObject({ fromCache: true });
  });
});

describe("what a provider announces", () => {
  it.each(["../escape", "/etc/passwd", "a/../../escape", "model_config.json", "model_dependencies/x", ".x.lock", "con", "a\\b", ""])(
    "is refused when a file is called %j",
    async (fileHandle) => {
      const { request, home } = await scene();
      const hostile = { ...artefact("x", NAMES), fileHandle };
      await expect(materializePackage({ ...request, package: packageMetadata([hostile]) })).rejects.toThrow(CorruptedModelPackageError);
      expect(await filesUnder(home)).toEqual([]);
    },
  );

  it.each(["../other", "a-b", "", "con", "a/b"])("is refused when a package is called %j", async (packageId) => {
    const { request, home } = await scene();
    await expect(materializePackage({ ...request, package: { ...request.package, packageId } })).rejects.toThrow(
      InsecureModelIdentifierError,
    );
    expect(await filesUnder(home)).toEqual([]);
  });

  it("does not leave the package through a folder that is a link", async () => {
    const { request, directory, home } = await scene();
    const outside = join(home, "outside");
    await mkdir(outside);
    await mkdir(directory, { recursive: true });
    await symlink(outside, join(directory, "nested"));
    await expect(materializePackage(request)).rejects.toThrow(CorruptedModelPackageError);
    expect(await filesUnder(outside)).toEqual([]);
  });

  it("is not believed when its hash is wrong: nothing is left of the package but its folder", async () => {
    const { request, directory, names, home } = await scene();
    const wrong = { ...artefact("weights.onnx", WEIGHTS), md5Hash: "0".repeat(32) };
    await expect(materializePackage({ ...request, package: packageMetadata([names, wrong]) })).rejects.toThrow(FileHashSumMismatchError);
    expect(existsSync(join(directory, "model_config.json"))).toBe(false);
    expect((await verifyCache({ home })).problems).toMatchObject([{ problem: "no-manifest" }]);
    expect(await filesUnder(join(home, "shared-blobs"))).not.toContain("0".repeat(32));
  });

  it("may have expired, which is told apart so that new addresses can be asked for; then what was fetched stays", async () => {
    const { request, weights, names } = await scene();
    const expired = { ...weights, downloadUrl: `${weights.downloadUrl}?X-Amz-Signature=old` };
    server.fail(weights.path, { kind: "status", status: 403 });
    const failed = materializePackage({ ...request, package: packageMetadata([expired, names]) });
    await expect(failed).rejects.toMatchObject({ isRetryable: true, name: "DownloadLinkExpiredError" });
    await expect(failed).rejects.toThrow(DownloadLinkExpiredError);
    const renewed = { ...weights, downloadUrl: `${weights.downloadUrl}?X-Amz-Signature=new` };
    expect(await materializePackage({ ...request, package: packageMetadata([renewed, names]) })).toMatchObject({ fromCache: false });
  });
});

describe("a caller that gives up", () => {
  it("gets its own reason at once, and the next one goes on", async () => {
    const { request, weights } = await scene();
    server.serve(weights.path, { body: WEIGHTS, bytesPerSecond: 4_000_000 });
    const controller = new AbortController();
    const onProgress = (event: ProgressEvent) => {
      if (event.type === "download-progress" && event.bytes > 300_000) controller.abort(new Error("enough"));
    };
    await expect(materializePackage(request, { signal: controller.signal, onProgress })).rejects.toThrow("enough");
    server.serve(weights.path, { body: WEIGHTS });
    expect((await materializePackage(request)).bytesDownloaded).toBeLessThan(WEIGHTS.length + NAMES.length);
  });
});
