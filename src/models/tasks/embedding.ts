/** Pictures, and texts beside them, to points of one space. */
import { planBatches } from "../../engines/index.js";
import type { BatchChunk, InferenceSession, Tensor, TensorPort } from "../../engines/index.js";
import { ModelInputError } from "../../errors.js";
import type { ImageInput } from "../../imaging/index.js";
import { requireKnownOptions } from "../../options.js";
import { compareEmbeddings, createEmbedding, createEmbeddings } from "../../results/index.js";
import type { Embedding, Embeddings, SimilarityMatrix } from "../../results/index.js";
import type { CallOptions, EmbeddingSource, ImageOptions } from "../contract.js";
import type { EmbeddingDescription } from "../family.js";
import { fewAtATime } from "../few-at-a-time.js";
import { LoadedModel, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, type OptionContext } from "../options.js";
import { isList } from "../vision-model.js";

export class LoadedEmbeddingModel extends LoadedModel<
  "embedding",
  EmbeddingDescription,
  ImageOptions,
  ImageOptions,
  Float32Array,
  Embedding
> {
  readonly task = "embedding";

  protected override resolve(options: ImageOptions, context: OptionContext): ImageOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(vector: Float32Array, info: ResultInfo): Embedding {
    return createEmbedding({ ...info, vector });
  }

  async embedImages(images: ImageInput | readonly ImageInput[], options?: ImageOptions): Promise<Embeddings> {
    const embeddings = await this.predict(isList(images) ? images : [images], options);
    return this.#stack(embeddings.map(({ vector }) => vector));
  }

  async embedText(text: string | readonly string[], options: CallOptions = {}): Promise<Embeddings> {
    this.gate.requireOpen();
    requireKnownOptions(options, ["signal"], "embedText");
    const { signal } = options;
    signal?.throwIfAborted();
    const texts = typeof text === "string" ? [text] : text;
    if (!Array.isArray(texts)) throw new ModelInputError(`Expected a text or a list of texts but received ${typeof text}.`);
    const { contextLength, loadTokenizer } = this.parts.description.text;
    // All at once and before any run: a text that is too long costs nothing then.
    const tokens = (await loadTokenizer()).encodeAll(texts, contextLength);
    const session = this.parts.otherSessions[0] as InferenceSession;
    const chunks = planBatches(texts.length, this.#textLimits(session));
    const rows = await fewAtATime(this.gate.places, chunks.length, (index) => {
      const { start, count, padding } = chunks[index] as BatchChunk;
      const input = new Int32Array((count + padding) * contextLength);
      input.set(tokens.subarray(start * contextLength, (start + count) * contextLength));
      return this.gate.run(() => this.#runTexts(session, input, count, signal), signal);
    });
    return this.#stack(rows.flat());
  }

  async compare(x: EmbeddingSource, y: EmbeddingSource, options: ImageOptions = {}): Promise<SimilarityMatrix> {
    const [left, right] = await Promise.all([this.#embed(x, "x", options), this.#embed(y, "y", options)]);
    return compareEmbeddings(left, right);
  }

  /** The networks of both kinds, and the vocabulary. */
  override async warmup(options?: ImageOptions): Promise<void> {
    await super.warmup(options);
    await this.embedText("", options?.signal === undefined ? {} : { signal: options.signal });
  }

  async #embed(source: EmbeddingSource, name: string, options: ImageOptions): Promise<Embeddings> {
    if (typeof source === "object" && (source as unknown) !== null) {
      if ("kind" in source) return source;
      if ("images" in source) return this.embedImages(source.images, options);
      if ("text" in source) return this.embedText(source.text, options.signal === undefined ? {} : { signal: options.signal });
    }
    throw new ModelInputError(`Expected { images }, { text } or embeddings for ${name} but received ${typeof source}.`);
  }

  #textLimits({ inputs }: InferenceSession): { readonly min: number; readonly max: number } {
    const batch = inputs[0]?.dims?.[0];
    if (typeof batch === "number") return { min: batch, max: batch };
    return { min: 1, max: this.parts.description.maximumDynamicBatch ?? this.largestBatch };
  }

  async #runTexts(
    session: InferenceSession,
    tokens: Int32Array,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Float32Array[]> {
    const { contextLength, decode } = this.parts.description.text;
    const port = session.inputs[0] as TensorPort;
    const dims = [tokens.length / contextLength, contextLength];
    const tensor: Tensor =
      port.type === "int64" ? { type: "int64", dims, data: BigInt64Array.from(tokens, BigInt) } : { type: "int32", dims, data: tokens };
    const results = await session.run({ [port.name]: tensor }, signal === undefined ? {} : { signal });
    const outputs = session.outputs.map(({ name }) => results[name] as Tensor);
    return Array.from({ length: count }, (_, text) => decode(outputs, text));
  }

  /** One below the other. */
  #stack(rows: readonly Float32Array[]): Embeddings {
    const dimensions = rows[0]?.length ?? this.parts.description.dimensions ?? 0;
    const values = new Float32Array(rows.length * dimensions);
    rows.forEach((row, index) => values.set(row, index * dimensions));
    return createEmbeddings({ values, dimensions });
  }
}
