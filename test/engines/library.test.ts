import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { resolveLibrary } from "../../src/environment/index.js";
import { addonReport } from "../../src/native/index.js";
import { runChild } from "../support/child.js";

const directory = mkdtempSync(join(tmpdir(), "inference-models-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function reportWith(library: string, more: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runChild(new URL("./children/library.ts", import.meta.url), [], [], {
    INFERENCE_MODELS_ONNXRUNTIME: library,
    ...more,
  });
  expect({ code, stderr: more["INFERENCE_MODELS_NATIVE"] === undefined ? stderr : "" }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("the library", () => {
  test("is onnxruntime-node's unless another is named", async () => {
    expect(resolveLibrary("")).toMatch(/onnxruntime-node/);
    const other = join(directory, "elsewhere.so");
    copyFileSync(resolveLibrary(""), other);
    expect(await reportWith(other)).toMatchObject({ available: true, libraryPath: other });
  }, 60_000);

  test("that does not exist is named in the error", async () => {
    expect(await reportWith("/nowhere/lib.so")).toMatchObject({
      code: "MISSING_DEPENDENCY",
      message: expect.stringContaining("/nowhere/lib.so") as unknown,
    });
  }, 60_000);

  test("that is no library, or another one, is refused with the reason", async () => {
    const text = join(directory, "text.so");
    writeFileSync(text, "not a library");
    expect(await reportWith(text)).toMatchObject({
      code: "MISSING_DEPENDENCY",
      message: expect.stringContaining("npm install --ignore-scripts onnxruntime-node") as unknown,
    });
    expect(await reportWith(addonReport().path!)).toMatchObject({ message: expect.stringContaining("no OrtGetApiBase") as unknown });
  }, 60_000);

  test("cannot be named without the addon", async () => {
    expect(await reportWith(resolveLibrary(""), { INFERENCE_MODELS_NATIVE: "off" })).toMatchObject({ code: "ENVIRONMENT_CONFIGURATION" });
  }, 60_000);
});
