/** Against tokens that record-bert-tokens.py took from the tokenizer of transformers. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { CorruptedModelPackageError, ModelInputError } from "../../src/errors.js";
import { bertTokenizerOfJson, bertTokenizerOfLines } from "../../src/text/index.js";

const read = (name: string): Buffer => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
const vocabulary = read("bert-vocab.txt").toString("utf8");
const { cases } = JSON.parse(gunzipSync(read("bert-tokens.json.gz")).toString("utf8")) as {
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[] }[];
};
const tokenizer = bertTokenizerOfLines({ path: "vocab.txt", text: vocabulary });
const json = (
  normalizer: object,
  vocab: object = Object.fromEntries(
    vocabulary
      .trimEnd()
      .split("\n")
      .map((token, id) => [token, id]),
  ),
) => ({
  path: "tokenizer.json",
  text: JSON.stringify({ model: { type: "WordPiece", vocab }, normalizer }),
});

describe("the tokenizer of BERT", () => {
  it("has the tokens of transformers for thousands of texts", () => {
    expect(cases.length).toBeGreaterThanOrEqual(3000);
    const found = cases.map(({ text }) => ({ text, ids: [tokenizer.start, ...tokenizer.encode(text), tokenizer.end] }));
    expect(found.filter(({ ids }, index) => JSON.stringify(ids) !== JSON.stringify(cases[index]?.ids))).toEqual([]);
  });

  it("is read from tokenizer.json too", () => {
    const other = bertTokenizerOfJson(json({ type: "BertNormalizer", lowercase: true }));
    expect(other.encode("A Cat. [SEP] x")).toEqual(tokenizer.encode("A Cat. [SEP] x"));
    expect([other.filling, other.start, other.end]).toEqual([0, 101, 102]);
  });

  // The right column is what BertTokenizerFast.decode gives.
  it.each([
    ["A Remote-control, it's 100%.", "a remote [UNK] control [UNK] it's 100 %."],
    ["don't! O'Neill, what? a . b", "don't! o'neill [UNK] what? a. b"],
    ["we're 'x' and it's 3.5", "we're'[UNK]'and it's 3. 5"],
    ["photographers can't", "photographers can't"],
  ])("gives words of %j back", (text, words) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(words);
  });

  it.each([
    ["regard to case", json({ type: "BertNormalizer", lowercase: false })],
    ["another normalizer", json({ type: "NFC" })],
    ["no marks", json({ type: "BertNormalizer", lowercase: true }, { a: 0 })],
  ])("refuses tokenizer.json with %s", (_name, file) => {
    expect(() => bertTokenizerOfJson(file)).toThrow(CorruptedModelPackageError);
  });

  it("refuses what is no text, and vocabularies of others", () => {
    expect(() => tokenizer.encode(5 as unknown as string)).toThrow(ModelInputError);
    expect(() => bertTokenizerOfLines({ path: "vocab.txt", text: "a\nb\n" })).toThrow(/\[PAD\]/);
  });
});
