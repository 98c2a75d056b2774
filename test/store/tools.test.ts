import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CorruptedModelPackageError, UntrustedFileError } from "../../src/errors.js";
import { artefactSizes, downloadFilesToDirectory, getModelPackageContents, hashContent } from "../../src/store/index.js";
import { FileServer, bytesOf, md5Of } from "../support/file-server.js";
import { filesUnder, temporaryHome } from "./support.js";

const BODY = bytesOf(200_000, 61);

let server: FileServer;
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(() => server.close());

describe("downloading files to a folder", () => {
  it("names them after their handle or their hash, and fetches only what is not there", async () => {
    const downloadUrl = server.serve("/tool", { body: BODY });
    const files = [{ fileHandle: "nested/weights.onnx", downloadUrl, md5Hash: md5Of(BODY) }];
    const folder = join(await temporaryHome(), "new");
    const paths = await downloadFilesToDirectory(folder, files);
    expect(paths).toEqual({ "nested/weights.onnx": join(folder, "nested", "weights.onnx") });
    await downloadFilesToDirectory(folder, files);
    expect(server.count("/tool")).toBe(1);
    // A file that is there with another content is none that is there.
    await writeFile(join(folder, "nested", "weights.onnx"), "other");
    await downloadFilesToDirectory(folder, files);
    expect(md5Of(await readFile(join(folder, "nested", "weights.onnx")))).toBe(md5Of(BODY));
    expect(await downloadFilesToDirectory(folder, files, { nameAfter: "md5_hash" })).toEqual({
      "nested/weights.onnx": join(folder, md5Of(BODY)),
    });
  });

  it("is done once by callers that ask at the same time", async () => {
    const downloadUrl = server.serve("/once", { body: BODY, bytesPerSecond: 1_000_000 });
    const folder = await temporaryHome();
    const files = [{ fileHandle: "weights.onnx", downloadUrl, md5Hash: md5Of(BODY) }];
    await Promise.all([1, 2, 3].map(() => downloadFilesToDirectory(folder, files)));
    expect(server.count("/once")).toBe(1);
  });

  it("refuses unsafe names and unverifiable files before anything is fetched", async () => {
    const downloadUrl = server.serve("/never", { body: BODY });
    const folder = join(await temporaryHome(), "new");
    const one = { fileHandle: "a", downloadUrl, md5Hash: null };
    await expect(downloadFilesToDirectory(folder, [one])).rejects.toThrow(UntrustedFileError);
    await expect(downloadFilesToDirectory(folder, [{ ...one, fileHandle: "../a", md5Hash: md5Of(BODY) }])).rejects.toThrow(
      CorruptedModelPackageError,
    );
    await expect(downloadFilesToDirectory(folder, [{ ...one, md5Hash: "../../a" }], { nameAfter: "md5_hash" })).rejects.toThrow(
      CorruptedModelPackageError,
    );
    await expect(downloadFilesToDirectory(folder, [one], { nameAfter: "other" as "md5_hash" })).rejects.toThrow(/nameAfter/);
    expect(existsSync(folder)).toBe(false);
    expect(server.count("/never")).toBe(0);
  });

  it("ends all downloads with the first that fails", async () => {
    const slow = server.serve("/slow", { body: bytesOf(2_000_000, 62), bytesPerSecond: 100_000 });
    server.fail("/gone", { kind: "status", status: 404 });
    const folder = await temporaryHome();
    const files = [
      { fileHandle: "slow", downloadUrl: slow, md5Hash: "0".repeat(32) },
      { fileHandle: "gone", downloadUrl: `${server.origin}/gone`, md5Hash: "0".repeat(32) },
    ];
    await expect(downloadFilesToDirectory(folder, files)).rejects.toMatchObject({ name: "ModelNotFoundError" });
    expect((await filesUnder(folder)).filter((name) => name === "slow" || name === "gone")).toEqual([]);
  });
});

describe("sizes", () => {
  it("come from servers and disks, and what is not known is null", async () => {
    const directory = await temporaryHome();
    await writeFile(join(directory, "local.txt"), "12345");
    const downloadUrl = server.serve("/size", { body: BODY });
    const sizes = await artefactSizes(
      [
        { kind: "download", fileHandle: "a", downloadUrl, md5Hash: null },
        { kind: "download", fileHandle: "b", downloadUrl: `${server.origin}/absent`, md5Hash: null },
        { kind: "local", fileHandle: "local.txt", md5Hash: "0".repeat(32) },
      ],
      { directory },
    );
    expect(sizes).toEqual({ files: { a: BODY.length, b: null, "local.txt": 5 }, totalBytes: BODY.length + 5, isComplete: false });
    expect(server.count("/size", "GET")).toBe(0);
  });
});

describe("files of a package", () => {
  it("are found by name, inside the package alone", async () => {
    const directory = await mkdtemp(join(tmpdir(), "package-"));
    await writeFile(join(directory, "weights.onnx"), "x");
    expect(Object.keys(await getModelPackageContents(directory, ["weights.onnx"]))).toEqual(["weights.onnx"]);
    await expect(getModelPackageContents(directory, ["absent"])).rejects.toThrow(CorruptedModelPackageError);
    await expect(getModelPackageContents(directory, ["../x"])).rejects.toThrow(CorruptedModelPackageError);
  });
});

describe("the hash of a value", () => {
  it("is that of its canonical text", () => {
    const text = '{"\\u00e4": [1, 2.5, null, true], "\\ud83d\\ude00": {"a": "\\u007f", "b": 1e-07}}';
    const value = { "😀": { b: 1e-7, a: "\u007f" }, ä: [1, 2.5, null, true] };
    expect(hashContent(value)).toBe(createHash("sha256").update(text).digest("hex"));
  });

  it("does not depend on the order of keys, and tells different values apart", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const wrapped = { x: a, y: b };
        expect(hashContent(wrapped)).toBe(hashContent({ y: b, x: a }));
        const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        // The sign of zero is not told apart by JSON.
        if (!isSame) expect(hashContent(a)).not.toBe(hashContent(b));
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
