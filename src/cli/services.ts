/** What the commands use of the package; tests put their own in place of it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { AutoModelOptions, DownloadedModel, LoadingPlan, ModelDescription, ModelPackageDescription } from "../auto/index.js";
import type { CompilationPlan, CompiledModel, CompileModelOptions, EngineInspection, InspectEngineOptions } from "../compilation/index.js";
import type { EnvironmentReport } from "../environment/index.js";
import { packageRoot } from "../package-root.js";
import type { Result } from "../results/index.js";
import type { CacheListing, CacheVerification, ProgressEvent, RemovalReport } from "../store/index.js";
import type { ModelOptions } from "./model-options.js";
import type { Io } from "./terminal.js";

export interface ModelSummary {
  readonly id: string;
  readonly packageId: string;
  readonly architecture: string;
  readonly variant: string | null;
  readonly backend: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly executionProviders: readonly string[];
  readonly device: string;
  readonly preprocessExecutor: string;
  readonly decodeExecutor: string;
  readonly inputSize: { readonly width: number; readonly height: number };
}

/** Options of `predict` that the command line can set. */
export interface PredictOptions {
  readonly confidence?: number | "default" | "best";
  readonly iouThreshold?: number;
  readonly maxDetections?: number;
  readonly imageSize?: number | readonly [width: number, height: number];
  readonly classes?: readonly string[];
  readonly exifOrientation?: "apply" | "ignore";
  readonly signal?: AbortSignal;
}

/** The part of a model that the command line uses. */
export interface LoadedModel {
  readonly task: string;
  readonly info: ModelSummary;
  predict(image: string, options: PredictOptions): Promise<Result>;
  close(): Promise<void>;
}

/** The part of a text reader that the command line uses. */
export interface TextReader {
  predict(image: string, options: Pick<PredictOptions, "exifOrientation" | "signal">): Promise<Result>;
  close(): Promise<void>;
}

type LoadOptions = ModelOptions & { readonly signal?: AbortSignal; readonly onProgress?: (event: ProgressEvent) => void };
type DescribeOptions = Pick<ModelOptions, "weightsProvider"> & { readonly pullArtefactsSize?: boolean; readonly signal?: AbortSignal };

export interface Services {
  loadModel(idOrFolder: string, options: LoadOptions): Promise<LoadedModel>;
  loadReader(pipeline: string, options: { readonly signal?: AbortSignal }): Promise<TextReader>;
  describeEnvironment(): Promise<EnvironmentReport>;
  describeModel(id: string, options: DescribeOptions): Promise<ModelDescription>;
  describeModelPackage(id: string, packageId: string, options: DescribeOptions): Promise<ModelPackageDescription>;
  planLoading(id: string, options: LoadOptions): Promise<LoadingPlan>;
  downloadModel(id: string, options: LoadOptions): Promise<DownloadedModel>;
  compileModel(id: string, options: CompileModelOptions): Promise<CompiledModel>;
  planCompilation(id: string, options: CompileModelOptions): Promise<CompilationPlan>;
  inspectEngine(path: string, options: InspectEngineOptions): Promise<EngineInspection>;
  listCache(): Promise<CacheListing>;
  verifyCache(options: { readonly signal?: AbortSignal }): Promise<CacheVerification>;
  removeFromCache(modelId: string, options: { readonly packageId?: string }): Promise<RemovalReport>;
  pruneCache(options: { readonly maxBytes?: number; readonly olderThan?: Date; readonly signal?: AbortSignal }): Promise<RemovalReport>;
  /** Compiles the addon, its messages going to stderr; gives the exit code of the compilation. */
  buildNative(flags: readonly string[], io: Io): Promise<number>;
}

const autoModel = async () => (await import("../index.js")).AutoModel;

/** Names typed on a command line are checked where they are used, with an error that lists the known ones. */
const toAutoModelOptions = (options: LoadOptions): AutoModelOptions => options as AutoModelOptions;

// The package is imported when a command needs it: help and usage errors answer at once.
export const packageServices: Services = {
  loadModel: async (idOrFolder, options) => (await autoModel()).fromPretrained(idOrFolder, toAutoModelOptions(options)),
  async loadReader(pipeline, options) {
    const { AutoModelPipeline, InvalidParameterError, TextReadingPipeline } = await import("../index.js");
    const reader = await AutoModelPipeline.fromPretrained(pipeline, options);
    if (reader instanceof TextReadingPipeline) return reader;
    await reader.close();
    throw new InvalidParameterError(`The pipeline ${pipeline} does not read text. Leave --pipeline out, or name one that does.`, {
      parameter: "pipeline",
    });
  },
  describeEnvironment: async () => (await autoModel()).describeComputeEnvironment(),
  describeModel: async (id, options) => (await autoModel()).describeModel(id, options),
  describeModelPackage: async (id, packageId, options) => (await autoModel()).describeModelPackage(id, packageId, options),
  planLoading: async (id, options) => (await autoModel()).planLoading(id, toAutoModelOptions(options)),
  downloadModel: async (id, options) => (await autoModel()).download(id, toAutoModelOptions(options)),
  compileModel: async (id, options) => (await import("../index.js")).compileModel(id, options),
  planCompilation: async (id, options) => (await import("../index.js")).planCompilation(id, options),
  inspectEngine: async (path, options) => (await import("../index.js")).inspectEngine(path, options),
  listCache: async () => (await import("../store/index.js")).listCache(),
  verifyCache: async (options) => (await import("../store/index.js")).verifyCache(options),
  removeFromCache: async (modelId, options) => (await import("../store/index.js")).removeFromCache(modelId, options),
  pruneCache: async (options) => (await import("../store/index.js")).pruneCache(options),
  buildNative: (flags, { stderr, signal }) =>
    new Promise((resolve, reject) => {
      const script = join(packageRoot, "scripts", "build-native.mjs");
      const child = spawn(process.execPath, [script, ...flags], {
        stdio: ["ignore", "pipe", "pipe"],
        ...(signal === undefined ? {} : { signal }),
      });
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => stderr.write(text));
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    }),
};
