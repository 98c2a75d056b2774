/** A model's ONNX package into one with an engine for this machine, where negotiation finds it. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { resolveSource } from "../auto/index.js";
import { CorruptedModelPackageError, InvalidParameterError } from "../errors.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import { inferenceHome, parseModelConfig, type TrtConfig } from "../packages/index.js";
import { LOCAL_TRT_MANIFEST, localTrtPackageId, writeLocalTrtPackage, type LocalTrtPackage } from "../providers/index.js";
import { storeOwnPackage, writeFileDurably } from "../store/index.js";
import { buildTensorRtEngine, type TensorRtBuildReport } from "./build.js";
import { engineMachine } from "./machine.js";
import { COMPILE_OPTION_NAMES, MODEL_CONFIG, prepareModel, type CompileModelOptions } from "./preparation.js";

export interface CompiledModel {
  readonly modelId: string;
  /** Begins with `localtrt`. */
  readonly packageId: string;
  /** Folder of the package. */
  readonly directory: string;
  /** Folder of the ONNX package that it was built from. */
  readonly sourceDirectory: string;
  readonly quantization: "fp16" | "fp32";
  readonly batch: TrtConfig;
  readonly report: TensorRtBuildReport;
}

/** What the first input of the engine takes. */
function batchOf({ inputs, profiles }: TensorRtBuildReport, path: string): TrtConfig {
  const [input] = inputs;
  const size = input?.dims?.[0];
  if (typeof size === "number") return { kind: "static", batchSize: size };
  const range = profiles[0]?.[input?.name ?? ""];
  const [minimum, optimum, maximum] = [range?.minimum[0], range?.optimum[0], range?.maximum[0]];
  if (minimum === undefined || optimum === undefined || maximum === undefined) {
    throw new CorruptedModelPackageError(`The network ${path} has no first size that could be a number of pictures.`, {
      path,
      kind: "artefact",
    });
  }
  return minimum === maximum ? { kind: "static", batchSize: minimum } : { kind: "dynamic", minimum, optimum, maximum };
}

/** Refuses a folder that holds something else: before the engine is built, which takes long. */
async function requireOwnFolder(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown): readonly string[] => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new InvalidParameterError(`${directory} cannot be used for a package: ${message}`, {
      parameter: "outputDirectory",
      cause: error,
    });
  });
  if (names.length === 0 || names.includes(LOCAL_TRT_MANIFEST)) return;
  throw new InvalidParameterError(
    `${directory} holds other files than an engine's package. Name an empty folder, or one that is not there yet.`,
    {
      parameter: "outputDirectory",
    },
  );
}

/** For the package, before anything is downloaded or built. */
async function requirePlace(model: string, outputDirectory: string | undefined): Promise<void> {
  if (outputDirectory !== undefined) {
    if (typeof outputDirectory !== "string" || outputDirectory === "") throw invalidOption("outputDirectory", "a path", outputDirectory);
    await requireOwnFolder(resolve(outputDirectory));
    return;
  }
  const { kind } = await resolveSource(model);
  if (kind !== "directory" && kind !== "embedded") return;
  throw new InvalidParameterError(
    `"${model}" is a folder, which has no place in the cache. Say in outputDirectory where the engine's package is to be.`,
    { parameter: "outputDirectory" },
  );
}

/** A folder that is loaded by its path says itself what it is; in the cache the store does. */
async function storeElsewhere(directory: string, source: string, contents: LocalTrtPackage): Promise<string> {
  const path = join(source, MODEL_CONFIG);
  const { modelArchitecture, taskType } = parseModelConfig(await readFile(path, "utf8"), { path });
  await mkdir(directory, { recursive: true });
  await writeLocalTrtPackage(directory, contents);
  const config = { model_architecture: modelArchitecture, task_type: taskType, backend_type: "trt" };
  await writeFileDurably(join(directory, MODEL_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  return directory;
}

/**
 * Fetches the model's ONNX package, builds an engine from it for a GPU of this machine, and stores it as a package of the model. Loading
 * the model with `{ backend: "trt", allowUntrustedPackages: true }` then finds it: what was made here, no provider vouches for.
 *
 * @param model id of a model, or the folder of an ONNX package
 * @throws what `buildTensorRtEngine` and `AutoModel.download` throw; EnvironmentConfigurationError when too little is known about this machine
 */
export async function compileModel(model: string, options: CompileModelOptions = {}): Promise<CompiledModel> {
  requireKnownOptions(options, COMPILE_OPTION_NAMES, "compileModel");
  const { outputDirectory, onProgress, signal } = options;
  await requirePlace(model, outputDirectory);
  const machine = await engineMachine(options.device ?? 0);
  const { network, descriptions, fp16, settings, ...source } = await prepareModel(
    model,
    options,
    outputDirectory === undefined ? [] : [MODEL_CONFIG],
  );
  const { engine, report } = await buildTensorRtEngine(network, {
    ...settings,
    ...(onProgress === undefined
      ? {}
      : {
          onEstimate: (estimate) => onProgress({ type: "estimated", estimate }),
          onProgress: (progress) => onProgress({ type: "building", ...progress }),
        }),
    ...(signal === undefined ? {} : { signal }),
  });
  const quantization = fp16 ? "fp16" : "fp32";
  const contents: LocalTrtPackage = {
    machine,
    tensorRtVersion: report.tensorRtVersion,
    quantization,
    batch: batchOf(report, network),
    sameComputeCapability: settings.hardwareCompatible !== false,
    versionCompatible: settings.versionCompatible === true,
    engine,
    descriptions,
  };
  const packageId = localTrtPackageId(contents);
  const { modelId } = source;
  const directory =
    outputDirectory === undefined
      ? await storeOwnPackage({ home: inferenceHome(), modelId, packageId, signal }, (folder) => writeLocalTrtPackage(folder, contents))
      : await storeElsewhere(resolve(outputDirectory), source.directory, contents);
  return { modelId, packageId, directory, sourceDirectory: source.directory, quantization, batch: contents.batch, report };
}
