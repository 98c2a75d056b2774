/** The other half of discovery: a package that it finds, and negotiation can judge. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Quantization, TrtConfig } from "../../packages/index.js";
import { TRT_MANIFEST } from "../roboflow/manifests/trt.js";
import { ENGINE, MANIFEST, PREFIX } from "./layout.js";

/** Where an engine was built, and so where it runs. */
export interface EngineMachine {
  /** `nvidia-l4`. */
  readonly gpu: string;
  /** `8.9`. */
  readonly computeCapability: string;
  readonly cudaVersion: string;
  readonly driverVersion: string;
  readonly platform:
    | { readonly kind: "gpu-server"; readonly osVersion: string }
    | { readonly kind: "jetson"; readonly l4tVersion: string; readonly product: string };
}

export interface LocalTrtPackage {
  readonly machine: EngineMachine;
  readonly tensorRtVersion: string;
  readonly quantization: Quantization;
  readonly batch: TrtConfig;
  /** Runs on every GPU of the machine's compute capability. */
  readonly sameComputeCapability: boolean;
  /** Newer releases of TensorRT may load it. */
  readonly versionCompatible: boolean;
  readonly engine: Uint8Array;
  /** Of the description files, those that the model has, by name. */
  readonly descriptions: Readonly<Record<string, Uint8Array>>;
}

/** The same settings on the same machine have the same id, so that a new engine takes the place of the old one. */
export function localTrtPackageId({ engine: _engine, descriptions: _descriptions, ...settings }: LocalTrtPackage): string {
  return (
    PREFIX +
    createHash("sha256")
      .update(JSON.stringify(manifestOf(settings)))
      .digest("hex")
      .slice(0, 16)
  );
}

function manifestOf(described: Omit<LocalTrtPackage, "engine" | "descriptions">): object {
  const { machine, tensorRtVersion, quantization, batch, sameComputeCapability, versionCompatible } = described;
  const { driverVersion, platform } = machine;
  const specs =
    platform.kind === "gpu-server"
      ? { type: "gpu-server-specs-v1", driverVersion, osVersion: platform.osVersion }
      : { type: "jetson-machine-specs-v1", l4tVersion: platform.l4tVersion, deviceName: platform.product, driverVersion };
  const batches =
    batch.kind === "static"
      ? { staticBatchSize: batch.batchSize }
      : { dynamicBatchSize: true, minBatchSize: batch.minimum, optBatchSize: batch.optimum, maxBatchSize: batch.maximum };
  return {
    type: TRT_MANIFEST,
    backendType: "trt",
    ...batches,
    quantization,
    cudaDeviceType: machine.gpu,
    cudaDeviceCC: machine.computeCapability,
    cudaVersion: machine.cudaVersion,
    trtVersion: tensorRtVersion,
    sameCCCompatible: sameComputeCapability,
    trtForwardCompatible: versionCompatible,
    machineType: platform.kind,
    machineSpecs: specs,
  };
}

function trtConfig(batch: TrtConfig): string {
  const config =
    batch.kind === "static"
      ? { static_batch_size: batch.batchSize }
      : { dynamic_batch_size_min: batch.minimum, dynamic_batch_size_opt: batch.optimum, dynamic_batch_size_max: batch.maximum };
  return JSON.stringify(config, null, 2);
}

/** The manifest last. */
export async function writeLocalTrtPackage(directory: string, { engine, descriptions, ...settings }: LocalTrtPackage): Promise<void> {
  const files: Readonly<Record<string, Uint8Array>> = {
    [ENGINE]: engine,
    "trt_config.json": new TextEncoder().encode(trtConfig(settings.batch)),
    ...descriptions,
  };
  const hashes: Record<string, string> = {};
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content, { flush: true });
    hashes[name] = createHash("md5").update(content).digest("hex");
  }
  const manifest = { packageManifest: manifestOf(settings), files: hashes };
  await writeFile(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
}
