import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { CorruptedModelPackageError, InferenceModelsError } from "../../src/errors.js";
import { setLogger } from "../../src/logger.js";
import {
  parseClassNames,
  parseInferenceConfig,
  parseKeyPointsMetadata,
  parseModelConfig,
  parseTrtConfig,
  type ResizeModeRules,
} from "../../src/packages/index.js";

const RULES: ResizeModeRules = { allowed: ["stretch", "letterbox"], substitutions: {}, maximumInputSize: null };
const AT = { path: "file.json" };
const CONFIG = {
  network_input: {
    training_input_size: { height: "640", width: 640.0 },
    dynamic_spatial_size_supported: "no",
    color_mode: "rgb",
    resize_mode: "stretch",
    input_channels: 3,
  },
};

const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  "inference_config.json": (text) => parseInferenceConfig(text, RULES, AT),
  "model_config.json": (text) => parseModelConfig(text, AT),
  "keypoints_metadata.json": (text) => parseKeyPointsMetadata(text, AT),
  "trt_config.json": (text) => parseTrtConfig(text, AT),
  "class_names.txt": (text) => parseClassNames(text, AT),
};

function errorOf(parse: () => unknown): InferenceModelsError | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (InferenceModelsError.is(error)) return error;
    throw error;
  }
}

afterEach(() => {
  setLogger(null);
});

describe("inference_config.json", () => {
  it("accepts numbers written as text, as published packages have them", () => {
    const { networkInput } = parseInferenceConfig(JSON.stringify(CONFIG), RULES, AT);
    expect(networkInput).toMatchObject({ trainingInputSize: { height: 640, width: 640 }, dynamicSpatialSize: { kind: "fixed" } });
  });

  it("names file, field and what was expected", () => {
    const broken = { network_input: { ...CONFIG.network_input, color_mode: "RGB", input_channels: "three" } };
    const error = errorOf(() => parseInferenceConfig(JSON.stringify(broken), RULES, AT));
    expect(error).toBeInstanceOf(CorruptedModelPackageError);
    expect(error?.message).toMatch(/file\.json.*network_input\.color_mode.*network_input\.input_channels/s);
    expect(error).toMatchObject({ path: "file.json", kind: "config" });
  });

  it("warns of a key that looks like a known one", () => {
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore });
    parseInferenceConfig(JSON.stringify({ ...CONFIG, image_pre_processing: { static_crop: { enabled: true } } }), RULES, AT);
    expect(warnings.join()).toContain('"static-crop" is probably meant');
  });

  it("refuses modes that the family cannot run, substitutes those it replaces", () => {
    const mode = (resize_mode: string) => JSON.stringify({ network_input: { ...CONFIG.network_input, resize_mode } });
    expect(errorOf(() => parseInferenceConfig(mode("center-crop"), RULES, AT))?.message).toContain("stretch, letterbox");
    const rules = { ...RULES, substitutions: { "fit-longer-edge": { resizeMode: "letterbox", paddingValue: 127 } } } as const;
    setLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
    expect(parseInferenceConfig(mode("fit-longer-edge"), rules, AT).networkInput).toMatchObject({
      resizeMode: "letterbox",
      paddingValue: 127,
    });
  });
});

describe.each(Object.entries(PARSERS))("%s", (_, parse) => {
  it("gives a value or a typed error for any text and any JSON", () => {
    setLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          errorOf(() => parse(text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("survives nesting bombs and enormous files", () => {
    errorOf(() => parse("[".repeat(200_000)));
    errorOf(() => parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`));
    errorOf(() => parse(" ".repeat(17 * 1024 * 1024)));
  });
});
