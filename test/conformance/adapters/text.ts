/** The steps of finding and reading text. */
import { loadAddon } from "../../../src/native/index.js";
import { cpuExecutor, referenceExecutor, resolvePreprocess, sideLimitSize, textLineWidth } from "../../../src/imaging/index.js";
import type { PixelImage, PreprocessExecutor } from "../../../src/imaging/index.js";
import { ctcSymbols, decodeCtc } from "../../../src/models/families/text/decode.js";
import { findTextRegions } from "../../../src/models/families/text/regions.js";
import { parseTextDetectionSettings, parseTextRecognitionSettings } from "../../../src/models/families/text/settings.js";
import { NotCovered, type Adapter, type AdapterTable } from "../adapter.js";
import { decodeArray, encodeArray, type VectorArray } from "../values.js";
import { toTensor } from "./shared.js";

const SOURCE = { path: "inference.yml" };

function requireFile(file: string | null): string {
  if (file === null) throw new NotCovered("a missing file is refused before it is parsed");
  return file;
}

interface RegionsCase {
  readonly probability_map: VectorArray;
  readonly source_height: number;
  readonly source_width: number;
  readonly config: {
    readonly thresh: number;
    readonly box_thresh: number;
    readonly unclip_ratio: number;
    readonly max_candidates: number;
  };
}

interface LinesCase {
  readonly images: readonly VectorArray[];
  readonly target_height: number;
  readonly min_width: number;
  readonly max_width?: number;
}

const textLines =
  (executor: () => PreprocessExecutor): Adapter =>
  async ({ images, target_height: height, min_width: minimumWidth, max_width: maximumWidth }: LinesCase) => {
    const pictures = images.map((array): PixelImage => {
      const [rows = 0, columns = 0] = array.shape;
      return { data: decodeArray(array) as Uint8Array, width: columns, height: rows, channels: 3, colorFormat: "bgr", borrowed: true };
    });
    const width = textLineWidth(pictures, height, minimumWidth, maximumWidth);
    const elements = 3 * height * width;
    const tensor = new Float32Array(images.length * elements);
    await Promise.all(
      pictures.map((picture, index) => {
        const { steps } = resolvePreprocess({ kind: "text-line", defaultSize: { width, height }, colorFormat: "bgr" }, picture);
        return executor().run(picture, steps, tensor.subarray(index * elements, (index + 1) * elements));
      }),
    );
    return { tensor: encodeArray(tensor, [images.length, 3, height, width]) };
  };

export const adapters: AdapterTable = {
  "ocr-detection-input-size": {
    "": (input: { readonly width: number; readonly height: number; readonly limit_side_len: number; readonly limit_type: string }) => {
      const { width, height } = sideLimitSize(input, input.limit_side_len, input.limit_type);
      return { width, height, scale_width: width / input.width, scale_height: height / input.height };
    },
  },
  "ocr-parse-detection-config": {
    "": ({ file }: { readonly file: string | null }) => {
      const settings = parseTextDetectionSettings(requireFile(file), SOURCE);
      return {
        limit_side_len: settings.limitSideLength,
        limit_type: settings.limitType,
        mean: settings.mean,
        std: settings.std,
        scale: settings.scale,
        to_rgb: settings.colorFormat === "rgb",
        thresh: settings.threshold,
        box_thresh: settings.boxThreshold,
        unclip_ratio: settings.unclipRatio,
        max_candidates: settings.maximumCandidates,
      };
    },
  },
  "ocr-parse-recognition-config": {
    "": ({ file }: { readonly file: string | null }) => {
      const { imageShape, characters } = parseTextRecognitionSettings(requireFile(file), SOURCE);
      return { image_shape: imageShape, characters };
    },
  },
  "ocr-boxes-from-probability-map": {
    "": ({ probability_map: array, source_height, source_width, config }: RegionsCase) => {
      const [height = 0, width = 0] = array.shape;
      const data = Float32Array.from(decodeArray(array) as Float32Array);
      const regions = findTextRegions(
        { data, offset: 0, width, height },
        { width: source_width, height: source_height },
        {
          threshold: config.thresh,
          boxThreshold: config.box_thresh,
          unclipRatio: config.unclip_ratio,
          maximumCandidates: config.max_candidates,
        },
      );
      return { boxes: regions.map(({ polygon, score }) => ({ points: polygon, score })) };
    },
  },
  "ocr-ctc-decode": {
    "": ({ predictions, characters }: { readonly predictions: VectorArray; readonly characters: readonly string[] }) => {
      const [batch = 0, steps = 0, classes = 0] = predictions.shape;
      const data = toTensor(predictions).data as Float32Array;
      const symbols = ctcSymbols(characters);
      const texts = Array.from({ length: batch }, (_, line) => decodeCtc(data, line * steps * classes, steps, classes, symbols));
      return { texts: texts.map(({ text, confidence }) => ({ text, score: confidence })) };
    },
  },
  "ocr-preprocess-text-lines": {
    cpu: textLines(() => {
      const addon = loadAddon();
      if (addon === null) throw new NotCovered("the addon is not available");
      return cpuExecutor(addon);
    }),
    reference: textLines(() => referenceExecutor),
  },
};
