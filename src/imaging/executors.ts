import { configuration } from "../configuration.js";
import { ModelInputError } from "../errors.js";
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

/**
 * The addon's kernels on an NVIDIA GPU, by the same arithmetic as `cpu`.
 *
 * @param options.device Number of the GPU, from 0, among those that `CUDA_VISIBLE_DEVICES` leaves.
 * @throws CudaError when there is no driver or no such device, or the kernels cannot be loaded there.
 */
export async function openCudaExecutor(
  addon: NativeAddon,
  { device }: { readonly device: number },
): Promise<PreprocessExecutor & AsyncDisposable> {
  const { cudaLibraryPath } = configuration().device;
  const preprocessor = await callNative(() => addon.openDevicePreprocessor({ cudaLibraryPath, device }));
  return {
    name: "cuda",
    async run(image, steps, target) {
      const { data, width, height, channels, colorFormat, borrowed } = image;
      const expected = 3 * steps.output.width * steps.output.height;
      if (target.length !== expected) {
        throw new ModelInputError(`Expected a target of ${expected} floats for the prepared picture but received ${target.length}.`);
      }
      target.set(await callNative(() => preprocessor.run(data, { width, height, channels, colorFormat, borrowed }, steps)));
    },
    [Symbol.asyncDispose]: () => callNative(() => preprocessor.close()),
  };
}

/** The fastest executor that this machine has. */
export function createPreprocessExecutor(): PreprocessExecutor {
  const addon = loadAddon();
  return addon === null ? referenceExecutor : cpuExecutor(addon);
}
