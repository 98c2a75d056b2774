import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ImageDecodingError, ModelNotFoundError } from "../../src/errors.js";
import { packageRoot } from "../../src/package-root.js";
import { NotCovered, type AdapterTable } from "./adapter.js";
import { reportOf, tallyVectors } from "./tally.js";
import { readVectors, type Vector } from "./vectors.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vectors-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Made = Partial<Omit<Vector, "input">> & { readonly input?: unknown };

let serial = 0;
const vector = (made: Made): Vector => ({ id: `case-${serial++}`, function: "double", tags: [], ...made, input: made.input as never });

const TABLE: AdapterTable = {
  double: { "": ({ value }: { value: number }) => ({ value: 2 * value }) },
  sides: {
    cpu: () => ({ side: "cpu" }),
    reference: () => ({ side: "reference" }),
  },
  fail: {
    "": ({ how }: { how: string }) => {
      if (how === "picture") throw new ImageDecodingError("Not a picture.");
      if (how === "absent") throw new ModelNotFoundError("No such model.");
      if (how === "unsupported") throw new NotCovered("tensors are not accepted");
      throw new TypeError("Something else.");
    },
  },
};

async function run(...vectors: Made[]) {
  const tallies = await tallyVectors(vectors.map(vector), TABLE);
  return { ...reportOf(tallies), tallies };
}

const libraryError = (type: string) => ({ type, library: true });

describe("verdicts", () => {
  it("counts what passed and what failed, and says where it differs", async () => {
    const { lines, exitCode } = await run(
      { input: { value: 2 }, output: { value: 4 } },
      { id: "wrong", input: { value: 2 }, output: { value: 5 } },
    );
    expect(lines).toContain("double  1  1  0  0/0");
    expect(lines).toContain("    wrong: output.value: 5 expected, got 4");
    expect(lines.at(-1)).toBe("1 passed, 1 failed");
    expect(exitCode).toBe(1);
  });

  it("runs every implementation of a function", async () => {
    const { lines } = await run({ function: "sides", output: { side: "cpu" } });
    expect(lines).toEqual(expect.arrayContaining(["sides [cpu]  1  0  0  0/0", "sides [reference]  0  1  0  0/0"]));
  });

  it("accepts the named error and its subtypes, under the names of the vectors", async () => {
    const { lines, exitCode } = await run(
      { function: "fail", input: { how: "picture" }, error: libraryError("ImageDecodingError") },
      { function: "fail", input: { how: "picture" }, error: libraryError("ModelInputError") },
      { function: "fail", input: { how: "picture" }, error: libraryError("BaseInferenceModelsError") },
      { function: "fail", input: {}, error: { type: "ValueError", library: false } },
    );
    expect(lines).toContain("fail  4  0  0  0/0");
    expect(exitCode).toBe(0);
  });

  it.each([
    [
      "a supertype",
      { function: "fail", input: { how: "picture" }, error: libraryError("ImageTooLargeError") },
      "ImageTooLargeError expected",
    ],
    ["another error", { function: "fail", input: { how: "absent" }, error: libraryError("ModelInputError") }, "got ModelNotFoundError"],
    ["a plain error", { function: "fail", input: {}, error: libraryError("ModelInputError") }, "got TypeError"],
    ["a type that does not exist here", { function: "fail", input: {}, error: libraryError("NoSuchError") }, "NoSuchError expected"],
    ["a result", { input: { value: 1 }, error: libraryError("ModelInputError") }, "ModelInputError expected, got a result"],
    ["an error in place of a result", { function: "fail", input: {}, output: {} }, "unexpected TypeError: Something else."],
    [
      "an array that cannot be decoded",
      { input: { value: 1 }, output: { value: { dtype: "float32", shape: [1], data: "AA==" } } },
      "output.value",
    ],
  ])("fails for %s", async (_name, made, difference) => {
    const { lines, exitCode } = await run(made);
    expect(lines.find((line) => line.startsWith("    "))).toContain(difference);
    expect(exitCode).toBe(1);
  });

  it("counts functions without adapter and refused cases as not covered", async () => {
    const { lines, exitCode } = await run(
      { function: "unheard-of", output: {} },
      { function: "constructor", output: {} },
      { function: "fail", input: { how: "unsupported" }, output: {} },
    );
    expect(lines).toEqual(expect.arrayContaining(["unheard-of  0  0  1  0/0", "constructor  0  0  1  0/0", "fail  0  0  1  0/0"]));
    expect(lines.at(-1)).toBe("0 passed, 0 failed");
    expect(exitCode).toBe(0);
  });

  it("never fails for defects of the peer, and counts how many agree", async () => {
    const { lines, exitCode } = await run(
      { tags: ["peer-bug", "peer-bug:id-tie-break"], input: { value: 1 }, output: { value: 2 } },
      { tags: ["peer-bug:provider-options"], input: { value: 1 }, output: { value: 3 } },
      { tags: ["peer-quirk:unlisted-onnxruntime-means-opset-19"], input: { value: 1 }, output: { value: 3 } },
    );
    expect(lines).toContain("double  0  0  0  1/3");
    expect(exitCode).toBe(0);
  });

  it("counts other quirks like any case", async () => {
    const { lines } = await run({ tags: ["peer-quirk:minimum-above-maximum"], input: { value: 1 }, output: { value: 3 } });
    expect(lines).toContain("double  0  1  0  0/0");
  });

  it.each(["lax-coercion", "python-float-format", "python-number-format"])("does not cover %s cases that differ", async (tag) => {
    const { lines } = await run(
      { tags: [tag], input: { value: 1 }, output: { value: 3 } },
      { tags: [tag], input: { value: 1 }, output: { value: 2 } },
    );
    expect(lines).toContain("double  1  0  1  0/0");
  });
});

