import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CorruptedModelPackageError } from "../../src/errors.js";
import { readPackageFile, requirePackageFiles } from "../../src/packages/index.js";

let directory = "";
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "package-")));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function refusal(promise: Promise<unknown>): Promise<CorruptedModelPackageError> {
  const outcome = await promise.then(
    () => "accepted",
    (error: unknown) => error,
  );
  if (!CorruptedModelPackageError.is(outcome)) throw new Error(`not a CorruptedModelPackageError: ${String(outcome)}`);
  return outcome;
}

describe("requirePackageFiles", () => {
  it("gives absolute paths", async () => {
    writeFileSync(join(directory, "weights.onnx"), "");
    expect(await requirePackageFiles(directory, ["weights.onnx"])).toEqual({ "weights.onnx": join(directory, "weights.onnx") });
  });

  it("names the file that is missing, and keeps the cause", async () => {
    const error = await refusal(requirePackageFiles(directory, ["weights.onnx"]));
    expect(error.message).toContain("weights.onnx");
    expect(error).toMatchObject({ path: join(directory, "weights.onnx"), cause: { code: "ENOENT" } });
  });

  it.each(["../outside", "a/../../outside", ".", "..", ""])("does not leave the folder for %j", async (name) => {
    mkdirSync(join(directory, "a"));
    await refusal(requirePackageFiles(directory, [name]));
  });

  it("refuses a folder that does not exist", async () => {
    await refusal(requirePackageFiles(join(directory, "nowhere"), []));
  });
});

describe("readPackageFile", () => {
  const write = (content: string | Uint8Array): string => {
    const path = join(directory, "file.json");
    writeFileSync(path, content);
    return path;
  };

  it("reads UTF-8 and drops a byte-order mark", async () => {
    expect(await readPackageFile(write("\uFEFFnaïve 日本"))).toBe("naïve 日本");
  });

  it("refuses bytes that are not UTF-8 rather than changing names silently", async () => {
    await refusal(readPackageFile(write(Uint8Array.of(0x63, 0x61, 0x66, 0xe9))));
  });

  it("refuses what is not a file, or too large for a configuration", async () => {
    await refusal(readPackageFile(directory));
    await refusal(readPackageFile(join(directory, "nothing")));
    const large = write("");
    truncateSync(large, 1024 ** 3);
    expect((await refusal(readPackageFile(large))).message).toContain("at most");
  });

  it.runIf(process.platform === "linux")("does not wait for a pipe, named directly or through a link", async () => {
    const pipe = join(directory, "pipe");
    execFileSync("sh", ["-c", 'mkfifo "$0"', pipe]);
    symlinkSync(pipe, join(directory, "link"));
    await refusal(readPackageFile(pipe));
    await refusal(readPackageFile(join(directory, "link")));
  });
});
