import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";

import { readModelHeader } from "../../src/engines/onnx/model-file.js";
import { buildModel } from "../support/onnx-graphs.js";
import { doublingNetwork, FACE_DETECTOR } from "./networks.js";

const directory = mkdtempSync(join(tmpdir(), "inference-models-"));
afterAll(() => rmSync(directory, { recursive: true }));

const MODEL = {
  inputs: [],
  outputs: [],
  nodes: [],
  opset: 19,
  otherOpsets: { "com.microsoft": 1 },
  producer: "p",
  domain: "d",
  description: "text",
  version: 300,
  custom: { key: "value", empty: "" },
};

describe("readModelHeader", () => {
  test("reads the small fields of a model", () => {
    expect(readModelHeader(buildModel(MODEL))).toEqual({
      opset: 19,
      producer: "p",
      domain: "d",
      description: "text",
      version: 300,
      custom: { key: "value", empty: "" },
    });
  });

  test("reads files as it reads bytes", () => {
    expect(readModelHeader(FACE_DETECTOR)).toEqual(readModelHeader(new Uint8Array(readFileSync(FACE_DETECTOR))));
  });

  test("steps over a graph of any size without reading it", () => {
    const path = join(directory, "sparse.onnx");
    const gigabytes = 6 * 2 ** 30;
    const length = [0x80 | (gigabytes & 0x7f)];
    for (let rest = Math.floor(gigabytes / 128); length.length < 6 && rest > 0; rest = Math.floor(rest / 128))
      length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    const head = Uint8Array.of(7 * 8 + 2, ...length);
    writeFileSync(path, head);
    truncateSync(path, head.length + gigabytes); // a hole: takes no space
    writeFileSync(path, Uint8Array.of(8 * 8 + 2, 2, 16, 21), { flag: "a" }); // opset_import { version: 21 }
    expect(readModelHeader(path)?.opset).toBe(21);
  });

  test("tells nothing about files that are no models", () => {
    expect(readModelHeader(join(directory, "none.onnx"))).toBeNull();
    expect(readModelHeader(directory)).toBeNull();
    const model = doublingNetwork();
    expect(readModelHeader(model.subarray(0, model.length - 1))).toBeNull();
  });

  test("ends on any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readModelHeader(bytes)));
  });
});
