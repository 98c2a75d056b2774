/** Pictures to embeddings, and embeddings with prompts to masks. */
import type { InferenceSession, SessionStatistics, Tensor } from "../../engines/index.js";
import { ModelInputError } from "../../errors.js";
import { loadPicture, type ImageInput, type Size } from "../../imaging/index.js";
import { invalidOption } from "../../options.js";
import { convertMasks, createPromptedMasks, joinMasks } from "../../results/index.js";
import type { MaskLogits, PromptedMasks, RleMasks, ServedBy, Timings } from "../../results/index.js";
import type { EmbedOptions, ImageEmbedding, PromptOptions, SegmentationPrompt, SegmentRequest, Stages } from "../contract.js";
import { EmbeddingCache, pictureKey } from "../embedding-cache.js";
import type { InteractiveDescription, InteractiveSegmentationFamily } from "../family.js";
import { fewAtATime } from "../few-at-a-time.js";
import { MaskCache } from "../mask-cache.js";
import { LoadedModel, type ModelParts, type ResultInfo } from "../loaded-model.js";
import { checkImageOptions, optionNotHonoured, type OptionContext } from "../options.js";
import { promptsOf, requirePrompt } from "../prompts.js";
import { isList, VisionModelBase } from "../vision-model.js";
import { maskOf } from "./prompted-mask.js";

type RawOutputs = readonly (readonly Tensor[])[];

/** The first network alone: pictures to features. */
class PictureEncoder extends LoadedModel<
  "interactive-instance-segmentation",
  InteractiveDescription,
  EmbedOptions,
  EmbedOptions,
  Readonly<Record<string, Tensor>>,
  ImageEmbedding
> {
  readonly task = "interactive-instance-segmentation";

  protected override resolve(options: EmbedOptions, context: OptionContext): EmbedOptions {
    checkImageOptions(options, [], context);
    return options;
  }

  protected override present(features: Readonly<Record<string, Tensor>>, info: ResultInfo): ImageEmbedding {
    return { kind: "image-embedding", ...info, features };
  }
}

/** A choice of masks: which of the decoder's are given. */
function chosen(scores: Float32Array, several: boolean): readonly number[] {
  const all = [...scores.keys()];
  // Of four the first is the answer to prompts that leave no choice, the others are the choice.
  if (all.length > 3) return several ? all.slice(1) : [0];
  if (several || all.length === 1) return all;
  return [all.reduce((best, one) => (scores[one]! > scores[best]! ? one : best), 0)];
}

export class LoadedInteractiveSegmentationModel extends VisionModelBase<
  "interactive-instance-segmentation",
  PromptOptions,
  RawOutputs,
  PromptedMasks
