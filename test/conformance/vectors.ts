import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";

import type { Tolerance } from "./compare.js";

export interface Vector {
  readonly id: string;
  readonly function: string;
  readonly input: never;
  readonly output?: unknown;
  readonly error?: { readonly type: string; readonly library: boolean };
  readonly tags: readonly string[];
  readonly tolerance?: Tolerance;
}

/** Every line of every *.jsonl and *.jsonl.gz of a folder. */
export async function* readVectors(directory: string): AsyncGenerator<Vector> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".jsonl") || name.endsWith(".jsonl.gz")).sort();
  for (const name of names) {
    const file = createReadStream(join(directory, name));
    const input = name.endsWith(".gz") ? file.pipe(createGunzip()) : file;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (line.trim() !== "") yield JSON.parse(line) as Vector;
    }
  }
}
