/** Asks once, reads the answer, and returns: nothing here ends the process. */
import { createRequire } from "node:module";
import { readBody, request } from "../../../src/http/index.js";

const { cache } = createRequire(import.meta.url);
const loaded = (): string => (Object.keys(cache).some((path) => /[\\/]undici[\\/]/.test(path)) ? "loaded" : "not loaded");

process.stdout.write(`before: ${loaded()}\n`);
const url = process.argv[2] ?? "";
const response = await request({ url, timeouts: { connectSeconds: 5, idleSeconds: 60 }, redirects: "refuse" });
const body = await readBody(response, { maximumBytes: 100 });
process.stdout.write(`after: ${loaded()}, ${body.toString()}\n`);