> {
  readonly task = "interactive-instance-segmentation";
  readonly info;
  readonly stages: Stages<RawOutputs, PromptedMasks, PromptOptions>;
  readonly #parts: ModelParts<InteractiveSegmentationFamily, InteractiveDescription>;
  readonly #encoder: PictureEncoder;
  readonly #context: OptionContext;

  constructor(parts: ModelParts<InteractiveSegmentationFamily, InteractiveDescription>) {
    super({ places: parts.session.statistics().lanes + 1, queueLimit: parts.queueLimit });
    this.info = parts.info;
    this.#parts = parts;
    this.#encoder = new PictureEncoder(parts);
    const { task } = this;
    this.#context = { task, acceptsImageSize: false, classNames: [], recommended: null, strict: parts.strictOptions, warned: new Set() };
    const { stages } = this.#encoder;
    this.stages = {
      preprocess: (images, options) => stages.preprocess(images, forPictures(options)),
      forward: (prepared, options) => stages.forward(prepared, options),
      postprocess: async (raw, prepared, options = {}) => {
        const embeddings = await stages.postprocess(raw, prepared);
        const prompts = promptsOf(options.prompts, embeddings.length);
        return Promise.all(embeddings.map((embedding, index) => this.#segment(embedding, prompts[index] ?? [], options, null)));
      },
    };
  }

  async embedImages(images: ImageInput | readonly ImageInput[], options: EmbedOptions = {}): Promise<ImageEmbedding[]> {
    this.gate.requireOpen();
    this.#check(options, []);
    const list = isList(images) ? images : [images];
    return fewAtATime(this.gate.places, list.length, (index) =>
      this.gate.run(() => this.#embed(list[index] as ImageInput, options), options.signal),
    );
  }

  async segmentImages(request: SegmentRequest): Promise<PromptedMasks[]> {
    const called = performance.now();
    this.gate.requireOpen();
    const { images, embeddings, prompts, ...options } = request as { images?: ImageInput | readonly ImageInput[] } & {
      embeddings?: ImageEmbedding | readonly ImageEmbedding[];
    } & Omit<PromptOptions, "prompts"> & { prompts?: SegmentRequest["prompts"] };
    this.#checkChoices(options);
    if (images === undefined && embeddings === undefined)
      throw new ModelInputError("segmentImages needs { images } or { embeddings }; neither was given.");
    const pictures: readonly ImageInput[] | null = images === undefined ? null : isList(images) ? images : [images];
    const embedded = (Array.isArray(embeddings) ? embeddings : [embeddings]) as readonly ImageEmbedding[];
    const count = pictures?.length ?? embedded.length;
    const perPicture = promptsOf(prompts, count);
    for (const list of perPicture) this.#requirePrompts(list);
    if (pictures === null) for (const embedding of embedded) this.#requireOwn(embedding);
    return fewAtATime(this.gate.places, count, (index) =>
      this.gate.run(async () => {
        const embedding = pictures === null ? embedded[index]! : await this.#embed(pictures[index] as ImageInput, options);
        return this.#segment(embedding, perPicture[index]!, options, called);
      }, options.signal),
    );
  }

  protected override checkOptions(options: PromptOptions = {}): void {
    const { prompts, ...choices } = options;
    this.#checkChoices(choices);
    for (const list of promptsOf(prompts, 1)) this.#requirePrompts(list);
  }

  protected override async predictBatch(
    images: readonly ImageInput[],
    options: PromptOptions = {},
    called: number,
  ): Promise<PromptedMasks[]> {
    return Promise.all(
      images.map(async (image) =>
        this.#segment(await this.#embed(image, options), promptsOf(options.prompts, 1)[0] ?? [], options, called),
      ),
    );
  }

  #check(options: EmbedOptions, more: readonly string[]): void {
    checkImageOptions(options, ["cache", ...more], this.#context);
    if (options.cache !== undefined && !(options.cache instanceof EmbeddingCache))
      throw invalidOption("cache", "an EmbeddingCache", options.cache);
  }

  #checkChoices(options: Omit<PromptOptions, "prompts">): void {
    this.#check(options, ["multimaskOutput", "maskThreshold", "maskFormat", "maskCache"]);
    const { multimaskOutput, maskThreshold, maskFormat = "rle", maskCache } = options;
    if (multimaskOutput !== undefined && typeof multimaskOutput !== "boolean")
      throw invalidOption("multimaskOutput", "a boolean", multimaskOutput);
    if (maskThreshold !== undefined && !Number.isFinite(maskThreshold)) throw invalidOption("maskThreshold", "a number", maskThreshold);
    if (!["rle", "dense"].includes(maskFormat)) throw invalidOption("maskFormat", '"rle" or "dense"', maskFormat);
    if (maskCache !== undefined && !(maskCache instanceof MaskCache)) throw invalidOption("maskCache", "a MaskCache", maskCache);
  }

  #requirePrompts(prompts: readonly SegmentationPrompt[]): void {
    prompts.forEach((prompt, index) => {
      requirePrompt(prompt, index, this.#parts.description.maskInput);
    });
  }

  #requireOwn(embedding: unknown): void {
    // It may come from JavaScript, or be no embedding at all.
    const { kind, servedBy } = (embedding ?? {}) as { readonly kind?: string; readonly servedBy?: ServedBy };
    if (kind === "image-embedding" && servedBy?.modelId === this.info.id && servedBy.packageId === this.info.packageId) return;
    throw new ModelInputError("An embedding is not one that this model made. Embed the picture with the model that is to segment it.");
  }

  async #embed(image: ImageInput, options: EmbedOptions): Promise<ImageEmbedding> {
    const { cache } = options;
    const pictureOptions = forPictures(options);
    if (cache === undefined) return this.#encoder.predict(image, pictureOptions);
    const { exifOrientation = "apply" } = options;
    const picture = await loadPicture(image, { exifOrientation, maximumPixels: this.#parts.maximumPixels });
    const key = pictureKey(`${this.info.id} ${this.info.packageId}`, picture);
    const { width, height, source, exifOrientation: orientation, orientationApplied } = picture;
    const info = { width, height, exifOrientation: orientation, orientationApplied, ...(source === null ? {} : { source }) };
    const found = cache.find(key);
    if (found !== undefined) return { ...found, image: info, timings: null };
    const embedding = { ...(await this.#encoder.predict(picture, pictureOptions)), image: info };
    cache.keep(key, embedding);
    return embedding;
  }

  async #segment(
    embedding: ImageEmbedding,
    prompts: readonly SegmentationPrompt[],
    options: Omit<PromptOptions, "prompts">,
    called: number | null,
  ): Promise<PromptedMasks> {
    const { image, servedBy, features } = embedding;
    const { multimaskOutput, maskThreshold = 0, maskFormat = "rle", maskCache, signal } = options;
    const { description, decoder } = this.#parts;
    const masks: RleMasks[] = [];
    const [scores, logits]: [number[], Float32Array[]] = [[], []];
    let [runMs, maskMs] = [0, 0];
    // One after the other: the planes of a large picture fill some memory.
    for (const prompt of prompts) {
      const begin = performance.now();
      const earlier = prompt.mask ?? maskCache?.find(features, prompt);
      const decoded = description.read(await this.#run(features, prompt, earlier, image, signal));
      const run = performance.now();
      const rows = chosen(decoded.scores, multimaskOutput ?? true);
      if (multimaskOutput === true && decoded.scores.length === 1) optionNotHonoured("multimaskOutput", true, this.#context);
      for (const row of rows) masks.push(await maskOf(decoded.planes, row, image, description.canvas, maskThreshold, decoder));
      const { data: low, width: lowWidth, height: lowHeight } = decoded.logits;
      for (const row of rows) {
        scores.push(decoded.scores[row] ?? 0);
        logits.push(low.slice(row * lowWidth * lowHeight, (row + 1) * lowWidth * lowHeight));
      }
      const best = rows.reduce((found, row, place) => (decoded.scores[row]! > decoded.scores[rows[found]!]! ? place : found), 0);
      const data = logits[logits.length - rows.length + best];
      if (data !== undefined) maskCache?.keep(features, prompt, { width: lowWidth, height: lowHeight, data });
      runMs += run - begin;
      maskMs += performance.now() - run;
    }
    const { width: logitsWidth, height: logitsHeight } = description.maskInput;
    const all = new Float32Array(logits.length * logitsWidth * logitsHeight);
    logits.forEach((one, row) => all.set(one, row * logitsWidth * logitsHeight));
    return createPromptedMasks({
      image,
      servedBy,
      timings: called === null ? null : addTimes(embedding.timings, runMs, maskMs, performance.now() - called),
      prompts: prompts.length,
      masks: convertMasks(joinMasks(masks, image.width, image.height), maskFormat),
      scores: Float32Array.from(scores),
      logits: all,
      logitsWidth,
      logitsHeight,
    });
  }

  #run(
    features: ImageEmbedding["features"],
    prompt: SegmentationPrompt,
    mask: MaskLogits | undefined,
    picture: Size,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const { maskInput, sizePort, points, wanted } = this.#parts.description;
    const { coordinates, labels } = points(prompt, picture);
    const { width, height } = maskInput;
    const float = (dims: readonly number[], data: Float32Array): Tensor => ({ type: "float32", dims, data });
    const session = this.#parts.otherSessions[0] as InferenceSession;
    return session.run(
      {
        ...features,
        point_coords: float([1, labels.length, 2], coordinates),
        point_labels: float([1, labels.length], labels),
        mask_input: float([1, 1, height, width], mask?.data ?? new Float32Array(width * height)),
        has_mask_input: float([1], Float32Array.of(mask === undefined ? 0 : 1)),
        ...(sizePort === null ? {} : { [sizePort.name]: float([2], Float32Array.of(picture.height, picture.width)) }),
      },
      { outputs: wanted, ...(signal === undefined ? {} : { signal }) },
    );
  }

  protected override engineStatistics(): SessionStatistics {
    return this.#encoder.statistics();
  }

  protected override release(): Promise<void> {
    return this.#encoder.close();
  }
}

function forPictures({ signal, preprocessing, exifOrientation }: EmbedOptions = {}): EmbedOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(exifOrientation === undefined ? {} : { exifOrientation }),
  };
}

function addTimes(encoder: Timings | null, runMs: number, maskMs: number, totalMs: number): Timings {
  const { decodeImageMs = 0, preprocessMs = 0, inferenceMs = 0, postprocessMs = 0 } = encoder ?? {};
  return { decodeImageMs, preprocessMs, inferenceMs: inferenceMs + runMs, postprocessMs: postprocessMs + maskMs, totalMs };
}
