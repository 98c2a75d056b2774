/** A model's ONNX package into one with an engine for this machine, where negotiation finds it. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { downloadModel, resolveSource, type ProviderOptions } from "../auto/index.js";
import { BUILD_SETTING_NAMES, type TensorRtBuildProgress, type TensorRtBuildSettings } from "../engines/index.js";
import { CorruptedModelPackageError, InvalidParameterError } from "../errors.js";
import { invalidOption, requireKnownOptions } from "../options.js";
import { inferenceHome, parseModelConfig, requirePackageFiles, type TrtConfig } from "../packages/index.js";
import {
  LOCAL_TRT_DESCRIPTIONS,
  LOCAL_TRT_MANIFEST,
  localTrtPackageId,
  writeLocalTrtPackage,
  type LocalTrtPackage,
} from "../providers/index.js";
import { storeOwnPackage, writeFileDurably, type ProgressEvent } from "../store/index.js";
import { buildTensorRtEngine, type TensorRtBuildReport } from "./build.js";
import { engineMachine } from "./machine.js";
import { networkInputOf } from "./network-input.js";

export type CompileProgress = ProgressEvent | ({ readonly type: "building" } & TensorRtBuildProgress);

export interface CompileModelOptions extends ProviderOptions, Omit<TensorRtBuildSettings, "profiles" | "stronglyTyped" | "fp16"> {
  /** Half precision where it is faster, see `buildTensorRtEngine`; default: what the ONNX package has. */
  readonly fp16?: boolean;
  /** Exactly this ONNX package of the model; default: the best in fp32. */
  readonly modelPackageId?: string;
  /** Folder for the package, which it replaces; default: the model's place in the cache. Needed for a model in a folder. */
  readonly outputDirectory?: string;
  /** See `buildTensorRtEngine`; default: none. */
  readonly timingCachePath?: string;
  readonly onProgress?: (event: CompileProgress) => void;
  readonly signal?: AbortSignal;
}

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

const NAMES: readonly string[] = [
  ...BUILD_SETTING_NAMES.filter((name) => name !== "profiles" && name !== "stronglyTyped"),
  "weightsProvider",
  "apiKey",
  "weightsProviderExtraQueryParams",
  "weightsProviderExtraHeaders",
  "modelPackageId",
  "outputDirectory",
  "timingCachePath",
  "onProgress",
  "signal",
];

const NETWORK = "weights.onnx";
const MODEL_CONFIG = "model_config.json";
/** Networks that take any number of pictures: fastest for one, and up to so many at once, unless their package says less. */
const DEFAULT_MAXIMUM = 8;

interface Source {
  readonly modelId: string;
  readonly directory: string;
}

async function sourceOf(model: string, options: CompileModelOptions): Promise<Source> {
  const source = await resolveSource(model);
  if (source.kind === "file") {
    throw new InvalidParameterError(
      `"${model}" is a file. Name a model or the folder of a package, or build the engine alone with buildTensorRtEngine.`,
      {
        parameter: "model",
      },
    );
  }
  if (source.kind !== "id") {
    if (options.outputDirectory !== undefined) return { modelId: model, directory: source.directory };
    throw new InvalidParameterError(
      `"${model}" is a folder, which has no place in the cache. Say in outputDirectory where the engine's package is to be.`,
      {
        parameter: "outputDirectory",
      },
    );
  }
  const {
    weightsProvider,
    apiKey,
    weightsProviderExtraQueryParams,
    weightsProviderExtraHeaders,
    modelPackageId,
    batch,
    onProgress,
    signal,
  } = options;
  const { modelId, directory } = await downloadModel(source.id, {
    backend: "onnx",
    quantization: "fp32",
    // What the network is downloaded for is not the CPU, but it need not run here either.
    device: "cpu",
    ...(batch === undefined ? {} : { batchSize: [batch.minimum, batch.maximum] as const }),
    ...(weightsProvider === undefined ? {} : { weightsProvider }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(weightsProviderExtraQueryParams === undefined ? {} : { weightsProviderExtraQueryParams }),
    ...(weightsProviderExtraHeaders === undefined ? {} : { weightsProviderExtraHeaders }),
    ...(modelPackageId === undefined ? {} : { modelPackageId }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { modelId, directory };
}

/** As the package says; null when it does not. */
async function quantizationOf(directory: string): Promise<string | null> {
  const path = join(directory, MODEL_CONFIG);
  const text = await readFile(path, "utf8").catch(() => null);
  return text === null ? null : parseModelConfig(text, { path }).quantization;
}

async function descriptionsIn(directory: string): Promise<Readonly<Record<string, Uint8Array>>> {
  const found = await Promise.all(
    LOCAL_TRT_DESCRIPTIONS.map(async (name) => {
      try {
        return [[name, await readFile(join(directory, name))]] as const;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    }),
  );
  return Object.fromEntries(found.flat());
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
  requireKnownOptions(options, NAMES, "compileModel");
  const { device = 0, outputDirectory, timingCachePath, onProgress, signal } = options;
  if (outputDirectory !== undefined && (typeof outputDirectory !== "string" || outputDirectory === "")) {
    throw invalidOption("outputDirectory", "a path", outputDirectory);
  }
  if (outputDirectory !== undefined) await requireOwnFolder(resolve(outputDirectory));
  const machine = await engineMachine(device);
  const source = await sourceOf(model, options);
  await requirePackageFiles(source.directory, outputDirectory === undefined ? [NETWORK] : [NETWORK, MODEL_CONFIG]);
  const network = join(source.directory, NETWORK);
  // A network that is half already has to be built as one.
  const fp16 = options.fp16 ?? (await quantizationOf(source.directory)) === "fp16";
  const descriptions = await descriptionsIn(source.directory);
  const input = networkInputOf(source.directory, descriptions);
  const imageSize = options.imageSize ?? input.imageSize;
  const batch = options.batch ?? {
    minimum: 1,
    optimum: 1,
    maximum: Math.max(1, Math.min(DEFAULT_MAXIMUM, input.maximumBatch ?? DEFAULT_MAXIMUM)),
  };
  const { workspaceBytes, hardwareCompatible = false, versionCompatible = false } = options;
  const { engine, report } = await buildTensorRtEngine(network, {
    device,
    fp16,
    batch,
    hardwareCompatible,
    versionCompatible,
    ...(imageSize === null ? {} : { imageSize }),
    ...(workspaceBytes === undefined ? {} : { workspaceBytes }),
    ...(timingCachePath === undefined ? {} : { timingCachePath }),
    ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress({ type: "building", ...progress }) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const quantization = fp16 ? "fp16" : "fp32";
  const contents: LocalTrtPackage = {
    machine,
    tensorRtVersion: report.tensorRtVersion,
    quantization,
    batch: batchOf(report, network),
    sameComputeCapability: hardwareCompatible !== false,
    versionCompatible,
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
