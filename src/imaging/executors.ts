import { callNative, loadAddon } from "../native/index.js";
import type { NativeAddon } from "../native/index.js";
import { referenceExecutor } from "./reference/executor.js";
import type { PreprocessExecutor } from "./types.js";

/** The addon's SIMD code, on its own threads. */
export function cpuExecutor(addon: NativeAddon): PreprocessExecutor {
  return {
    name: "cpu",
    run: ({ data, width, height, channels, colorFormat, borrowed }, steps, target) =>
      callNative(() => addon.preprocess(data, { width, height, channels, colorFormat, borrowed }, steps, target)),
  };
}

/** The fastest executor that this machine has. */
export function createPreprocessExecutor(): PreprocessExecutor {
  const addon = loadAddon();
  return addon === null ? referenceExecutor : cpuExecutor(addon);
}
