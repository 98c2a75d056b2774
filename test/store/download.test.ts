import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { configure } from "../../src/configuration.js";
import {
  DownloadLinkExpiredError,
  FileHashSumMismatchError,
  ForbiddenModelAccessError,
  ModelNotFoundError,
  ModelRetrievalError,
  RetryError,
  UnauthorizedModelAccessError,
} from "../../src/errors.js";
import { fetchFile, type FetchedFile } from "../../src/store/download/fetch-file.js";
import { partialFolder } from "../../src/store/download/partial-file.js";
import { callProgress } from "../../src/store/download/progress.js";
import type { ProgressEvent } from "../../src/store/index.js";
import { FileServer, bytesOf, md5Of } from "../support/file-server.js";
import { temporaryHome } from "./support.js";

const BODY = bytesOf(3_000_000);
const MD5 = md5Of(BODY);

let server: FileServer;
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(() => server.close());
afterEach(() => configure({}));

interface Fetching {
  readonly md5?: string | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: ProgressEvent) => void;
  readonly hashWhileDownloading?: boolean;
}

async function fetchTo(
  target: string,
  url: string,
  { md5 = MD5, signal, onProgress, hashWhileDownloading = true }: Fetching = {},
): Promise<FetchedFile> {
  return fetchFile(
    { file: "weights.onnx", url, target, md5 },
    { signal, progress: callProgress(1, onProgress).file("weights.onnx"), hashWhileDownloading },
  );
}

let counter = 0;
/** A file served under a name of its own, and a place for it. */
async function scene(options: { readonly acceptRanges?: boolean; readonly etag?: string | null; readonly bytesPerSecond?: number } = {}) {
  const path = `/file${++counter}`;
  const target = join(await temporaryHome(), "weights.onnx");
  return { path, target, url: server.serve(path, { body: BODY, ...options }) };
}

const rangesOf = (path: string) => server.requests.filter((request) => request.path === path).map(({ range }) => range);

