/** Vocabularies of BERT as packages carry them. */
import * as z from "zod";

import { CorruptedModelPackageError } from "../errors.js";
import { integer, parseJsonAs } from "../wire.js";
import { BertTokenizer } from "./bert-tokenizer.js";

interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** What of tokenizer.json decides about tokens, beside what BERT has by itself. */
const schema = z.object({
  model: z.object({ type: z.literal("WordPiece").optional(), vocab: z.record(z.string(), integer) }),
  normalizer: z.object({ type: z.literal("BertNormalizer"), lowercase: z.literal(true) }),
});

/** `vocab.txt`: a token a line, the first has id 0. @throws CorruptedModelPackageError */
export function bertTokenizerOfLines({ text, path }: TextFile): BertTokenizer {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return made(new Map(lines.map((token, id) => [token, id])), path);
}

/** `tokenizer.json` of Hugging Face's fast tokenizers. @throws CorruptedModelPackageError for other tokenizers than that of BERT for small letters. */
export function bertTokenizerOfJson(file: TextFile): BertTokenizer {
  const { model } = parseJsonAs(schema, file.text, file);
  return made(new Map(Object.entries(model.vocab)), file.path);
}

function made(ids: ReadonlyMap<string, number>, path: string): BertTokenizer {
  try {
    return new BertTokenizer(ids);
  } catch (error) {
    if (error instanceof CorruptedModelPackageError && error.path === undefined) Object.assign(error, { path });
    throw error;
  }
}
