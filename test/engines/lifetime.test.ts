import { describe, expect, test } from "vitest";

import { runChild } from "../support/child.js";

const program = (name: string): URL => new URL(`./children/${name}.ts`, import.meta.url);

describe("a process", () => {
  test.each([
    ["ends by itself with live sessions", "live-sessions", 0, ""],
    ["waits for a run that somebody awaits", "pending-run", 0, "counted 100000"],
    ["exits with its code during a run", "exit-during-run", 7, ""],
    ["exits with its code during a creation", "exit-during-creation", 7, ""],
    ["ends with 1 after an exception during a run", "exception-during-run", 1, ""],
  ])(
    "%s",
    async (_what, end, code, stdout) => {
      const result = await runChild(program("exit"), [end]);
      expect(result).toMatchObject({ code, signal: null, stdout });
      expect(result.stderr).toMatch(end === "exception-during-run" ? /^[^]*Error: on purpose[^]*$/ : /^$/);
    },
    60_000,
  );

  test("runs sessions in workers that end as they like", async () => {
    expect(await runChild(program("workers"))).toEqual({ code: 0, signal: null, stdout: "0,1,3", stderr: "" });
  }, 60_000);

  test("can hold two copies of the addon", async () => {
    const { code, stdout, stderr } = await runChild(program("two-copies"));
    expect(stderr).toBe("");
    expect(stdout).toBe("2,4,6;2,4,6;Expected a cancel token for cancel but received an object.");
    expect(code).toBe(0);
  }, 60_000);

  test("does not grow over thousands of runs and dropped sessions", async () => {
    // One arena: glibc gives every thread one of its own, and their number, not a leak, would decide how much is resident.
    const { code, stdout, stderr } = await runChild(program("memory"), [], ["--expose-gc"], { MALLOC_ARENA_MAX: "1" });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { inUse, grownMegabytes } = JSON.parse(stdout) as { inUse: number; grownMegabytes: number };
    expect(inUse).toBe(0);
    // Leaking only the inputs would be 140 MB.
    expect(grownMegabytes).toBeLessThan(30);
  }, 60_000);
});
