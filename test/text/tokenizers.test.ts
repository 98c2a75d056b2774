/** Against tokens that record-clip-tokens.py and record-owl-tokens.py took from the tokenizers of the Python packages. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { ModelInputError } from "../../src/errors.js";
import { loadClipTokenizer, loadOwlTokenizer } from "../../src/text/index.js";

interface Recording {
  readonly context: number;
  /** null: too long, which the Python package refuses. */
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[] | null }[];
}

const readRecording = (name: string): Recording =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)), "utf8")) as Recording;
const tokenizer = await loadClipTokenizer();

describe.each([
  ["CLIP", tokenizer, readRecording("clip-tokens.json"), 150, 3],
  ["OWLv2", await loadOwlTokenizer(), readRecording("owl-tokens.json"), 40, 1],
])("the tokenizer of %s", (_name, tokenizer, { context, cases }, leastFitting, leastTooLong) => {
  const fitting = cases.flatMap(({ text, ids }) => (ids === null ? [] : [[text, ids] as const]));
  const tooLong = cases.filter(({ ids }) => ids === null).map(({ text }) => text);

  it("has recordings of both kinds", () => {
    expect(fitting.length).toBeGreaterThanOrEqual(leastFitting);
    expect(tooLong.length).toBeGreaterThanOrEqual(leastTooLong);
  });

  it.each(fitting)("%j", (text, ids) => {
    const found = Array.from(tokenizer.encodeAll([text], context));
    expect(found.slice(0, ids.length)).toEqual(ids);
    expect(found.slice(ids.length).every((id) => id === 0)).toBe(true);
    expect(found).toHaveLength(context);
  });

  it.each(tooLong)("refuses %j", (text) => {
    expect(() => tokenizer.encodeAll([text], context)).toThrow(ModelInputError);
  });
});

describe("tokenizers", () => {
  it("put texts one below the other and say which one is bad", () => {
    expect(Array.from(tokenizer.encodeAll(["cat", "a dog"], 4))).toEqual([49406, 2368, 49407, 0, 49406, 320, 1929, 49407]);
    expect(() => tokenizer.encodeAll(["cat", "a big dog"], 4)).toThrow(expect.objectContaining({ index: 1 }) as Error);
    expect(() => tokenizer.encodeAll(["cat", 5 as unknown as string], 4)).toThrow(expect.objectContaining({ index: 1 }) as Error);
  });

  it("refuse an endless word without trying to merge it", () => {
    expect(() => tokenizer.encodeAll(["x".repeat(2_000_000)], 77)).toThrow(/at least 62500 tokens/);
  });

  it("are loaded once", async () => {
    expect(await loadClipTokenizer()).toBe(tokenizer);
  });
});
