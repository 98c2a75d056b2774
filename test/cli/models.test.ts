/** The commands about models and their cache, with the package itself behind them, and a real provider. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { packageServices } from "../../src/cli/services.js";
import { detectorFiles, startModelHub, type ModelHub } from "../support/model-hub.js";
import { runCli, type Captured, type RunSettings } from "./support.js";

let home: string;
let hub: ModelHub;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "models-"));
  const files = detectorFiles();
  hub = await startModelHub([
    {
      modelId: "acme/bolts/3",
      aliases: ["bolts"],
      packages: [
        { packageId: "batch4", files, manifest: { staticBatchSize: 4 } },
        { packageId: "batch1", files },
        { packageId: "half", files, manifest: { quantization: "fp16" } },
      ],
    },
  ]);
  vi.stubEnv("INFERENCE_HOME", home);
  vi.stubEnv("ROBOFLOW_API_HOST", hub.origin);
  vi.stubEnv("ROBOFLOW_API_KEY", "");
  vi.stubEnv("API_CALLS_MAX_TRIES", "1");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

const cli = (argv: readonly string[], settings: RunSettings = {}): Promise<Captured> =>
  runCli(argv, { services: packageServices, ...settings });

/** One JSON document and nothing else on stdout. */
async function json(...argv: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await cli([...argv, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

describe("describe", () => {
  it("prints the packages of a model as a table", async () => {
    const { code, stdout } = await cli(["describe", "bolts", "--sizes"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/acme\/bolts\/3 \(asked for as bolts\)/);
    expect(stdout).toMatch(/batch4 +onnx +4 +fp32 +0\.0 MB +yes/);
    expect(stdout).toMatch(/half +onnx +1 +fp16/);
  });

  it("prints one package with its files", async () => {
    const { stdout } = await cli(["describe", "bolts", "--package", "batch1"]);
    expect(stdout).toMatch(/weights\.onnx/);
    expect(await json("describe", "bolts", "--package", "batch1")).toMatchObject({ packageId: "batch1", backend: "onnx" });
    expect(await json("describe", "bolts")).toMatchObject({ modelId: "acme/bolts/3" });
  });

  it("ends with 1 and the reason for a model that nobody has", async () => {
    const { code, stdout, stderr } = await cli(["describe", "acme/nuts/1"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/acme\/nuts\/1/);
    expect(stderr).toMatch(/docs\/errors\//);
  });
});

describe("download", () => {
  it("says with --dry-run what it would do, and does nothing", async () => {
    const { code, stdout } = await cli(["download", "bolts", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/package +batch1 \(onnx, fp32\) on cpu/);
    expect(stdout).toMatch(/not used +half: .*\([A-Z_]+\)/);
    expect(await json("download", "bolts", "--dry-run")).toMatchObject({ chosen: { packageId: "batch1" } });
    expect(await readdir(home)).toEqual([]);
  });

  it("fetches the package, showing progress on a terminal only", async () => {
    const { code, stdout, stderr } = await cli(["download", "bolts"], { tty: true });
    expect(code).toBe(0);
    expect(stderr).toMatch(/Downloading .*3 files/);
    const [line = "", directory = ""] = stdout.trimEnd().split("\n");
    expect(line).toMatch(/^acme\/bolts\/3, package batch1: .* MB downloaded$/);
    expect(await readdir(directory)).toContain("weights.onnx");
    expect(await json("download", "bolts")).toMatchObject({ directory, bytesDownloaded: 0 });
  });
});

describe("cache", () => {
  it("lists, verifies and removes", async () => {
    expect((await cli(["cache", "ls"])).stdout).toContain("is empty");
    const { directory } = (await json("download", "bolts")) as { readonly directory: string };
    expect((await cli(["cache", "ls"])).stdout).toMatch(/acme\/bolts\/3 +batch1 +onnx +0\.0 MB +\d{4}-.* +no/);
    expect(await json("cache", "ls")).toMatchObject({ packages: [{ packageId: "batch1", directory }] });
    expect(await cli(["cache", "verify"])).toMatchObject({ code: 0, stdout: "3 files of 1 packages checked, all right\n" });

    await writeFile(join(directory, "weights.onnx"), "wrong");
    const damaged = await cli(["cache", "verify"]);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(/weights\.onnx: /);

    expect(await cli(["cache", "rm", "nuts"])).toMatchObject({ code: 1, stdout: 'The cache holds nothing of "nuts".\n' });
    expect(await cli(["cache", "rm", "acme/bolts/3"])).toMatchObject({ code: 0, stdout: expect.stringContaining(`removed ${directory}`) });
    expect((await cli(["cache", "ls"])).stdout).toContain("is empty");
  });

  it("is pruned by size and by age", async () => {
    await json("download", "bolts");
    expect(await json("cache", "prune", "--max-size", "1G", "--older-than", "1d")).toMatchObject({ removed: [] });
    expect(await json("cache", "prune", "--max-size", "0")).toMatchObject({ removed: [expect.stringContaining("batch1")] });
    expect(await json("cache", "ls")).toMatchObject({ packages: [], totalBytes: 0 });
    const { code, stderr } = await cli(["cache", "prune", "--max-size", "much"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/500M or 20G/);
  });
});