describe("report", () => {
  it("limits the failures shown, unless all are wanted", async () => {
    const wrong = Array.from({ length: 8 }, () => ({ input: { value: 1 }, output: { value: 0 } }));
    const { lines, tallies } = await run(...wrong);
    expect(lines.filter((line) => line.includes("expected, got"))).toHaveLength(5);
    expect(lines).toContain("    ... and 3 more (--all)");
    expect(reportOf(tallies, { allFailures: true }).lines.filter((line) => line.includes("expected, got"))).toHaveLength(8);
  });

  it("lists what is not covered on demand", async () => {
    const { tallies } = await run({ id: "gap", function: "unheard-of", output: {} });
    expect(reportOf(tallies).lines.join("\n")).not.toContain("gap");
    expect(reportOf(tallies, { notCovered: true }).lines).toContain("    not covered: gap: no adapter");
  });

  it("filters by part of a function's name or of an id", async () => {
    const vectors = [{ id: "a-1" }, { id: "b-2" }, { id: "c-3", function: "sides" }].map(vector);
    const names = async (filter: string) =>
      [...(await tallyVectors(vectors, TABLE, filter)).values()].reduce((sum, { failed }) => sum + failed, 0);
    expect([await names("a-1"), await names("double"), await names("sides"), await names("nothing")]).toEqual([1, 2, 2, 0]);
  });

  it("is a failure when no case was found", () => {
    expect(reportOf(new Map())).toMatchObject({ exitCode: 1, lines: expect.arrayContaining(["0 passed, 0 failed"]) as unknown });
  });
});

describe("reading", () => {
  const lines = (...ids: string[]) => ids.map((id) => JSON.stringify({ id, function: "f", tags: [] })).join("\n");
  const readIds = async () => {
    const ids: string[] = [];
    for await (const { id } of readVectors(directory)) ids.push(id);
    return ids;
  };

  it("reads every plain and compressed file, and nothing else", async () => {
    writeFileSync(join(directory, "one.jsonl"), `${lines("a", "b")}\n\n`);
    writeFileSync(join(directory, "two.jsonl.gz"), gzipSync(`${lines("c")}\r\n${lines("d")}`));
    writeFileSync(join(directory, "functions.json"), "{}");
    expect(await readIds()).toEqual(["a", "b", "c", "d"]);
  });

  it("breaks lines at line feeds only, and characters nowhere", async () => {
    const ids = ["line\u2028separator", "é".repeat(100_000), "next\u0085line"];
    writeFileSync(join(directory, "one.jsonl"), lines(...ids));
    expect(await readIds()).toEqual(ids);
  });

  it.each([
    ["broken JSON", Buffer.from(`${lines("a")}\n{"id":`), /one\.jsonl\.gz, line 2: /],
    ["a line that is no case", Buffer.from("{}"), /one\.jsonl\.gz, line 1: The case has no id/],
  ])("names the place of %s", async (_name, text, message) => {
    writeFileSync(join(directory, "one.jsonl.gz"), gzipSync(text));
    await expect(readIds()).rejects.toThrow(message);
  });

  it("does not take a truncated file for a short one", async () => {
    const whole = gzipSync(lines(...Array.from({ length: 1000 }, (_, index) => `case-${index}`)));
    writeFileSync(join(directory, "one.jsonl.gz"), whole.subarray(0, whole.length - 20));
    await expect(readIds()).rejects.toThrow(/one\.jsonl\.gz, line/);
  });
});

describe("the program", { timeout: 90_000 }, () => {
  const start = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "test/conformance/run.ts", ...args], {
      cwd: packageRoot,
      encoding: "utf8",
    });
    return { status, stderr, last: stdout.trimEnd().split("\n").at(-1) };
  };
  const roundUp = (id: string, value: number, expected: number) =>
    JSON.stringify({
      id,
      function: "round-up-to-multiple",
      input: { value, by: 32 },
      output: { value: expected },
      tags: [],
      source: "generated",
    });

  it("exits with 0 when all passed and with 1 when one failed", () => {
    writeFileSync(join(directory, "any-name.jsonl"), roundUp("right", 33, 64));
    expect(start("--dir", directory)).toMatchObject({ status: 0, last: "1 passed, 0 failed" });
    writeFileSync(join(directory, "other.jsonl.gz"), gzipSync(roundUp("wrong", 33, 65)));
    expect(start("--dir", directory)).toMatchObject({ status: 1, last: "1 passed, 1 failed" });
    expect(start("--dir", directory, "--filter", "right")).toMatchObject({ status: 0, last: "1 passed, 0 failed" });
  });

  it("exits with 1 for an empty folder", () => {
    expect(start("--dir", directory)).toMatchObject({ status: 1, last: "0 passed, 0 failed" });
  });

  it("says what is wrong with its arguments", () => {
    const absent = join(directory, "absent");
    expect(start("--dir", absent)).toMatchObject({ status: 2, stderr: expect.stringContaining(absent) as unknown });
    expect(start("--colour")).toMatchObject({ status: 2, stderr: expect.stringContaining("--colour") as unknown });
  });
});
