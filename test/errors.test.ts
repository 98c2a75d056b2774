import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import {
  becauseOf,
  ERROR_CLASSES,
  GPU_FAILURE_REASONS,
  InferenceModelsError,
  ModelInputError,
  ImageDecodingError,
  InvalidRequestedBatchSizeError,
  ModelPackageAlternativesExhaustedError,
  OperationAbortedError,
  RetryError,
  UntrustedFileError,
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

  it("have a section for each reason of the GPU, and no others on that page", () => {
    const page = readFileSync(join(PAGES, "gpu-and-tensorrt.md"), "utf8");
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title);
    expect(titles.sort()).toEqual([...GPU_FAILURE_REASONS].sort());
    for (const reason of GPU_FAILURE_REASONS) expect(becauseOf(reason).helpUrl).toMatch(new RegExp(`/gpu-and-tensorrt\\.md#${reason}$`));
    expect(becauseOf(null)).toEqual({});
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

  it("lets a class derived elsewhere decide for itself who its instances are", () => {
    class Mine extends ModelInputError {}
    expect(new Mine("x")).toBeInstanceOf(Mine);
    expect(new Mine("x")).toBeInstanceOf(ModelInputError);
    expect(new ModelInputError("x")).not.toBeInstanceOf(Mine);
    expect(Mine.is(new ModelInputError("x"))).toBe(false);
  });

  it("keeps keys, tokens and signatures out of messages and JSON", () => {
    const cause = new Error("sent Authorization: Bearer secret-one");
    const url = "https://host/file?api_key=secret-two&X-Amz-Signature=secret-three&page=4";
    const error = new RetryError(`GET ${url} failed.`, { cause });
    const files = new UntrustedFileError("No hash.", { files: [url] });
    for (const text of [error.message, String(error), JSON.stringify(error), JSON.stringify(files)]) expect(text).not.toContain("secret-");
    expect(error.message).toBe("GET https://host/file?api_key=***&X-Amz-Signature=***&page=4 failed.");
    expect(new ModelInputError("The bearer of the key failed.").message).toBe("The bearer of the key failed.");
  });

  it("can be written as JSON with anything inside", () => {
    const circular: Record<string, unknown> = { big: 1n, none: null };
    circular["self"] = circular;
    const odd = new InvalidRequestedBatchSizeError("Odd.", { value: circular });
    expect(JSON.parse(JSON.stringify(odd))).toMatchObject({ value: { big: "1", none: null, self: "[circular]" } });

    const first = new Error("first", { cause: odd });
    Object.assign(odd, { cause: first });
    expect(JSON.parse(JSON.stringify(odd))).toMatchObject({ cause: { message: "first", cause: "[circular]" } });
  });

  it("tells in JSON why each alternative failed", () => {
    const reasons = [new RetryError("Offline.", { status: 503 }), new Error("plain", { cause: new Error("root") })];
    const error = new ModelPackageAlternativesExhaustedError("All failed.", {
      alternativesErrors: reasons.map((reason, index) => ({ packageId: `p${index}`, error: reason })),
    });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      alternativesErrors: [
        { packageId: "p0", error: { code: "RETRY", message: "Offline.", status: 503 } },
        { packageId: "p1", error: { message: "plain", cause: { message: "root" } } },
      ],
    });
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
