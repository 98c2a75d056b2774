/** Joins the parts of a built-in family: pictures -> plan -> network -> decoder -> result. */
import { float32ToFloat16, isPictureBatch, planBatches } from "../engines/index.js";
import type { InferenceSession, PictureBatch, RunOptions, SessionStatistics, Tensor, TensorPort } from "../engines/index.js";
import { ModelInputError } from "../errors.js";
import { loadPicture, requireBatchable, resolvePreprocess } from "../imaging/index.js";
import type { Geometry, ImageInput, Picture, PreprocessExecutor, PreprocessPlan } from "../imaging/index.js";
import type { RecommendedParameters } from "../packages/index.js";
import type { ImageInfo, ServedBy, Timings } from "../results/index.js";
import type { ImageOptions, ModelInfo, Prepared, Stages, TaskType } from "./contract.js";
import type { Decoder } from "./decoding/index.js";
import { runOnDevice } from "./device-decoding.js";
import type { FamilyBase, FamilyDescription, MoreInputs, NetworkPorts } from "./family.js";
import { InputBuffers } from "./input-buffers.js";
import { optionNotHonoured, type OptionContext } from "./options.js";
import { VisionModelBase } from "./vision-model.js";

/** What every built-in model is made from. */
export interface ModelParts<F, Description extends FamilyDescription> {
  readonly family: F;
  readonly description: Description;
  readonly session: InferenceSession;
  /** In the order of the family's `otherWeights`. */
  readonly otherSessions: readonly InferenceSession[];
  readonly preprocess: PreprocessExecutor;
  readonly decoder: Decoder;
  /** Whether the engine's device decodes outputs in a prediction. Stages always hand them out. */
  readonly decodesOnDevice: boolean;
  readonly info: ModelInfo;
  readonly recommended: RecommendedParameters | null;
  readonly strictOptions: boolean;
  readonly queueLimit: number;
  /** Largest picture that is decoded, pixels. */
  readonly maximumPixels: number;
}

interface PreparedPictures extends Prepared {
  /** What the network runs on: the tensors, or pictures that the engine prepares itself. */
  readonly inputs: readonly (Tensor | PictureBatch)[];
  readonly pictures: readonly Picture[];
  /** Pictures in each tensor, padding not counted. */
  readonly counts: readonly number[];
  readonly timings: { readonly decodeImageMs: number; readonly preprocessMs: number };
}

/** What every result knows beside its columns. */
export interface ResultInfo {
  readonly image: ImageInfo;
  readonly servedBy: ServedBy;
  readonly timings: Timings | null;
}

type RawOutputs = readonly (readonly Tensor[])[];

/**
 * What every task shares; a task says how options are resolved and what the decoded columns become.
 *
 * @typeParam Resolved options of one call after validation and defaults.
 * @typeParam Columns what the family decodes for one picture.
 */
export abstract class LoadedModel<
  Task extends TaskType,
  Description extends FamilyDescription,
  Options extends ImageOptions,
  Resolved,
  Columns,
  Result,
