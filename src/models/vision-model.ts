import type { SessionStatistics } from "../engines/index.js";
import { InvalidOptionError, ModelInputError } from "../errors.js";
import type { ImageInput } from "../imaging/index.js";
import type { ImageOptions, ModelInfo, ModelStatistics, Stages, TaskType } from "./contract.js";
import { fewAtATime } from "./few-at-a-time.js";
import { Gate } from "./gate.js";

export interface VisionModelSettings {
  /** Predictions that may be in progress at once. */
  readonly places: number;
  /** Predictions that may wait for a place. */
  readonly queueLimit: number;
}

/**
 * The common half of every vision model: overloads, order, queue, abort, streaming, closing. A model of one's own extends
 * it with three stages and what to release:
 *
 * ```ts
 * class Brightness extends VisionModelBase<"classification", ImageOptions, number[], Brightness> { ... }
 * ```
 *
 * @typeParam Raw what the network returns for a batch, before it is understood.
 */
export abstract class VisionModelBase<Task extends TaskType, Options extends ImageOptions, Raw, Result> {
  abstract readonly task: Task;
  abstract readonly info: ModelInfo;
  abstract readonly stages: Stages<Raw, Result, Options>;
  protected readonly gate: Gate;

  constructor(settings: VisionModelSettings = { places: 2, queueLimit: 256 }) {
    this.gate = new Gate(settings.places, settings.queueLimit, "This model");
  }

  /** Pictures that go into the network together; a list longer than this is cut. */
  protected readonly largestBatch: number = 1;

  /** Throws on options this model does not know; called before anything starts. */
  protected abstract checkOptions(options: Options | undefined): void;
  /** Frees what the model owns; called once, after the last prediction has settled. */
  protected abstract release(): Promise<void>;
  protected abstract engineStatistics(): SessionStatistics;

  /**
   * One batch; the stages in sequence unless a model fuses them.
   * @param _called `performance.now()` when `predict` was called: the batch may have waited since.
   */
  protected async predictBatch(images: readonly ImageInput[], options: Options | undefined, _called: number): Promise<Result[]> {
    const prepared = await this.stages.preprocess(images, options);
    const raw = await this.stages.forward(prepared, options);
    return this.stages.postprocess(raw, prepared, options);
  }

  predict(image: ImageInput, options?: Options): Promise<Result>;
  predict(images: readonly ImageInput[], options?: Options): Promise<Result[]>;
  async predict(input: ImageInput | readonly ImageInput[], options?: Options): Promise<Result | Result[]> {
    const called = performance.now();
    this.gate.requireOpen();
    this.checkOptions(options);
    if (!isList(input)) {
      const [result] = await this.gate.run(() => this.predictBatch([input], options, called), options?.signal);
      if (result === undefined) throw new ModelInputError("The model returned no result for the picture.");
      return result;
    }
    const size = this.largestBatch;
    const batches = await fewAtATime(this.gate.places, Math.ceil(input.length / size), (index) => {
      const images = input.slice(index * size, (index + 1) * size);
      return this.gate
        .run(() => this.predictBatch(images, options, called), options?.signal)
        .catch((error: unknown) => {
          throw withListIndex(error, index * size);
        });
    });
    return batches.flat();
  }

  async *stream(
    images: AsyncIterable<ImageInput> | Iterable<ImageInput>,
    options?: Options & { readonly concurrency?: number },
  ): AsyncGenerator<Result, void, undefined> {
    const { concurrency = this.gate.places, ...rest } = options ?? ({} as Options & { readonly concurrency?: number });
    if (!(Number.isSafeInteger(concurrency) && concurrency >= 1)) {
      throw new InvalidOptionError(`Expected an integer of at least 1 for option "concurrency" but received ${String(concurrency)}.`, {
        parameter: "concurrency",
      });
    }
    const started: Promise<Result>[] = [];
    try {
      for await (const image of images) {
        const result = this.predict(image, rest as unknown as Options);
        // Awaited in order further down; a failure must not count as unhandled until its turn comes.
        result.catch(() => undefined);
        started.push(result);
        if (started.length >= concurrency) yield (await started.shift()) as Result;
      }
      while (started.length > 0) yield (await started.shift()) as Result;
    } finally {
      await Promise.allSettled(started);
    }
  }

  async warmup(options?: Options): Promise<void> {
    const { width, height } = this.info.inputSize;
    await this.predict({ data: new Uint8Array(width * height * 3), width, height, channels: 3, colorFormat: "rgb" }, options);
  }

  statistics(): ModelStatistics {
    const { active, waiting, queueLimit, refused, mostWaiting, longestWaitMs } = this.gate;
    return {
      ...this.engineStatistics(),
      activePredictions: active,
      waitingPredictions: waiting,
      predictionQueueLimit: queueLimit,
      refusedPredictions: refused,
      mostWaitingPredictions: mostWaiting,
      longestPredictionWaitMs: longestWaitMs,
    };
  }

  get closed(): boolean {
    return this.gate.closed;
  }

  #closing: Promise<void> | null = null;

  close(): Promise<void> {
    this.#closing ??= this.gate.close().then(() => this.release());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function isList(input: ImageInput | readonly ImageInput[]): input is readonly ImageInput[] {
  return Array.isArray(input);
}

/** A batch knows which of its own pictures was bad; callers count from the start of their list. */
function withListIndex(error: unknown, start: number): unknown {
  if (error instanceof ModelInputError && error.index !== undefined) Object.assign(error, { index: error.index + start });
  return error;
}
