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
  prepareClassRemapping,
  requireBackgroundClass,
  type ClassRemapping,
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

/** Valid files, with everything that may be in them. */
const COMPLETE: Readonly<Record<string, unknown>> = {
  "inference_config.json": {
    image_pre_processing: {
      "auto-orient": { enabled: true },
      "static-crop": { enabled: true, x_min: 10, x_max: 90, y_min: 5, y_max: 95 },
      contrast: { enabled: true, type: "Contrast Stretching" },
      grayscale: { enabled: false },
    },
    network_input: {
      ...CONFIG.network_input,
      dataset_version_resize_dimensions: { height: 500, width: 700 },
      dynamic_spatial_size_mode: { type: "pad-to-be-divisible", value: 32 },
      padding_value: 127,
      scaling_factor: 255,
      normalization: [
        [0.5, 0.5, 0.5],
        [0.2, 0.2, 0.2],
      ],
    },
    forward_pass: { static_batch_size: 1, max_dynamic_batch_size: 16 },
    post_processing: {
      type: "nms",
      fused: true,
      nms_parameters: { max_detections: 300, confidence_threshold: 0.25, iou_threshold: 0.7, class_agnostic: 0 },
    },
    class_names_operations: [{ type: "class_name_removal", class_name: "background" }],
  },
  "model_config.json": {
    model_architecture: "yolov8",
    backend_type: "onnx",
    model_features: { nms_fused: {} },
    recommended_parameters: { confidence: 0.4, perClassConfidence: { cat: 0.3 } },
    static_batch_size: 1,
    model_dependencies: [{ name: "base" }],
  },
  "keypoints_metadata.json": [{ object_class_id: 0, keypoints: { "0": "a", "1": "b" }, edges: [{ from: 0, to: 1 }] }],
  "trt_config.json": { dynamic_batch_size_min: 1, dynamic_batch_size_opt: 2, dynamic_batch_size_max: 4 },
};

/** A copy with the value at the n-th place (counted in reading order, again from the start after the last) replaced. */
function replaceOne(root: unknown, position: number, replacement: unknown): unknown {
  const count = (value: unknown): number =>
    typeof value === "object" && value !== null ? Object.values(value).reduce((sum: number, child) => sum + count(child), 1) : 1;
  let left = position % count(root);
  const visit = (value: unknown): unknown => {
    if (left-- === 0) return replacement;
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, visit(child)]));
    return value;
  };
  return visit(root);
}

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
    expect(error?.message).toContain('found "RGB"');
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

describe("hostile files", () => {
  const config = (change: object): string => JSON.stringify({ network_input: { ...CONFIG.network_input, ...change } });
  const parse = (text: string) => errorOf(() => parseInferenceConfig(text, RULES, AT));

  it("takes no time over a row of digits that is not a number", () => {
    expect(parse(config({ input_channels: `${"1".repeat(4_000_000)}x` }))).toBeInstanceOf(CorruptedModelPackageError);
  });

  it("compares neither endless nor countless unknown keys with known ones", () => {
    expect(parse(config({ ["k".repeat(8_000_000)]: 1 }))).toBeNull();
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore });
    expect(parse(config(Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`pading_value_${index}`, 1]))))).toBeNull();
    expect(warnings.length).toBeLessThan(100);
  });

  it.each([10_000, 190_000, 1_000_000])("reports %i wrong values in a few lines", (count) => {
    const error = parse(config({ normalization: [new Array<string>(count).fill("a"), []] }));
    expect(error).toBeInstanceOf(CorruptedModelPackageError);
    expect(error?.message.length).toBeLessThan(1000);
  });

  it("keeps keys that mean something to JavaScript out of the way", () => {
    const { modelFeatures } = parseModelConfig('{"model_features":{"__proto__":{"nms_fused":true}}}', AT);
    expect((modelFeatures as { nms_fused?: unknown }).nms_fused).toBeUndefined();
    expect(parse(JSON.stringify({ ...CONFIG, image_pre_processing: { contrast: { enabled: true, type: "constructor" } } }))).not.toBeNull();
  });
});

