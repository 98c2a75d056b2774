import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, it, vi } from "vitest";

import { configuration, configure, ENVIRONMENT_VARIABLES } from "../src/configuration.js";
import { InvalidEnvVariable } from "../src/errors.js";
import { packageRoot } from "../src/package-root.js";

afterEach(() => {
  vi.unstubAllEnvs();
  configure({});
});

describe("configuration", () => {
  it("reads variables when they are needed, code wins over them", () => {
    vi.stubEnv("INFERENCE_MODELS_YOLOV5_DEFAULT_CONFIDENCE", "0.6");
    expect(configuration().defaults.yolov5.confidence).toBe(0.6);
    configure({ defaults: { yolov5: { confidence: 0.7 } } });
    expect(configuration().defaults.yolov5.confidence).toBe(0.7);
    expect(configuration().defaults.yolov5.iouThreshold).toBe(0.3);
  });

  it("names a malformed variable, and nothing else breaks", () => {
    vi.stubEnv("INFERENCE_MODELS_MAXIMUM_PIXELS", "many");
    expect(configuration().defaults.yolo26.confidence).toBe(0.25);
    expect(() => configuration().inputs.maximumPixels).toThrow(InvalidEnvVariable);
    expect(() => configuration().inputs.maximumPixels).toThrow(/INFERENCE_MODELS_MAXIMUM_PIXELS is "many"/);
  });

  it("is documented, every variable of it", () => {
    const page = readFileSync(join(packageRoot, "docs", "configuration.md"), "utf8");
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)].map(
      ([, name, kind, standard = "", meaning]) => ({ name, kind, standard, meaning }),
    );
    expect(documented).toEqual([...ENVIRONMENT_VARIABLES]);
  });
});
