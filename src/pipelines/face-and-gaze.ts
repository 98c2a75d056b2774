/** Finds the faces in a picture and where each of them looks: detector with key points, crops, gaze estimator. */
import { InvalidParameterError, ModelPipelineInitializationError } from "../errors.js";
import { cropRectangle, loadPicture, rectangleWithin, type ImageInput, type Picture } from "../imaging/index.js";
import type { AnyModel, CallOptions, GazeDetectionModel, KeyPointModel } from "../models/index.js";
import { requireKnownOptions } from "../options.js";
import type { Gaze, GazeJson, ImageInfo, KeyPoints, KeyPointsJson } from "../results/index.js";
import type { PipelineCallOptions } from "./call-options.js";

export interface FaceAndGazeOptions extends PipelineCallOptions {
  /** Least confidence of a face, 0..1; default 0.25. */
  readonly confidence?: number;
  /** How much of its width and height is added to each side of a face's box before it is cut out; default 0, at most 1. */
  readonly cropMargin?: number;
}

export interface FaceAndGazeModels {
  /** Finds faces, with key points of class `face`. */
  readonly detector: KeyPointModel;
  /** Says where a face looks. */
  readonly gaze: GazeDetectionModel;
}

/** The faces of a picture. */
export interface FacesAndGazes {
  readonly image: ImageInfo;
  readonly faces: KeyPoints;
  /** One for each face; null for a face that does not lie in the picture. */
  readonly gazes: readonly (Gaze | null)[];
  toJSON(): { readonly faces: KeyPointsJson; readonly gazes: readonly (GazeJson | null)[] };
}

const CONFIDENCE = 0.25;

function requireFaces(model: AnyModel | undefined): KeyPointModel {
  if (model?.task === "keypoint-detection" && model.classNames.includes("face")) return model;
  throw new ModelPipelineInitializationError(
    `The first model must find faces (keypoint-detection with a class "face"), but ${model === undefined ? "there is none" : `its task is ${model.task}`}.`,
  );
}

function requireGaze(model: AnyModel | undefined): GazeDetectionModel {
  if (model?.task === "gaze-detection") return model;
  throw new ModelPipelineInitializationError(
    `The second model must say where a face looks (gaze-detection), but ${model === undefined ? "there is none" : `its task is ${model.task}`}.`,
  );
}

function requireMargin(value: number | undefined): number {
  if (value === undefined) return 0;
  if (Number.isFinite(value) && value >= 0 && value <= 1) return value;
  throw new InvalidParameterError(`cropMargin has to be a number from 0 to 1, but is ${String(value)}.`, { parameter: "cropMargin" });
}

/** It owns its models: closing it closes them. */
export class FaceAndGazePipeline implements AsyncDisposable {
  private constructor(readonly models: FaceAndGazeModels) {}

  /** @param models a detector of faces and a gaze estimator. @throws ModelPipelineInitializationError */
  static withModels(models: readonly (AnyModel | null)[]): FaceAndGazePipeline {
    if (models.length !== 2) {
      throw new ModelPipelineInitializationError(
        "Faces and gaze take two models, a detector of faces and a gaze estimator, in this order.",
      );
    }
    return new FaceAndGazePipeline({ detector: requireFaces(models[0] ?? undefined), gaze: requireGaze(models[1] ?? undefined) });
  }

  predict(image: ImageInput, options?: FaceAndGazeOptions): Promise<FacesAndGazes>;
  predict(images: readonly ImageInput[], options?: FaceAndGazeOptions): Promise<FacesAndGazes[]>;
  async predict(input: ImageInput | readonly ImageInput[], options: FaceAndGazeOptions = {}): Promise<FacesAndGazes | FacesAndGazes[]> {
    requireKnownOptions(options, ["signal", "exifOrientation", "confidence", "cropMargin"], "predict of faces and gaze");
    if (!Array.isArray(input)) return this.#look(input as ImageInput, options);
    const results: FacesAndGazes[] = [];
    // One after the other: each picture keeps both models busy, and holds its pixels meanwhile.
    for (const image of input as readonly ImageInput[]) results.push(await this.#look(image, options));
    return results;
  }

  async #look(image: ImageInput, options: FaceAndGazeOptions): Promise<FacesAndGazes> {
    const { signal, exifOrientation = "apply", confidence = CONFIDENCE } = options;
    const margin = requireMargin(options.cropMargin);
    const call = signal === undefined ? {} : { signal };
    const picture = await loadPicture(image, { exifOrientation });
    const faces = await this.models.detector.predict(picture, { ...call, confidence });
    const gazes = await this.#gazesOf(picture, faces, margin, call);
    return {
      image: faces.image,
      faces,
      gazes,
      toJSON: () => ({ faces: faces.toJSON(), gazes: gazes.map((gaze) => gaze?.toJSON() ?? null) }),
    };
  }

  async #gazesOf(picture: Picture, { detections }: KeyPoints, margin: number, call: CallOptions): Promise<readonly (Gaze | null)[]> {
    const places = Array.from(detections, ({ box: { x1, y1, x2, y2 } }) => {
      const [dx, dy] = [margin * (x2 - x1), margin * (y2 - y1)];
      return rectangleWithin(picture, x1 - dx, y1 - dy, x2 + dx, y2 + dy);
    });
    const crops = places.flatMap((place) => (place === null ? [] : [cropRectangle(picture, place)]));
    const looks = crops.length === 0 ? [] : await this.models.gaze.predict(crops, call);
    let next = 0;
    return places.map((place) => (place === null ? null : (looks[next++] ?? null)));
  }

  async close(): Promise<void> {
    await Promise.all([this.models.detector.close(), this.models.gaze.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
