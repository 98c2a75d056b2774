import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, it } from "vitest";

import { FileLockTimeoutError } from "../../src/errors.js";
import { withFileLock } from "../../src/store/files/lock.js";
import { runChild } from "../support/child.js";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function lockDirectory(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "lock-")), "lock");
}

/** A process of its own that holds the lock now. */
async function holder(directory: string, how = "wait"): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("children/hold-lock.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, directory, how], { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

describe("a lock", () => {
  it("lets one process at a time do its work", async () => {
    const directory = await lockDirectory();
    const counter = join(directory, "..", "counter");
    await writeFile(counter, "0");
    const script = new URL("children/count-under-lock.ts", import.meta.url);
    const results = await Promise.all(Array.from({ length: 4 }, () => runChild(script, [directory, counter, "15"])));
    expect(results.map(({ stderr }) => stderr)).toEqual(["", "", "", ""]);
    expect(await readFile(counter, "utf8")).toBe("60");
  });

  it("lets one caller of the same process at a time do its work, and passes on results and failures", async () => {
    const directory = await lockDirectory();
    let inside = 0;
    let most = 0;
    const work = async (value: number): Promise<number> => {
      most = Math.max(most, ++inside);
      await sleep(5);
      inside--;
      if (value === 3) throw new Error("three");
      return value;
    };
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map((value) => withFileLock(directory, { timeoutSeconds: 20 }, () => work(value))),
    );
    expect(most).toBe(1);
    expect(results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
      1,
      2,
      "Error: three",
      4,
    ]);
  });

  it("is taken over from a process that was killed, without waiting", async () => {
    const directory = await lockDirectory();
    const child = await holder(directory);
    child.kill("SIGKILL");
    await once(child, "exit");
    // The timeout is longer than a test may take: what frees the lock is that its holder is seen to be dead.
    expect(await withFileLock(directory, { timeoutSeconds: 600 }, async () => "mine")).toBe("mine");
  });

  it("is let go when a process leaves in the middle of its work", async () => {
    const directory = await lockDirectory();
    const child = await holder(directory, "exit");
    child.stdin?.write("go");
    await once(child, "exit");
    expect(await readFile(join(directory, "1"), "latin1")).toContain("released");
  });

  it("waits for a holder that lives, and tells who it is", async () => {
    const directory = await lockDirectory();
    const child = await holder(directory);
    const seen: (number | null)[] = [];
    const waiting = withFileLock(directory, { timeoutSeconds: 2, onWait: ({ pid }) => seen.push(pid) }, async () => "after");
    // Longer than the timeout: what counts is that the holder shows signs of life.
    expect(await Promise.race([waiting, sleep(3500, "still waiting")])).toBe("still waiting");
    child.stdin?.write("go");
    expect(await waiting).toBe("after");
    expect(seen).toEqual([child.pid]);
  });

  it("times out on a holder that stands still but cannot be called dead", async () => {
    const directory = await lockDirectory();
    const child = await holder(directory);
    child.kill("SIGSTOP");
    const failure = await withFileLock(directory, { timeoutSeconds: 2 }, async () => "stolen").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FileLockTimeoutError);
    expect(failure).toMatchObject({ path: directory, message: expect.stringContaining(String(child.pid)) });
    child.kill("SIGCONT");
    child.stdin?.write("go");
    expect(await withFileLock(directory, { timeoutSeconds: 2 }, async () => "mine")).toBe("mine");
  });

  it.each([
    ["a process of the same number that began at another time", async () => `${(await ownName()).replace(/-\d+$/, "-1")}.token\n`, 2],
    ["a silent process of another machine", async () => "0123456789ab-1-1.token\n", 2],
    ["a holder that left no name", async () => "", 2],
  ])("is taken over from %s", async (_who, content, timeoutSeconds) => {
    const directory = await lockDirectory();
    await mkdir(directory);
    await writeFile(join(directory, "7"), await content());
    expect(await withFileLock(directory, { timeoutSeconds }, async () => "mine")).toBe("mine");
  });

  it("stops waiting when the caller gives up, with the caller's reason", async () => {
    const directory = await lockDirectory();
    await holder(directory);
    const controller = new AbortController();
    const waiting = withFileLock(directory, { timeoutSeconds: 20, signal: controller.signal }, async () => "never");
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(waiting).rejects.toThrow("enough");
  });
});

async function ownName(): Promise<string> {
  const { formatIdentity, ownIdentity } = await import("../../src/store/process-identity.js");
  return formatIdentity(ownIdentity());
}