describe("a download", () => {
  it("is whole, verified and leaves nothing else", async () => {
    const { url, target } = await scene();
    expect(await fetchTo(target, url)).toEqual({ bytes: BODY.length, digest: MD5 });
    expect(md5Of(await readFile(target))).toBe(MD5);
    expect(await readdir(join(target, ".."))).toEqual(["weights.onnx"]);
  });

  it("can be verified afterwards as well", async () => {
    const { url, target } = await scene();
    expect((await fetchTo(target, url, { hashWhileDownloading: false })).digest).toBe(MD5);
    const other = await scene();
    await expect(fetchTo(other.target, other.url, { hashWhileDownloading: false, md5: "0".repeat(32) })).rejects.toThrow(
      FileHashSumMismatchError,
    );
  });

  it("gives the SHA-256 of a file without a published hash", async () => {
    const { url, target } = await scene();
    expect((await fetchTo(target, url, { md5: null })).digest).toBe(createHash("sha256").update(BODY).digest("hex"));
  });

  it("takes an empty file", async () => {
    const target = join(await temporaryHome(), "empty");
    const url = server.serve("/empty", { body: Buffer.alloc(0) });
    expect(await fetchTo(target, url, { md5: md5Of(Buffer.alloc(0)) })).toMatchObject({ bytes: 0 });
    expect(await readFile(target)).toHaveLength(0);
  });

  it("goes on where the connection broke, as often as it takes while it gets on", async () => {
    const { url, path, target } = await scene();
    const resets = Array.from({ length: 6 }, () => ({ kind: "reset", afterBytes: 400_000 }) as const);
    server.fail(path, ...resets);
    expect((await fetchTo(target, url)).bytes).toBe(BODY.length);
    expect(md5Of(await readFile(target))).toBe(MD5);
    const starts = rangesOf(path).map((range) => Number(/\d+/.exec(range ?? "bytes=0-")?.[0]));
    expect(starts).toHaveLength(7);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.at(-1)).toBeGreaterThan(2_000_000);
  });

  it.each([
    ["does not support ranges", { acceptRanges: false }, [{ kind: "reset", afterBytes: 400_000 }]],
    ["ignores a range", {}, [{ kind: "reset", afterBytes: 400_000 }, { kind: "range-ignored" }]],
    ["answers with another range", {}, [{ kind: "reset", afterBytes: 400_000 }, { kind: "wrong-range" }]],
    ["has no validator", { etag: null }, [{ kind: "reset", afterBytes: 400_000 }]],
    ["is busy", {}, [{ kind: "status", status: 503 }]],
    ["asks for patience", {}, [{ kind: "status", status: 429, retryAfter: "1" }]],
    ["cuts the answer short without saying so", {}, [{ kind: "cut", afterBytes: 400_000 }]],
    ["sends another content once", {}, [{ kind: "content", body: bytesOf(3_000_000, 2) }]],
    ["drips", {}, [{ kind: "drip", pieceBytes: 300_000, pauseMilliseconds: 30 }]],
  ] as const)("succeeds when the server %s", async (_what, options, faults) => {
    const { url, path, target } = await scene(options);
    server.fail(path, ...faults);
    await fetchTo(target, url);
    expect(md5Of(await readFile(target))).toBe(MD5);
    expect(existsSync(partialFolder(target))).toBe(false);
  });

  it("waits for as long as the server asks", async () => {
    const { url, path, target } = await scene();
    server.fail(path, { kind: "status", status: 429, retryAfter: "1" });
    const waits: number[] = [];
    await fetchTo(target, url, { onProgress: (event) => event.type === "download-retry" && waits.push(event.waitSeconds) });
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(1);
  });

  it("begins again when the file on the server has changed meanwhile", async () => {
    const { url, path, target } = await scene();
    server.fail(path, { kind: "content", body: bytesOf(3_000_000, 9) });
    const controller = new AbortController();
    server.serve(path, { body: bytesOf(3_000_000, 9), bytesPerSecond: 20_000_000 });
    const aborting = fetchTo(target, url, {
      signal: controller.signal,
      onProgress: (event) => event.type === "download-progress" && event.bytes > 1_100_000 && controller.abort(new Error("stop")),
    });
    await expect(aborting).rejects.toThrow("stop");
    server.serve(path, { body: BODY });
    expect((await fetchTo(target, url)).bytes).toBe(BODY.length);
    expect(md5Of(await readFile(target))).toBe(MD5);
  });

  it("follows redirections", async () => {
    const { url, target } = await scene();
    server.fail("/moved", { kind: "redirect", location: url });
    await fetchTo(target, `${server.origin}/moved`);
    expect(md5Of(await readFile(target))).toBe(MD5);
  });

  it("copies and verifies local files", async () => {
    const home = await temporaryHome();
    await writeFile(join(home, "source file"), BODY);
    const url = pathToFileURL(join(home, "source file")).href;
    await fetchTo(join(home, "target"), url);
    expect(md5Of(await readFile(join(home, "target")))).toBe(MD5);
    await expect(fetchTo(join(home, "other"), url, { md5: "0".repeat(32) })).rejects.toThrow(FileHashSumMismatchError);
    await expect(fetchTo(join(home, "other"), pathToFileURL(join(home, "absent")).href)).rejects.toThrow(ModelRetrievalError);
    expect(existsSync(join(home, "other"))).toBe(false);
  });

  it("is gone on with by the next one after it was given up, and only what is missing is fetched", async () => {
    const { url, path, target } = await scene({ bytesPerSecond: 20_000_000 });
    const controller = new AbortController();
    const first = fetchTo(target, `${url}?X-Amz-Signature=one&X-Amz-Date=1`, {
      signal: controller.signal,
      onProgress: (event) => event.type === "download-progress" && event.bytes > 1_000_000 && controller.abort(new Error("enough")),
    });
    await expect(first).rejects.toThrow("enough");
    expect(existsSync(target)).toBe(false);
    const events: ProgressEvent[] = [];
    const second = await fetchTo(target, `${url}?X-Amz-Signature=two&X-Amz-Date=2`, { onProgress: (event) => events.push(event) });
    expect(second.bytes).toBeLessThan(BODY.length);
    expect(events[0]).toMatchObject({ type: "download-started", resumedFrom: BODY.length - second.bytes });
    expect(events.at(-1)).toMatchObject({
      type: "download-finished",
      bytes: BODY.length,
      overall: { bytes: BODY.length, finishedFiles: 1 },
    });
    expect(rangesOf(path)).toEqual([undefined, `bytes=${BODY.length - second.bytes}-`]);
    expect(md5Of(await readFile(target))).toBe(MD5);
  });

  it("never goes on with bytes that are not the file's", async () => {
    const { url, target } = await scene();
    const folder = partialFolder(target);
    await mkdir(folder, { recursive: true });
    const source = "0".repeat(64);
    await writeFile(join(folder, "free.1.data"), bytesOf(1_000_000, 5));
    await writeFile(join(folder, "free.1.json"), JSON.stringify({ md5: MD5, source, etag: null, lastModified: null, length: BODY.length }));
    await fetchTo(target, url);
    expect(md5Of(await readFile(target))).toBe(MD5);
  });
});

