import { loadAddon } from "../../native/index.js";
import { cpuDecoder } from "./cpu.js";
import { referenceDecoder } from "./reference.js";
import type { Decoder } from "./types.js";

/** The fastest decoder this machine has: the addon's, else the one in TypeScript. */
export function createDecoder(): Decoder {
  const addon = loadAddon();
  return addon === null ? referenceDecoder : cpuDecoder(addon);
}
