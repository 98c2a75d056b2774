/** The GPU that a build would use, and the TensorRT that would build, as far as they can be asked. */
import { configuration } from "../configuration.js";
import { logger } from "../logger.js";
import { callNative, loadAddon } from "../native/index.js";

export interface EstimateGpu {
  readonly ordinal: number;
  /** As the driver writes it: `NVIDIA L4`. */
  readonly name: string;
  /** `8.9`. */
  readonly computeCapability: string;
  readonly totalBytes: number;
  /** At the moment; null when the driver does not say. */
  readonly freeBytes: number | null;
}

export interface BuildMachine {
  /** null without addon, driver or GPU. */
  readonly gpu: EstimateGpu | null;
  /** Release of the full TensorRT that is installed, `10.15.1.29`; null without one. */
  readonly tensorRtVersion: string | null;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Asks anew each time: memory, and settings about where the libraries lie, may have changed. */
export async function buildMachine(ordinal: number): Promise<BuildMachine> {
  const addon = loadAddon();
  if (addon === null) return { gpu: null, tensorRtVersion: null };
  const { cudaLibraryPath, tensorRtLibraryPath } = configuration().device;
  try {
    const { devices, tensorRt } = await callNative(() => addon.probeNvidia({ cudaLibraryPath, tensorRtLibraryPath }));
    const tensorRtVersion = tensorRt.find(({ kind }) => kind === "full")?.version ?? null;
    const device = devices[ordinal];
    if (device === undefined) return { gpu: null, tensorRtVersion };
    const freeBytes = await callNative(() => addon.readDeviceMemory({ cudaLibraryPath, device: ordinal })).then(
      (memory) => memory.freeBytes,
      (error: unknown) => {
        logger().debug(`The free memory of GPU ${ordinal} is not known: ${reasonOf(error)}`);
        return null;
      },
    );
    const { name, computeCapability, memoryBytes } = device;
    return { gpu: { ordinal, name, computeCapability, totalBytes: memoryBytes, freeBytes }, tensorRtVersion };
  } catch (error) {
    logger().debug(`No GPU could be asked: ${reasonOf(error)}`);
    return { gpu: null, tensorRtVersion: null };
  }
}
