/** What the manifest beside an engine says about it, held against the file and the GPU before TensorRT gets to see either. */
import { join } from "node:path";
import * as z from "zod";

import { becauseOf, CorruptedModelPackageError, TensorRtError } from "../../errors.js";
import { parseJson } from "../../wire.js";
import { compareVersions } from "../../versions.js";
import { isRegularFile, md5OfFile, readSmallFile } from "../files.js";
import { describeIssues } from "../issues.js";
import { ENGINE, MANIFEST, MAXIMUM_MANIFEST_BYTES } from "./layout.js";
import { readLocalTrtManifest } from "../roboflow/manifests/trt.js";

const schema = z.object({ packageManifest: z.unknown(), files: z.record(z.string(), z.string()) });

export interface EngineGpu {
  readonly name: string;
  /** `8.9`. */
  readonly computeCapability: string;
}

export interface EngineCheck {
  /** That is to run the engine; null where it is not known. Asked only where it matters, because looking for GPUs takes time. */
  readonly gpu: () => Promise<EngineGpu | null>;
  readonly checksHash: boolean;
}

/**
 * Engines that were not compiled here have no manifest of this kind, and pass.
 * @param directory of the package
 * @throws CorruptedModelPackageError when the engine is not the one that the manifest describes; TensorRtError when it is for a GPU of
 *   another compute capability
 */
export async function checkLocalEngine(directory: string, { gpu: findGpu, checksHash }: EngineCheck): Promise<void> {
  const path = join(directory, MANIFEST);
  if (!(await isRegularFile(path))) return;
  const outcome = schema.safeParse(parseJson(await readSmallFile(path, MAXIMUM_MANIFEST_BYTES), { path }));
  if (!outcome.success) throw new CorruptedModelPackageError(`${path}: ${describeIssues(outcome.error)}.`, { path, kind: "manifest" });
  const { packageManifest, files } = outcome.data;
  const { environmentRequirements: builtOn, trtPackageDetails } = readLocalTrtManifest(packageManifest);
  // Those for all GPUs of a kind may be for later kinds as well; only TensorRT can tell.
  const portable = trtPackageDetails?.sameCcCompatible ?? false;
  const gpu = portable ? null : await findGpu();
  if (gpu !== null && builtOn && compareVersions(gpu.computeCapability, builtOn.cudaDeviceCc) !== 0) {
    throw new TensorRtError(
      `The engine of ${directory} was built on ${builtOn.cudaDeviceName}, a GPU of compute capability ${builtOn.cudaDeviceCc}, and is to run on ` +
        `${gpu.name}, of ${gpu.computeCapability}. Compile the model on this GPU (compileModel, "npx inference-models compile"), or name another device.`,
      { stage: "tensorrt.device", ...becauseOf("engine-other-gpu") },
    );
  }
  const expected = files[ENGINE];
  const engine = join(directory, ENGINE);
  if (!checksHash || expected === undefined || (await md5OfFile(engine)) === expected) return;
  throw new CorruptedModelPackageError(
    `${engine} is not the engine that ${MANIFEST} beside it describes: its MD5 is another one, so it was cut off, damaged or replaced. Compile the model again, or copy the whole folder again.`,
    { path: engine, kind: "engine", ...becauseOf("engine-altered") },
  );
}