> extends VisionModelBase<Task, Options, RawOutputs, Result> {
  abstract override readonly task: Task;
  readonly info: ModelInfo;
  readonly classNames: readonly string[];
  readonly stages: Stages<RawOutputs, Result, Options>;
  readonly #buffers: InputBuffers;
  readonly #servedBy: ServedBy;
  readonly #warned = new Set<string>();

  constructor(protected readonly parts: ModelParts<FamilyBase<Task, Description, Resolved, Columns>, Description>) {
    // One prediction more than the network can run: its picture is prepared meanwhile.
    const places = parts.session.statistics().lanes + 1;
    super({ places, queueLimit: parts.queueLimit });
    this.info = parts.info;
    this.#servedBy = servedByOf(parts.info);
    this.classNames = parts.description.classNames;
    // A network of any batch gets pictures in portions all the same: a thousand of them at once would fill the memory.
    this.largestBatch = parts.info.batchSize.maximum ?? 64;
    this.#buffers = new InputBuffers(parts.session, places);
    this.stages = {
      preprocess: (images, options) => this.#prepare(images, options, false),
      forward: (prepared, options) => this.#forward(prepared.tensors, requirePrepared(prepared), options),
      postprocess: async (raw, prepared, options) => {
        const resolved = this.#resolve(options);
        return this.#present(await this.#decodeAll(raw, prepared, resolved), prepared, resolved, null);
      },
    };
  }

  /** @throws InvalidOptionError */
  protected abstract resolve(options: Options, context: OptionContext): Resolved;
  /** Columns to the result that callers see. */
  protected abstract present(columns: Columns, info: ResultInfo, options: Resolved): Result;

  protected override readonly largestBatch: number;

  /** The plan for pictures that are predicted together, where it depends on them. */
  protected planFor(_pictures: readonly Picture[]): PreprocessPlan {
    return this.parts.description.plan;
  }

  /** What the network reads beside the pictures. */
  protected moreInputs(_options: Options | undefined): Promise<MoreInputs> {
    return Promise.resolve(() => ({}));
  }

  #resolve(options: Options | undefined): Resolved {
    const { description, recommended, strictOptions } = this.parts;
    return this.resolve(options ?? ({} as Options), {
      task: this.task,
      acceptsImageSize: description.acceptsImageSize,
      classNames: this.classNames,
      recommended,
      strict: strictOptions,
      warned: this.#warned,
    });
  }

  protected override checkOptions(options: Options | undefined): void {
    this.#resolve(options);
  }

  protected override async predictBatch(images: readonly ImageInput[], options: Options | undefined, called: number): Promise<Result[]> {
    const prepared = await this.#prepare(images, options, true);
    const ready = performance.now();
    const resolved = this.#resolve(options);
    const decoded = this.parts.decodesOnDevice ? await this.#runOnDevice(prepared, options, resolved) : null;
    const raw = decoded === null ? await this.#forward(prepared.inputs, prepared, options) : [];
    // Only after a complete run: a cancelled network may still be reading.
    for (const tensor of prepared.tensors) this.#buffers.giveBack(tensor.data as Float32Array);
    const run = performance.now();
    const columns = decoded ?? (await this.#decodeAll(raw, prepared, resolved));
    const end = performance.now();
    const timings = { ...prepared.timings, inferenceMs: run - ready, postprocessMs: end - run, totalMs: end - called };
    return this.#present(columns, prepared, resolved, timings);
  }

  async #prepare(images: readonly ImageInput[], options: Options | undefined, pooled: boolean): Promise<PreparedPictures> {
    const begin = performance.now();
    const { signal, exifOrientation = "apply", imageSize, preprocessing } = options ?? ({} as Options);
    const pictures = await Promise.all(images.map((image, index) => this.#load(image, index, exifOrientation)));
    signal?.throwIfAborted();
    const loaded = performance.now();
    const plan = this.planFor(pictures);
    const resolved = pictures.map((picture) =>
      resolvePreprocess(plan, picture, {
        ...(imageSize === undefined || !this.parts.description.acceptsImageSize ? {} : { imageSize }),
        ...(preprocessing === undefined ? {} : { overrides: preprocessing }),
      }),
    );
    requireBatchable(plan, pictures.length);
    if (resolved.some(({ imageSizeIgnored }) => imageSizeIgnored)) {
      optionNotHonoured("imageSize", imageSize, { strict: this.parts.strictOptions, warned: this.#warned });
    }
    const { minimum, maximum } = this.info.batchSize;
    const inputs: (Tensor | PictureBatch)[] = [];
    const counts: number[] = [];
    const limits = maximum === null ? {} : { min: minimum, max: maximum };
    for (const { start, count, padding } of planBatches(pictures.length, limits)) {
      const members = resolved.slice(start, start + count);
      const { width, height } = members[0]?.steps.output ?? { width: 0, height: 0 };
      counts.push(count);
      // Stages hand out tensors; predictions need none where the engine prepares pictures.
      if (pooled && this.#takesPictures()) {
        const batch = members.map(({ steps }, index) => ({ image: pictures[start + index] as Picture, steps }));
        inputs.push({ dims: [count + padding, 3, height, width], pictures: batch });
        continue;
      }
      const elements = 3 * width * height;
      const length = (count + padding) * elements;
      const data = pooled ? this.#buffers.take(length) : this.parts.session.allocateInput(length);
      await Promise.all(
        members.map(({ steps }, index) =>
          this.parts.preprocess.run(pictures[start + index] as Picture, steps, data.subarray(index * elements, (index + 1) * elements)),
        ),
      );
      if (padding > 0) data.fill(0, count * elements);
      inputs.push({ type: "float32", dims: [count + padding, 3, height, width], data });
    }
    return {
      inputs,
      tensors: inputs.filter((input) => "data" in input),
      counts,
      pictures,
      geometry: resolved.map(({ geometry }) => geometry),
      timings: { decodeImageMs: loaded - begin, preprocessMs: performance.now() - loaded },
    };
  }

  /** Engines that prepare pictures make them the only input. */
  #takesPictures(): boolean {
    const { runPictures, inputs } = this.parts.session;
    return runPictures !== undefined && inputs.length === 1;
  }

  async #load(image: ImageInput, index: number, exifOrientation: "apply" | "ignore"): Promise<Picture> {
    try {
      return await loadPicture(image, { exifOrientation, maximumPixels: this.parts.maximumPixels });
    } catch (error) {
      // Tells pictures of a list apart.
      if (error instanceof ModelInputError && error.index === undefined) Object.assign(error, { index });
      throw error;
    }
  }

  async #forward(
    inputs: readonly (Tensor | PictureBatch)[],
    prepared: PreparedPictures,
    options: Options | undefined,
  ): Promise<RawOutputs> {
    const { session } = this.parts;
    const runOptions = runOptionsOf(options);
    return Promise.all(
      (await this.#networkInputs(inputs, prepared, options)).map(async (one) => {
        const outputs = isPictureBatch(one)
          ? await (session.runPictures as NonNullable<typeof session.runPictures>)(one, runOptions)
          : await session.run(one, runOptions);
        return session.outputs.map(({ name }) => outputs[name] as Tensor);
      }),
    );
  }

  async #networkInputs(
    inputs: readonly (Tensor | PictureBatch)[],
    prepared: PreparedPictures,
    options: Options | undefined,
  ): Promise<readonly (PictureBatch | Readonly<Record<string, Tensor>>)[]> {
    const { session, description } = this.parts;
    const port = imagePort(session, description);
    const more = await this.moreInputs(options);
    return inputs.map((one, run) => {
      if ("pictures" in one) return one;
      const [first] = picturesOf(prepared, run);
      return { ...more(first as Geometry), [port?.name ?? ""]: port?.type === "float16" ? toFloat16(one) : one };
    });
  }

  /** @returns null where something is too large for the device. */
  async #runOnDevice(prepared: PreparedPictures, options: Options | undefined, resolved: Resolved): Promise<readonly Columns[] | null> {
    const { family, description, session } = this.parts;
    const onDevice = family.onDevice as NonNullable<typeof family.onDevice>;
    const call = { onDevice, description, options: resolved, runOptions: runOptionsOf(options) };
    const inputs = await this.#networkInputs(prepared.inputs, prepared, options);
    const runs = await Promise.all(inputs.map((input, run) => runOnDevice(session, input, picturesOf(prepared, run), call)));
    return runs.every((columns) => columns !== null) ? runs.flat() : null;
  }

  #decodeAll(raw: RawOutputs, prepared: Prepared, resolved: Resolved): Promise<Columns[]> {
    const { counts } = requirePrepared(prepared);
    const { family, description, decoder } = this.parts;
    const places = raw.flatMap((outputs, run) => Array.from({ length: counts[run] ?? 0 }, (_, image) => ({ outputs, image })));
    return Promise.all(
      places.map(({ outputs, image }, index) =>
        family.decode(outputs, image, prepared.geometry[index] as Geometry, description, resolved, decoder),
      ),
    );
  }

  #present(columns: readonly Columns[], prepared: Prepared, resolved: Resolved, timings: Timings | null): Result[] {
    const { pictures } = requirePrepared(prepared);
    return columns.map((one, index) => {
      const { width, height, source, exifOrientation, orientationApplied } = pictures[index] as Picture;
      const image = { width, height, exifOrientation, orientationApplied, ...(source === null ? {} : { source }) };
      return this.present(one, { image, servedBy: this.#servedBy, timings }, resolved);
    });
  }

  protected override engineStatistics(): SessionStatistics {
    const { session, otherSessions } = this.parts;
    return otherSessions.map((other) => other.statistics()).reduce(addRuns, session.statistics());
  }

  protected override async release(): Promise<void> {
    this.#buffers.clear();
    const { session, otherSessions } = this.parts;
    await Promise.all([session, ...otherSessions].map((one) => one.close()));
  }
}

