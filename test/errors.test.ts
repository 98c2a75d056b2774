import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import {
  ERROR_CLASSES,
  InferenceModelsError,
  ModelInputError,
  ImageDecodingError,
  OperationAbortedError,
  RetryError,
} from "../src/errors.js";
import { packageRoot } from "../src/package-root.js";

const PAGES = join(packageRoot, "docs", "errors");
const sections = new Map(
  readdirSync(PAGES)
    .filter((file) => file.endsWith(".md"))
    .map((file) => [
      file.replace(/\.md$/, ""),
      [...readFileSync(join(PAGES, file), "utf8").matchAll(/^## (\w+)$/gm)].map(([, name = ""]) => name),
    ]),
);

describe("error classes", () => {
  it.each(ERROR_CLASSES.map((type) => [type.className, type] as const))("%s has a code, and a section on its page", (name, type) => {
    const error = new type("What failed.");
    expect(error.name).toBe(type === OperationAbortedError ? "AbortError" : name);
    expect(error.code).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(error.helpUrl.endsWith(`/${type.page}.md#${name.toLowerCase()}`)).toBe(true);
    expect(sections.get(type.page)).toContain(name);
  });

  it("has no section without a class, and no code twice", () => {
    const names = ERROR_CLASSES.map(({ className }) => className);
    expect([...sections.values()].flat().filter((name) => !names.includes(name))).toEqual([]);
    expect(new Set(ERROR_CLASSES.map(({ code }) => code)).size).toBe(ERROR_CLASSES.length);
  });

  it("keeps cause and fields, also as JSON", () => {
    const error = new RetryError("The request failed.", { cause: new Error("reset"), status: 503, attempts: 3, isRetryable: true });
    expect(error).toMatchObject({ status: 503, attempts: 3, isRetryable: true });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: "RETRY", status: 503, cause: { message: "reset" } });
    expect(String(error)).toContain(error.helpUrl);
  });

  it("is recognised by class and base class, not by others", () => {
    const error: unknown = new ImageDecodingError("No picture.");
    expect(error).toBeInstanceOf(ModelInputError);
    expect(error).toBeInstanceOf(Error);
    expect(RetryError.is(error)).toBe(false);
    expect(InferenceModelsError.is(new Error("plain"))).toBe(false);
    expect(InferenceModelsError.is(null)).toBe(false);
  });

  it("is recognised across two copies of the package", async () => {
    vi.resetModules();
    const copy = await import("../src/errors.js");
    expect(copy.InferenceModelsError).not.toBe(InferenceModelsError);
    const foreign: unknown = new copy.ImageDecodingError("No picture.");
    expect(foreign).toBeInstanceOf(ModelInputError);
    expect(RetryError.is(foreign)).toBe(false);
  });
});
