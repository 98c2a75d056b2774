/** scripts/gpu-check.sh as it is carried to a machine with a GPU, on the stand-ins: that all of it runs, not what it measures. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadAddon } from "../../src/native/index.js";
import { readVectors } from "../conformance/vectors.js";
import { fakePlan, nvidiaFakes } from "../support/nvidia-fakes.js";

const fakes = loadAddon() === null ? null : nvidiaFakes();

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const recorded = resolve("../shared/conformance");
if (!existsSync(recorded)) process.stderr.write("skipped: ../shared/conformance is not there\n");

/** Three of each function: all of them are tried in other tests. Nothing where there are none. */
async function writeSomeVectors(folder: string): Promise<void> {
  if (!existsSync(recorded)) return;
  const counts = new Map<string, number>();
  const lines: string[] = [];
  for await (const vector of readVectors(recorded)) {
    const count = (counts.get(vector.function) ?? 0) + 1;
    counts.set(vector.function, count);
    if (count <= 3) lines.push(JSON.stringify(vector));
  }
  mkdirSync(folder);
  writeFileSync(join(folder, "some.jsonl"), lines.join("\n"));
}

describe.skipIf(fakes === null)("gpu-check.sh", () => {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  const carried = join(scratch, "dist-gpu");
  const out = join(scratch, "report");
  const vectors = join(scratch, "vectors");

  function run(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    tensorRt = join(fakes!, "trt10"),
  ): Promise<Outcome> {
    const libraries = ["--cuda", join(fakes!, "cuda"), "--tensorrt", tensorRt];
    return new Promise((done) => {
      const child = execFile(
        "bash",
        [join(carried, "gpu-check.sh"), "--node", process.execPath, "--out", out, ...libraries, "--", ...args],
        { cwd: scratch, env: { ...process.env, INFERENCE_HOME: join(scratch, "home"), ...environment } },
        (_error, stdout, stderr) => done({ code: child.exitCode, stdout, stderr }),
      );
    });
  }

  beforeAll(async () => {
    await writeSomeVectors(vectors);
    execFileSync(process.execPath, [resolve("scripts/build-gpu-check.mjs"), "--output", carried, "--vectors", vectors], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }, 120_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("checks, measures and reports, with nothing but what was carried there", async () => {
    const engine = join(scratch, "engine.plan");
    writeFileSync(
      engine,
      fakePlan([10, 15, 1, 29], ["in images 0 4 -1 3 64 64", "out head 0 3 -1 7 30", "profile 0 images 4 1 3 64 64 1 3 64 64 8 3 64 64"]),
    );
    // Takes its options, says a word, and runs the rest.
    const tools = join(scratch, "tools");
    mkdirSync(tools);
    writeFileSync(
      join(tools, "compute-sanitizer"),
      '#!/usr/bin/env bash\nwhile [[ "$1" == --* ]]; do said="$said $1 $2"; shift 2; done\necho "=========$said"\nexec "$@"\n',
      { mode: 0o755 },
    );
    const { code, stdout, stderr } = await run(
      ["--engine", engine, "--rounds", "1", "--together", "1", "--fill-mib", "1", "--runs", "20"],
      {
        PATH: `${tools}${delimiter}${process.env["PATH"]}`,
      },
    );
    expect(stderr).toBe("");
    expect(stdout).not.toContain("FAILED");
    expect(code).toBe(0);
    const page = readFileSync(join(out, "gpu-check.md"), "utf8");
    expect(page).toMatch(/^# Stand-in GPU 0, \d{4}-\d\d-\d\d\n/);
    for (const part of [
      "- TensorRT, full: 10.15.1",
      "| preprocess 1920x1080 to 640x640, float16, letterbox | ",
      "| at most 15 us |",
      "| decode and suppress 8400 candidates of 80 classes, 210 above the threshold, download included | ",
      "| decode and suppress 8400 candidates of 80 classes, 8400 above the threshold, download included | ",
      "| the best of 300 queries of 91 classes, download included | ",
      "| 20x160x160 to a class for each pixel of 1920x1080, download included | ",
      "| the network alone at batch 8, GPU time | ",
      "| around the network at batch 1, tensors | ",
      "| around the network at batch 1, pictures of 1920x1080 | ",
      "| throughput at batch 8 with 3 in flight, of the network alone, tensors | ",
      "| 1 of 1920x1080 to ",
      "- The engine cut to half its length: ",
      "| yes | adaptive-equalization: 0 values differ from the CPU's |",
      "memcheck, preprocessing from Node: nothing found",
      "racecheck, preprocessing from Node: nothing found",
      "========= --tool racecheck --error-exitcode 86",
    ]) {
      expect(page).toContain(part);
    }
    expect(page).not.toContain("**no**");
    if (existsSync(recorded)) expect(page).toMatch(/\| yes \| decoding: 0 of [1-9]\d+ conformance vectors differ from the CPU's \|/);
    else expect(page).toContain("conformance vectors, which were not carried here");
  }, 300_000);

  it("checks and measures the kernels where there is no TensorRT, and says what it could not check", async () => {
    const nothing = join(scratch, "nothing");
    mkdirSync(nothing);
    const { code, stdout, stderr } = await run(["--rounds", "1", "--together", "1", "--fill-mib", "1"], {}, nothing);
    expect(stderr).toBe("");
    expect(stdout).not.toContain("FAILED");
    expect(code).toBe(0);
    const page = readFileSync(join(out, "gpu-check.md"), "utf8");
    expect(page).toMatch(/- Not checked: heads and key points behind engines\. /);
    expect(page).toMatch(/- Not checked: masks and maps behind engines\. /);
    for (const part of ["| decode and suppress 8400 candidates", "## C++ tests of results", "## compute-sanitizer"]) {
      expect(page).toContain(part);
    }
  }, 300_000);

  it("says in one line why it cannot check anything", async () => {
    const { code, stdout, stderr } = await run([], { FAKE_CUDA_DEVICES: "0" });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^There is no GPU to check here: .+\n$/);
  });

  it("says what is wrong with how it was called", async () => {
    for (const [args, message] of [
      [["--nod"], /^gpu-check: --nod is no option/],
      [["--node"], /^gpu-check: --node wants a value/],
      [["--node", join(scratch, "nothing")], /nothing does not run here/],
    ] as const) {
      const { code, stderr } = await new Promise<Outcome>((done) => {
        const child = execFile("bash", [join(carried, "gpu-check.sh"), ...args], (_error, stdout, text) =>
          done({ code: child.exitCode, stdout, stderr: text }),
        );
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
  });
});
