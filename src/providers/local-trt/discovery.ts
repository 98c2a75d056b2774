/** TensorRT engines that were compiled on this machine: found in a model's cache folder, offered like any other package. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

import { CorruptedModelPackageError } from "../../errors.js";
import { logger } from "../../logger.js";
import {
  cacheLayout,
  inferenceHome,
  isMd5,
  requirePackageId,
  type LocalFileArtefactSpecs,
  type ModelPackageMetadata,
} from "../../packages/index.js";
import { parseJson } from "../../wire.js";
import { isRealDirectory, isRegularFile, md5OfFile, readSmallFile } from "../files.js";
import { describeIssues } from "../issues.js";
import { readLocalTrtManifest } from "../roboflow/manifests/trt.js";
import { ALLOWED_FILES, ENGINE, MANIFEST, MAXIMUM_MANIFEST_BYTES, PREFIX } from "./layout.js";

const schema = z.object({ packageManifest: z.unknown(), files: z.record(z.string(), z.string()) });

/** Engines of a model; a doubtful one is skipped with a warning. Each file is hashed, once per process and content. */
export async function discoverLocalTrtPackages(modelId: string, home: string = inferenceHome()): Promise<readonly ModelPackageMetadata[]> {
  const directory = cacheLayout(home).modelDirectory(modelId);
  if (!(await isRealDirectory(directory))) return [];
  const names = (await readdir(directory)).filter((name) => name.startsWith(PREFIX)).sort();
  const packages: ModelPackageMetadata[] = [];
  for (const name of names) {
    try {
      packages.push(await readPackage(join(directory, name), name, modelId));
    } catch (error) {
      logger().warn(`The local engine ${name} of "${modelId}" is skipped. ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return packages;
}

function doubtful(path: string, problem: string): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`${path}: ${problem}.`, { path, kind: "manifest" });
}

async function readPackage(directory: string, name: string, modelId: string): Promise<ModelPackageMetadata> {
  const packageId = requirePackageId(name);
  if (!(await isRealDirectory(directory))) throw doubtful(directory, "it is not a folder");
  if (!(await isRegularFile(join(directory, ENGINE)))) throw doubtful(directory, `it has no ${ENGINE}`);
  const path = join(directory, MANIFEST);
  const outcome = schema.safeParse(parseJson(await readSmallFile(path, MAXIMUM_MANIFEST_BYTES), { path }));
  if (!outcome.success) throw doubtful(path, describeIssues(outcome.error));
  const contents = readLocalTrtManifest(outcome.data.packageManifest);
  const artefacts = await verifiedFiles(directory, outcome.data.files);
  return {
    packageId,
    packageSource: "local_cache",
    packageArtefacts: [...artefacts, { kind: "local", fileHandle: MANIFEST, md5Hash: await md5OfFile(path) }],
    // Anybody who may write to the cache could have put it there.
    trustedSource: false,
    modelFeatures: null,
    recommendedParameters: null,
    cacheModelId: modelId,
    dynamicBatchSizeSupported: null,
    staticBatchSize: null,
    trtPackageDetails: null,
    onnxPackageDetails: null,
    torchScriptPackageDetails: null,
    environmentRequirements: null,
    ...contents,
  };
}

async function verifiedFiles(directory: string, files: Readonly<Record<string, string>>): Promise<readonly LocalFileArtefactSpecs[]> {
  const artefacts: LocalFileArtefactSpecs[] = [];
  for (const [fileHandle, md5Hash] of Object.entries(files)) {
    if (!ALLOWED_FILES.includes(fileHandle))
      throw doubtful(directory, `${JSON.stringify(fileHandle.slice(0, 80))} is no file of a local engine`);
    if (!isMd5(md5Hash)) throw doubtful(directory, `the hash of ${fileHandle} is not an MD5`);
    if ((await md5OfFile(join(directory, fileHandle))) !== md5Hash) throw doubtful(directory, `${fileHandle} is not what its hash says`);
    artefacts.push({ kind: "local", fileHandle, md5Hash });
  }
  return artefacts;
}
