/** The conformance vectors that reach a device, on a real one; the driver alone is enough. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { configuration } from "../../src/configuration.js";
import { openCudaExecutor } from "../../src/imaging/index.js";
import { callNative, type NativeAddon } from "../../src/native/index.js";
import { readVectors } from "../conformance/vectors.js";
import { deviceDecoder, driverAlone } from "../support/device-decoder.js";
import { compareDecoding, comparePreprocessing, type Comparison } from "../support/device-vectors.js";
import type { Report } from "./report.js";

function tell(what: string, { compared, differing }: Comparison, { note, expectThat }: Report): void {
  const count = [...compared.values()].reduce((sum, number) => sum + number, 0);
  const which = differing.length === 0 ? "" : `: ${differing.slice(0, 20).join(", ")}`;
  expectThat(differing.length === 0, `${what}: ${differing.length} of ${count} conformance vectors differ from the CPU's${which}`);
  note(`Vectors by function, ${what}: ${[...compared].map(([name, number]) => `${name} ${number}`).join(", ")}`);
}

/** @param folder as npm run build:gpu-check makes it, or ../shared/conformance */
export async function checkVectors(addon: NativeAddon, device: number, folder: string, report: Report): Promise<void> {
  if (!existsSync(folder)) {
    report.note("Not checked: the conformance vectors, which were not carried here.");
    return;
  }
  const { cudaLibraryPath } = configuration().device;
  const options = { cudaLibraryPath, device };
  await using executor = await openCudaExecutor(addon, { device });
  tell("preprocessing", await comparePreprocessing(readVectors(folder), addon, executor), report);
  await using decoder = deviceDecoder(addon, driverAlone(addon, options), (head, selection, target) =>
    callNative(() => addon.assembleMasks(options, head, selection, target)),
  );
  tell("decoding", await compareDecoding(readVectors(folder), addon, decoder), report);
}

/** Beside the bundle, or beside the repository. */
export const VECTORS = [join(import.meta.dirname, "vectors"), join(import.meta.dirname, "..", "..", "..", "shared", "conformance")];
