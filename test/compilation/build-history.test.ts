import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { expectedSeconds, readBuildHistory, recordBuild, type BuildRecord } from "../../src/compilation/build-history.js";
import { setLogger } from "../../src/logger.js";
import { runChild } from "../support/child.js";
import { kindOfBuild } from "./history.js";

const record = (seconds: number, rest: Partial<BuildRecord> = {}): BuildRecord => ({
  ...kindOfBuild,
  heavyOperators: 10,
  seconds,
  ...rest,
});

let folder: string;
let path: string;
const messages: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inference-models-"));
  path = join(folder, "home", "tensorrt-builds.json");
  messages.length = 0;
  const refuse = (message: string): never => {
    throw new Error(`Louder than a message for developers: ${message}`);
  };
  setLogger({ debug: (message) => messages.push(message), info: refuse, warn: refuse, error: refuse });
});
afterEach(async () => {
  setLogger(null);
  await rm(folder, { recursive: true, force: true });
});

describe("the history of builds", () => {
  it("keeps what it is told, in order, and the newest two hundred of it", async () => {
    expect(await readBuildHistory(path)).toEqual([]);
    await recordBuild(record(1), path);
    await recordBuild(record(2), path);
    expect(await readBuildHistory(path)).toEqual([record(1), record(2)]);
    await writeFile(path, JSON.stringify(Array.from({ length: 200 }, (_, index) => record(index + 1))));
    await recordBuild(record(999), path);
    const seconds = (await readBuildHistory(path)).map((one) => one.seconds);
    expect([seconds.length, seconds[0], seconds.at(-1)]).toEqual([200, 2, 999]);
    expect(messages).toEqual([]);
  });

  it("loses nothing of two processes that record at once", async () => {
    const script = new URL("./children/record.ts", import.meta.url);
    const children = await Promise.all([100, 200].map((first) => runChild(script, [path, String(first), "12"])));
    for (const { code, stderr } of children) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const seconds = (await readBuildHistory(path)).map((one) => one.seconds);
    expect(seconds.filter((one) => one < 200)).toEqual(Array.from({ length: 12 }, (_, index) => 100 + index));
    expect(seconds.filter((one) => one >= 200)).toEqual(Array.from({ length: 12 }, (_, index) => 200 + index));
  }, 90_000);

  it.each([
    ["no JSON", "{", 0],
    ["cut off", JSON.stringify([record(1)]).slice(0, -5), 0],
    ["something else", '{"builds":[]}', 0],
    ["deep", "[".repeat(100_000), 0],
    ["too large", `[${" ".repeat(2 ** 20)}]`, 0],
    [
      "half of it",
      JSON.stringify([
        record(1),
        null,
        { ...record(2), seconds: -1 },
        { ...record(3), gpu: "x".repeat(1000) },
        { ...record(4), profiles: 1.5 },
        record(5),
      ]),
      2,
    ],
  ])("starts anew from a damaged file, or goes on with what is good of it: %s", async (_name, content, good) => {
    await mkdir(join(folder, "home"));
    await writeFile(path, content);
    expect(await readBuildHistory(path)).toHaveLength(good);
    expect(messages.length > 0).toBe(good === 0);
    await recordBuild(record(7), path);
    const after = await readBuildHistory(path);
    expect([after.length, after.at(-1)]).toEqual([good + 1, record(7)]);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(after);
  });

  it("is in nobody's way when it cannot be written, or is no file", async () => {
    await writeFile(join(folder, "home"), "a file where the cache should be");
    await recordBuild(record(1), path);
    expect(messages.join("\n")).toMatch(/was not written/);
    await rm(join(folder, "home"));
    await mkdir(path, { recursive: true });
    expect(await readBuildHistory(path)).toEqual([]);
    await recordBuild(record(1), path);
    expect(messages.at(-1)).toMatch(/was not written/);
    // Nothing half-done is left beside it.
    expect((await readdir(join(folder, "home"))).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("expectedSeconds", () => {
  it("scales builds of the same kind by what has to be measured", () => {
    const history = [record(20), record(60, { heavyOperators: 20 }), record(9, { heavyOperators: 3 })];
    // 20 s for 10, 60 s for 20 and 9 s for 3 are 2, 3 and 3 seconds each.
    expect(expectedSeconds(history, kindOfBuild, 40)).toEqual({ lowest: 80, highest: 120, builds: 3 });
  });

  it.each<Partial<BuildRecord>>([
    { gpu: "NVIDIA A100" },
    { computeCapability: "8.0" },
    { tensorRtVersion: "10.16.0.1" },
    { precision: "fp32" },
    { profiles: 2 },
    { timingCacheUsed: true },
    { heavyOperators: 0 },
  ])("takes nothing from a build with %j", (rest) => {
    expect(expectedSeconds([record(20, rest)], kindOfBuild, 40)).toBeNull();
    expect(expectedSeconds([record(20, rest), record(10)], kindOfBuild, 10)).toEqual({ lowest: 10, highest: 10, builds: 1 });
  });

  it("tells nothing of a network without anything to measure", () => expect(expectedSeconds([record(20)], kindOfBuild, 0)).toBeNull());
});
