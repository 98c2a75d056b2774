/** What only happens between processes: many at once, killed ones, wrong clocks, full and closed disks. */
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { CacheStorageError } from "../../src/errors.js";
import type { ArtefactSpecs } from "../../src/packages/index.js";
import { materializePackage, pruneCache, verifyCache, type MaterializeRequest } from "../../src/store/index.js";
import { FileServer, bytesOf, md5Of } from "../support/file-server.js";
import { filesUnder, materializeRequest, packageMetadata, temporaryHome } from "./support.js";

let server: FileServer;
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(() => server.close());

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

const SCRIPT = fileURLToPath(new URL("children/materialize.ts", import.meta.url));
/** Compiled once: starting a process is what these tests wait for. */
let program = "";
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-child-"));
  await chmod(folder, 0o755);
  program = join(folder, "materialize.mjs");
  // By which the library finds itself.
  await writeFile(join(folder, "package.json"), '{"name": "inference-models", "version": "0.0.0"}');
  const { build } = await import("esbuild");
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
  await build({
    entryPoints: [SCRIPT],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner,
    logLevel: "error",
  });
});

function start(request: MaterializeRequest, clock = "", options: SpawnOptions = {}, command: readonly string[] = []): ChildProcess {
  const [first, ...rest] = [...command, process.execPath, program, JSON.stringify(request), "{}", clock];
  const child = spawn(first, rest, { stdio: ["ignore", "pipe", "inherit"], ...options });
  children.push(child);
  return child;
}

interface ChildOutcome {
  readonly bytesDownloaded?: number;
  readonly fromCache?: boolean;
  readonly error?: { readonly name: string; readonly code: string; readonly bytesNeeded?: number };
}

async function outcome(child: ChildProcess): Promise<ChildOutcome> {
  let text = "";
  child.stdout?.on("data", (piece: Buffer) => (text += piece.toString()));
  await once(child, "close");
  if (text === "") throw new Error(`The process ended without a result (code ${child.exitCode}, signal ${child.signalCode}).`);
  return JSON.parse(text) as ChildOutcome;
}

let counter = 0;
function artefact(
  fileHandle: string,
  body: Buffer,
  bytesPerSecond?: number,
): ArtefactSpecs & { readonly kind: "download"; readonly path: string } {
  const path = `/${++counter}/${fileHandle}`;
  const downloadUrl = server.serve(path, { body, ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }) });
  return { kind: "download", fileHandle, md5Hash: md5Of(body), downloadUrl, path };
}

const sum = (outcomes: readonly ChildOutcome[]): number => outcomes.reduce((total, { bytesDownloaded = 0 }) => total + bytesDownloaded, 0);

describe("sixteen processes that load the same package at once", () => {
  it("fetch each file once, and all get it", { timeout: 120_000 }, async () => {
    const weights = artefact("weights.onnx", bytesOf(1_500_000, 21), 1_500_000);
    const names = artefact("class_names.txt", Buffer.from("cat\n"));
    const home = await temporaryHome();
    const request = materializeRequest(home, packageMetadata([weights, names]));
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => outcome(start(request))));
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    expect([server.count(weights.path), server.count(names.path)]).toEqual([1, 1]);
    expect(sum(outcomes)).toBe(1_500_004);
    expect((await verifyCache({ home })).problems).toEqual([]);
  });

  it("fetch each file once also when their clocks are a year apart", { timeout: 120_000 }, async () => {
    const weights = artefact("weights.onnx", bytesOf(800_000, 22), 800_000);
    const request = materializeRequest(await temporaryHome(), packageMetadata([weights]));
    const outcomes = await Promise.all(Array.from({ length: 4 }, (_, index) => outcome(start(request, index % 2 === 0 ? "shifted" : ""))));
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(server.count(weights.path)).toBe(1);
    expect(await materializePackage(request)).toMatchObject({ fromCache: true });
  });

  it("fetch what two packages share once", { timeout: 120_000 }, async () => {
    const weights = artefact("weights.onnx", bytesOf(800_000, 23), 800_000);
    const home = await temporaryHome();
    const requests = ["packageA", "packageB", "packageC"].map((packageId) =>
      materializeRequest(home, packageMetadata([weights], { packageId })),
    );
    expect(sum(await Promise.all(requests.map((request) => outcome(start(request)))))).toBe(800_000);
    expect(server.count(weights.path)).toBe(1);
  });
});

/** INFERENCE_MODELS_TEST_KILLS: how often; more than the usual number takes minutes. */
const ROUNDS = Number(process.env["INFERENCE_MODELS_TEST_KILLS"] ?? 25);

