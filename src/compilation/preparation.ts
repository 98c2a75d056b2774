/** From a model to the network that an engine is built from, and to the settings of the build where nobody has said others. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { downloadModel, resolveSource, type ProviderOptions } from "../auto/index.js";
import { BUILD_SETTING_NAMES, type TensorRtBuildProgress, type TensorRtBuildSettings } from "../engines/index.js";
import { InvalidParameterError } from "../errors.js";
import { parseModelConfig, requirePackageFiles } from "../packages/index.js";
import { LOCAL_TRT_DESCRIPTIONS } from "../providers/index.js";
import type { ProgressEvent } from "../store/index.js";
import type { EstimateTensorRtBuildOptions, TensorRtBuildEstimate } from "./estimate.js";
import { networkInputOf } from "./network-input.js";

export type CompileProgress =
  | ProgressEvent
  /** Once, before the build begins. */
  | { readonly type: "estimated"; readonly estimate: TensorRtBuildEstimate }
  | ({ readonly type: "building" } & TensorRtBuildProgress);

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

export const COMPILE_OPTION_NAMES: readonly string[] = [
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
export const MODEL_CONFIG = "model_config.json";
/** Networks that take any number of pictures: fastest for one, and up to so many at once, unless their package says less. */
const DEFAULT_MAXIMUM = 8;

interface ModelSource {
  readonly modelId: string;
  readonly directory: string;
}

async function sourceOf(model: string, options: CompileModelOptions): Promise<ModelSource> {
  const source = await resolveSource(model);
  if (source.kind === "file") {
    throw new InvalidParameterError(
      `"${model}" is a file. Name a model or the folder of a package, or build the engine alone with buildTensorRtEngine.`,
      {
        parameter: "model",
      },
    );
  }
  if (source.kind !== "id") return { modelId: model, directory: source.directory };
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

export interface PreparedModel extends ModelSource {
  /** Path of the ONNX file. */
  readonly network: string;
  readonly descriptions: Readonly<Record<string, Uint8Array>>;
  readonly fp16: boolean;
  readonly settings: EstimateTensorRtBuildOptions;
}

/**
 * Fetches the model's ONNX package where it is not in the cache.
 * @param files that the package must have besides its network
 */
export async function prepareModel(model: string, options: CompileModelOptions, files: readonly string[] = []): Promise<PreparedModel> {
  const source = await sourceOf(model, options);
  await requirePackageFiles(source.directory, [NETWORK, ...files]);
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
  const { device = 0, workspaceBytes, timingCachePath, hardwareCompatible = false, versionCompatible = false } = options;
  const settings = {
    device,
    fp16,
    batch,
    hardwareCompatible,
    versionCompatible,
    ...(imageSize === null ? {} : { imageSize }),
    ...(workspaceBytes === undefined ? {} : { workspaceBytes }),
    ...(timingCachePath === undefined ? {} : { timingCachePath }),
  };
  return { ...source, network: join(source.directory, NETWORK), descriptions, fp16, settings };
}