describe("a download that fails", () => {
  it.each([
    [401, "", UnauthorizedModelAccessError],
    [403, "", ForbiddenModelAccessError],
    [404, "", ModelNotFoundError],
    [500, "", RetryError],
    [403, "?X-Goog-Signature=secret", DownloadLinkExpiredError],
    [400, "?X-Goog-Signature=secret", DownloadLinkExpiredError],
  ] as const)("says what status %i%s means, without secrets", async (status, query, type) => {
    const { url, path, target } = await scene();
    server.fail(path, { kind: "status", status });
    const error: unknown = await fetchTo(target, url + query).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ status, isRetryable: type === DownloadLinkExpiredError });
    expect(JSON.stringify(error)).not.toContain("secret");
    expect(existsSync(target)).toBe(false);
    expect(server.count(path)).toBe(1);
  });

  it("gives up after attempts that bring nothing", async () => {
    configure({ api: { callsMaxTries: 2 } });
    const { url, path, target } = await scene();
    server.fail(path, { kind: "status", status: 503 }, { kind: "status", status: 503 }, { kind: "status", status: 503 });
    await expect(fetchTo(target, url)).rejects.toMatchObject({ name: "RetryError", status: 503, attempts: 2, isRetryable: true });
    expect(server.count(path)).toBe(2);
  });

  it("gives up on a server that always breaks at the same place", async () => {
    configure({ api: { callsMaxTries: 2 } });
    const { url, path, target } = await scene({ acceptRanges: false });
    server.fail(path, ...Array.from({ length: 9 }, () => ({ kind: "reset", afterBytes: 400_000 }) as const));
    await expect(fetchTo(target, url)).rejects.toThrow(RetryError);
    expect(server.count(path)).toBeLessThan(6);
  });

  it("tries wrong content once more, and keeps none of it", async () => {
    const { url, path, target } = await scene();
    await expect(fetchTo(target, url, { md5: "0".repeat(32) })).rejects.toMatchObject({ expected: "0".repeat(32), actual: MD5 });
    expect(server.count(path)).toBe(2);
    expect(await readdir(join(target, ".."))).toEqual([]);
  });

  it("refuses an answer that was compressed on the way", async () => {
    const { url, path, target } = await scene();
    server.fail(path, { kind: "compressed" });
    await expect(fetchTo(target, url)).rejects.toThrow(/compressed/);
  });

  it("does not begin when the caller has given up already", async () => {
    const { url, path, target } = await scene();
    await expect(fetchTo(target, url, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    expect(server.count(path)).toBe(0);
  });
});
