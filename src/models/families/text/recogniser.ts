/** PP-OCR's text recogniser: one line of text to characters. */
import type { TextLinePlan } from "../../../imaging/index.js";
import { ModelInputError } from "../../../errors.js";
import type { TextRecognitionDescription, TextRecognitionFamily } from "../../family.js";
import { floatData, requireImageInput, requireOutput, requireRank, wrongNetwork } from "../outputs.js";
import { ctcSymbols, decodeCtc } from "./decode.js";
import { parseTextRecognitionSettings } from "./settings.js";

const SETTINGS_FILE = "inference.yml";
const MEANING = "probabilities [batch, steps, symbols]";
/** Lines in one run of the network. */
const LINES_AT_ONCE = 8;

interface RecogniserDescription extends TextRecognitionDescription {
  readonly symbols: readonly string[];
}

export const family: TextRecognitionFamily<RecogniserDescription> = {
  task: "text-only-ocr",
  files: [SETTINGS_FILE],
  weights: "inference.onnx",
  resizeModes: null,
  describe({ texts }, network) {
    const file = texts[SETTINGS_FILE];
    if (file === undefined) throw new ModelInputError(`A text recogniser needs ${SETTINGS_FILE}.`);
    const { imageShape, characters } = parseTextRecognitionSettings(file.text, file);
    const [, height, width] = imageShape;
    const plan: TextLinePlan = Object.freeze({ kind: "text-line", defaultSize: { width, height }, colorFormat: "bgr" });
    requireImageInput(network.inputs, plan.defaultSize);
    const symbols = ctcSymbols(characters);
    const [, , classes] = requireOutput(network.outputs, 0, 3, MEANING);
    if (classes != null && classes !== symbols.length) {
      throw wrongNetwork(
        `The network tells ${classes} symbols apart; ${file.path} lists ${characters.length} characters, which with the blank and the space makes ${symbols.length}.`,
      );
    }
    return { plan, symbols, minimumWidth: width, classNames: [], maximumDynamicBatch: LINES_AT_ONCE, acceptsImageSize: false };
  },
  async decode(outputs, image, _geometry, { symbols }) {
    const { data, dims } = floatData(outputs, 0);
    const [, steps = 0, classes = 0] = requireRank(dims, 3, MEANING);
    return decodeCtc(data, image * steps * classes, steps, classes, symbols);
  },
};
