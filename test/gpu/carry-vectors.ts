/**
 * node scripts/run-typescript.mjs test/gpu/carry-vectors.ts FROM TO: writes the vectors of the folder FROM that reach a device into one file in
 * the folder TO.
 */
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { readVectors } from "../conformance/vectors.js";
import { DEVICE_FUNCTIONS } from "../support/device-vectors.js";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error("Two folders are wanted.");

let count = 0;
async function* lines(folder: string): AsyncGenerator<string> {
  for await (const vector of readVectors(folder)) {
    if (!DEVICE_FUNCTIONS.includes(vector.function)) continue;
    count += 1;
    yield `${JSON.stringify(vector)}\n`;
  }
}

mkdirSync(to, { recursive: true });
await pipeline(Readable.from(lines(from)), createGzip(), createWriteStream(join(to, "device.jsonl.gz")));
process.stdout.write(`${count} conformance vectors are carried.\n`);
