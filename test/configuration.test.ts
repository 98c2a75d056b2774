import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it, vi } from "vitest";

import { configuration, configure, ENVIRONMENT_VARIABLES, loadDotEnv } from "../src/configuration.js";
import { InvalidEnvVariable, InvalidOptionError, InvalidParameterError } from "../src/errors.js";
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

  it("lets families inherit the general defaults, the nearest setting winning", () => {
    vi.stubEnv("INFERENCE_MODELS_DEFAULT_CONFIDENCE", "0.5");
    expect(configuration().defaults.yolov5.confidence).toBe(0.5);
    expect(configuration().defaults.yolo26.confidence).toBe(0.25);
    configure({ defaults: { general: { confidence: 0.6, maxDetections: 10 } } });
    expect(configuration().defaults.yolov5.confidence).toBe(0.6);
    expect(configuration().defaults.yolov10.maxDetections).toBe(10);
    vi.stubEnv("INFERENCE_MODELS_YOLOV5_DEFAULT_CONFIDENCE", "0.7");
    expect(configuration().defaults.yolov5.confidence).toBe(0.7);
    configure({ defaults: { yolov5: { confidence: 0.8 } } });
    expect(configuration().defaults.yolov5.confidence).toBe(0.8);
  });

  it("refuses settings that do not exist or have the wrong type, and keeps those it had", () => {
    configure({ inputs: { maximumPixels: 7 } });
    const wrong = (settings: object) => () => {
      configure(settings);
    };
    expect(wrong({ inputs: { maximumPixel: 1 } })).toThrow(/maximumPixels/);
    expect(wrong({ defaults: { yolov5: { confidence: "0.5" } } })).toThrow(/configure\.defaults\.yolov5\.confidence/);
    expect(wrong({ onnx: { executionProviders: "cpu" } })).toThrow(InvalidOptionError);
    expect(wrong({ inputs: 5 })).toThrow(InvalidOptionError);
    expect(configuration().inputs.maximumPixels).toBe(7);
  });

  it("takes a list with or without brackets", () => {
    for (const text of ["cuda, cpu", "[cuda,cpu]"]) {
      vi.stubEnv("ONNXRUNTIME_EXECUTION_PROVIDERS", text);
      expect(configuration().onnx.executionProviders).toEqual(["cuda", "cpu"]);
    }
  });

  it("names a malformed variable, and nothing else breaks", () => {
    vi.stubEnv("INFERENCE_MODELS_MAXIMUM_PIXELS", "many");
    expect(configuration().defaults.yolo26.confidence).toBe(0.25);
    expect(() => configuration().inputs.maximumPixels).toThrow(InvalidEnvVariable);
    expect(() => configuration().inputs.maximumPixels).toThrow(/INFERENCE_MODELS_MAXIMUM_PIXELS is "many"/);
  });

  it("reads a file of variables when told to; those that are set keep their value", () => {
    const folder = mkdtempSync(join(tmpdir(), "configuration-"));
    const path = join(folder, ".env");
    expect(loadDotEnv(path)).toBe(false);
    vi.stubEnv("INFERENCE_MODELS_YOLOV5_DEFAULT_CONFIDENCE", "0.6");
    // Known to the stubs, so that it is gone again after the test.
    vi.stubEnv("INFERENCE_MODELS_YOLO26_DEFAULT_CONFIDENCE", undefined);
    writeFileSync(path, "# mine\nINFERENCE_MODELS_YOLOV5_DEFAULT_CONFIDENCE=0.1\nINFERENCE_MODELS_YOLO26_DEFAULT_CONFIDENCE='0.2' # low\n");
    expect(loadDotEnv(path)).toBe(true);
    expect(configuration().defaults.yolov5.confidence).toBe(0.6);
    expect(configuration().defaults.yolo26.confidence).toBe(0.2);
    expect(() => loadDotEnv(folder)).toThrow(InvalidParameterError);
  });

  it("is documented, every variable of it", () => {
    const page = readFileSync(join(packageRoot, "docs", "configuration.md"), "utf8");
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (?:`([^`]*)`)? ?\| (.*) \|$/gm)].map(
      ([, name, kind, standard = "", meaning]) => ({ name, kind, standard, meaning }),
    );
    expect(documented).toEqual([...ENVIRONMENT_VARIABLES]);
  });
});
