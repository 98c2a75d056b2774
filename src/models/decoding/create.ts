import { loadAddon } from "../../native/index.js";
import { cpuDecoder } from "./cpu.js";
import { referenceDecoder } from "./reference.js";
import type { DetectionDecoder } from "./types.js";

/** The fastest decoder this machine has: the addon's, else the one in TypeScript. */
export function createDetectionDecoder(): DetectionDecoder {
  const addon = loadAddon();
  return addon === null ? referenceDecoder : cpuDecoder(addon);
}
