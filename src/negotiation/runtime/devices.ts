/** Which GPUs a request is about, and whether an engine that was built on one runs on them. */
import { ModelPackageNegotiationError } from "../../errors.js";
import { compareVersions } from "../../versions.js";
import type { Device } from "../types.js";

export interface Gpu {
  readonly name: string;
  /** `8.9`; null when it is not known. */
  readonly computeCapability: string | null;
}

/**
 * All GPUs without a device, none for a device that is no GPU, one for `cuda:N`.
 * @throws ModelPackageNegotiationError when there is no GPU of that number.
 */
export function selectGpus(gpus: readonly Gpu[], device: Device | null): readonly Gpu[] {
  if (device === null) return gpus;
  if (device.type !== "cuda") return [];
  const index = device.index ?? 0;
  const gpu = gpus[index];
  if (gpu?.computeCapability === null) {
    throw new ModelPackageNegotiationError(
      `The compute capability of device cuda:${index} (${gpu.name}) is not known, so no engine can be chosen for it. Look at the environment report.`,
    );
  }
  if (gpu !== undefined) return [gpu];
  throw new ModelPackageNegotiationError(
    `Device cuda:${index} was asked for, but ${gpus.length === 0 ? "no GPU was found" : `only ${gpus.length} GPUs were found: ${gpus.map(({ name }) => name).join(", ")}`}. ` +
      "Choose another device, or look at the environment report.",
  );
}

export const gpusOf = (names: readonly string[], computeCapabilities: readonly string[]): readonly Gpu[] =>
  names.map((name, index) => ({ name, computeCapability: computeCapabilities[index] ?? null }));

/** An engine for one compute capability runs on every GPU that has it; others only on GPUs of the same name. */
export function engineFits(
  engine: { readonly name: string; readonly computeCapability: string },
  sameCcCompatible: boolean,
  gpus: readonly Gpu[],
): boolean {
  return gpus.some((gpu) =>
    sameCcCompatible
      ? gpu.computeCapability !== null && compareVersions(gpu.computeCapability, engine.computeCapability) === 0
      : gpu.name === engine.name,
  );
}