describe("a process that is killed while it loads", () => {
  it(`never stands in the way of the next (${ROUNDS} times)`, { timeout: 60_000 + ROUNDS * 10_000 }, async () => {
    const home = await temporaryHome();
    let killed = 0;
    let resumed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bodies = [bytesOf(3_000_000, 1000 + round), bytesOf(700, 5000 + round)] as const;
      const artefacts = [artefact("weights.onnx", bodies[0], 6_000_000), artefact("class_names.txt", bodies[1])] as const;
      const request = materializeRequest(home, packageMetadata(artefacts, { packageId: `package${round}` }));
      const child = start(request);
      const end = once(child, "close");
      // Somewhere between the first look at the cache and the end.
      while (server.count(artefacts[0].path) === 0 && child.exitCode === null) await sleep(2);
      await sleep(Math.random() * 750);
      child.kill("SIGKILL");
      await end;
      if (child.signalCode === "SIGKILL") killed++;
      const { directory, bytesDownloaded } = await materializePackage(request);
      if (bytesDownloaded > 0 && bytesDownloaded < 3_000_000) resumed++;
      expect(md5Of(await readFile(join(directory, "weights.onnx")))).toBe(md5Of(bodies[0]));
      expect(md5Of(await readFile(join(directory, "class_names.txt")))).toBe(md5Of(bodies[1]));
      expect(await filesUnder(directory)).toEqual(["class_names.txt", "model_config.json", "weights.onnx"]);
    }
    expect(killed).toBeGreaterThan(ROUNDS / 4);
    expect(resumed).toBeGreaterThan(0);
    await pruneCache({ home });
    expect((await verifyCache({ home })).problems).toEqual([]);
    const blobs = await filesUnder(join(home, "shared-blobs"));
    expect(blobs.filter((name) => !/^[0-9a-f]{32}$/.test(name))).toEqual([]);
    expect(blobs).toHaveLength(2 * ROUNDS);
  });

  it("is found out by those who wait for it, and one of them goes on", { timeout: 60_000 }, async () => {
    const weights = artefact("weights.onnx", bytesOf(2_000_000, 31), 2_000_000);
    const request = materializeRequest(await temporaryHome(), packageMetadata([weights]));
    const first = start(request);
    while (server.count(weights.path) === 0) await sleep(5);
    const waiting = Array.from({ length: 3 }, () => outcome(start(request)));
    await sleep(500);
    first.kill("SIGKILL");
    const outcomes = await Promise.all(waiting);
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(outcomes.filter(({ bytesDownloaded = 0 }) => bytesDownloaded > 0)).toHaveLength(1);
    expect(server.count(weights.path)).toBe(2);
  });
});

describe("a disk", () => {
  /** A file system of one mebibyte, or null where none may be mounted. */
  async function smallDisk(): Promise<string | null> {
    const folder = await mkdtemp(join(tmpdir(), "store-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0777", "none", folder], { stdio: "ignore" });
      return folder;
    } catch {
      return null;
    }
  }

  it("that is too small is noticed before anything is fetched, and nothing is left on it", async (context) => {
    const home = await smallDisk();
    if (home === null) return context.skip("no file system may be mounted here");
    try {
      const weights = artefact("weights.onnx", bytesOf(2_000_000, 41));
      const request = materializeRequest(home, packageMetadata([weights]));
      const failure: unknown = await materializePackage(request).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(CacheStorageError);
      expect(failure).toMatchObject({ bytesNeeded: 2_000_000, path: join(home, "shared-blobs") });
      const small = artefact("weights.onnx", bytesOf(300_000, 42));
      await materializePackage(materializeRequest(home, packageMetadata([small])));
      expect((await verifyCache({ home })).problems).toEqual([]);
    } finally {
      execFileSync("umount", [home]);
    }
  });

  it("that fills up while a file is written keeps nothing of it", { timeout: 60_000 }, async () => {
    // A limit of the process on the size of files stands for the disk: writing fails in the same place.
    const weights = artefact("weights.onnx", bytesOf(3_000_000, 43));
    const home = await temporaryHome();
    const request = materializeRequest(home, packageMetadata([weights]));
    const { error } = await outcome(start(request, "", {}, ["bash", "-c", 'ulimit -f 1500; exec "$0" "$@"']));
    expect(error).toMatchObject({ name: "CacheStorageError", code: "CACHE_STORAGE" });
    expect((await filesUnder(join(home, "shared-blobs"))).filter((name) => name.endsWith(".data"))).toEqual([]);
    expect(await materializePackage(request)).toMatchObject({ bytesDownloaded: 3_000_000 });
  });

  it.runIf(process.platform !== "win32")(
    "that may only be read serves what is complete, and says what it cannot do",
    { timeout: 60_000 },
    async () => {
      const home = await temporaryHome();
      const there = materializeRequest(home, packageMetadata([artefact("weights.onnx", bytesOf(1000, 51))]));
      const absent = materializeRequest(home, packageMetadata([artefact("weights.onnx", bytesOf(1000, 52))], { packageId: "package2" }));
      await materializePackage(there);
      // Root may write everywhere, so the processes run as nobody.
      const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
      execFileSync("chmod", ["-R", "a-w,a+rX", home]);
      try {
        expect(await outcome(start(there, "", nobody))).toMatchObject({ fromCache: true });
        // What the platform says anew cannot be noted, and keeps nobody from loading.
        const renewed = { ...there, recommendedParameters: { confidence: 0.7, perClassConfidence: null } };
        expect(await outcome(start(renewed, "", nobody))).toMatchObject({ fromCache: true });
        expect(await outcome(start(absent, "", nobody))).toMatchObject({ error: { code: "CACHE_STORAGE" } });
      } finally {
        execFileSync("chmod", ["-R", "u+w", home]);
        await rm(home, { recursive: true });
      }
    },
  );

  it("that is no folder at all is reported as such", async () => {
    const file = join(await temporaryHome(), "file");
    await writeFile(file, "");
    const request = materializeRequest(join(file, "home"), packageMetadata([artefact("weights.onnx", bytesOf(10, 53))]));
    await expect(materializePackage(request)).rejects.toThrow(CacheStorageError);
  });
});