/** The input that pictures go into. */
export function imagePort({ inputs }: NetworkPorts, { imageInput }: Pick<FamilyDescription, "imageInput">): TensorPort | undefined {
  return imageInput === undefined ? inputs[0] : inputs.find(({ name }) => name === imageInput);
}

/** Runs of two networks of one model, whose lanes are as many. */
function addRuns(a: SessionStatistics, b: SessionStatistics): SessionStatistics {
  const { lanes } = a;
  return {
    waiting: a.waiting + b.waiting,
    running: a.running + b.running,
    completed: a.completed + b.completed,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
    lanes,
    queueLimit: (a.queueLimit ?? 0) + (b.queueLimit ?? 0),
    refused: (a.refused ?? 0) + (b.refused ?? 0),
  };
}

/** Those of one run. */
function picturesOf({ counts, geometry }: PreparedPictures, run: number): readonly Geometry[] {
  const first = counts.slice(0, run).reduce((sum, count) => sum + count, 0);
  return geometry.slice(first, first + (counts[run] ?? 0));
}

function runOptionsOf(options: ImageOptions | undefined): RunOptions {
  return options?.signal === undefined ? {} : { signal: options.signal };
}

/** For networks with half-precision inputs. */
function toFloat16({ dims, data }: Tensor): Tensor {
  return { type: "float16", dims, data: float32ToFloat16(data as Float32Array) };
}

function requirePrepared(prepared: Prepared): PreparedPictures {
  if ("pictures" in prepared && "counts" in prepared) return prepared as PreparedPictures;
  throw new ModelInputError("stages.postprocess expects what stages.preprocess of the same model returned.");
}

function servedByOf(info: ModelInfo): ServedBy {
  const { id, packageId, architecture, backend, engine, engineVersion, preprocessExecutor, decodeExecutor, device } = info;
  return { modelId: id, packageId, architecture, backend, engine, engineVersion, preprocessExecutor, decodeExecutor, device };
}