describe("class names", () => {
  const operations = (...names: string[]) => names.map((className) => ({ type: "class_name_removal", className }) as const);

  it("takes one name a line, whatever ends the lines", () => {
    expect(parseClassNames("\uFEFF cat \r\n\r\ndog\rcat\n", AT)).toEqual(["cat", "dog", "cat"]);
  });

  it("removes every line with a name and moves the others up", () => {
    expect(prepareClassRemapping(["-", "cat", "-", "dog"], operations("-", "bird"))).toEqual({
      classNames: ["cat", "dog"],
      classesRemapping: { remainingClassIds: [1, 3], classMapping: [-1, 0, -1, 1] },
    });
  });

  it("finds the background in any case, and wants a class beside it", () => {
    expect(requireBackgroundClass(["cat", "BackGround"], AT)).toBe(1);
    expect(errorOf(() => requireBackgroundClass(["background"], AT))).toBeInstanceOf(CorruptedModelPackageError);
    expect(errorOf(() => requireBackgroundClass(["backgrounds", "cat"], AT))).toBeInstanceOf(CorruptedModelPackageError);
  });
});

describe("keypoints_metadata.json", () => {
  const entry = (id: number, keypoints: object, edges: object[] = []) => ({ object_class_id: id, keypoints, edges });
  const parse = (entries: unknown, ...rest: [ClassRemapping?]) => parseKeyPointsMetadata(JSON.stringify(entries), AT, ...rest);

  it("sorts keys as numbers and counts edges in that order", () => {
    expect(parse([entry(0, { "10": "tip", "2": "knuckle", "1": "wrist" }, [{ from: 0, to: 2 }])])).toEqual({
      names: [["wrist", "knuckle", "tip"]],
      skeletons: [[[0, 2]]],
    });
  });

  it("follows classes to their new ids and leaves removed ones out", () => {
    const remapping: ClassRemapping = { remainingClassIds: [1, 2], classMapping: [-1, 0, 1] };
    expect(parse([entry(2, { "0": "c" }), entry(0, {}), entry(1, { "0": "b" })], remapping).names).toEqual([["b"], ["c"]]);
    expect(errorOf(() => parse([entry(1, {})], remapping))?.message).toContain("class 1 is not described");
  });

  it.each([
    ["a class twice", [entry(0, {}), entry(0, {})]],
    ["a class that is not there", [entry(5, {})]],
    ["a negative class", [entry(-1, {})]],
    ["an edge to nowhere", [entry(0, { "0": "a" }, [{ from: 0, to: 1 }])]],
    ["no class", []],
  ])("refuses %s", (_, entries) => {
    expect(errorOf(() => parse(entries))).toBeInstanceOf(CorruptedModelPackageError);
  });
});

describe("model_config.json", () => {
  it("tells packages of this library from those that bring code", () => {
    expect(parseModelConfig('{"model_architecture":"yolov8","backend_type":"onnx"}', AT).isLibraryModel).toBe(true);
    expect(parseModelConfig('{"model_module":"model.py","model_class":"Mine"}', AT).isLibraryModel).toBe(false);
  });

  it("reads recommended thresholds in both spellings", () => {
    const recommended = (parameters: object) =>
      parseModelConfig(JSON.stringify({ recommended_parameters: parameters }), AT).recommendedParameters;
    expect(recommended({ perClassConfidence: { cat: 0.3 } })).toEqual({ confidence: null, perClassConfidence: { cat: 0.3 } });
    expect(recommended({ confidence: 0.5, per_class_confidence: { cat: 0.3 } })).toEqual({
      confidence: 0.5,
      perClassConfidence: { cat: 0.3 },
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

  it("gives a value or a typed error for a valid file with one value replaced by anything", () => {
    const ignore = (): void => undefined;
    setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.jsonValue({ maxDepth: 2 }), (position, value) => {
        for (const complete of Object.values(COMPLETE)) errorOf(() => parse(JSON.stringify(replaceOne(complete, position, value))));
      }),
      { numRuns: 300 },
    );
  });

  it("survives nesting bombs and enormous files", () => {
    errorOf(() => parse("[".repeat(200_000)));
    errorOf(() => parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`));
    errorOf(() => parse(" ".repeat(17 * 1024 * 1024)));
  });
});
