import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
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

/** node:readline would not do: it also breaks lines at U+2028, which JSON allows within strings, and swallows errors of its input. */
async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const gunzip = path.endsWith(".gz") ? createGunzip() : null;
  if (gunzip !== null) file.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  let pieces: string[] = [];
  for await (const text of (gunzip ?? file).setEncoding("utf8") as AsyncIterable<string>) {
    const [head = "", ...rest] = text.split("\n");
    pieces.push(head);
    for (const piece of rest) {
      yield pieces.join("");
      pieces = [piece];
    }
  }
  yield pieces.join("");
}

function parse(line: string, place: string): Vector {
  const vector = JSON.parse(line) as Vector;
  const { id, function: name, tags } = vector as Partial<Vector>;
  if (typeof id !== "string" || typeof name !== "string") throw new TypeError(`${place} has no id or no function.`);
  return tags === undefined ? { ...vector, tags: [] } : vector;
}

/** Every case in every *.jsonl and *.jsonl.gz of a folder, file by file. */
export async function* readVectors(directory: string): AsyncGenerator<Vector> {
  const names = (await readdir(directory)).filter((name) => /\.jsonl(\.gz)?$/.test(name)).sort();
  for (const name of names) {
    let number = 0;
    try {
      for await (const line of readLines(join(directory, name))) {
        number++;
        if (line.trim() !== "") yield parse(line, "The case");
      }
    } catch (cause) {
      throw new Error(`${name}, line ${number}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
}
