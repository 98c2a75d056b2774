/** Masks by the kernels, on the stand-in for the driver, beside those of the CPU. The kernels are tested in test/native. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

import { ModelInputError } from "../../../src/errors.js";
import { cpuDecoder, type MaskHead, type MaskSelection, type MaskTarget } from "../../../src/models/decoding/index.js";
import { callNative, loadAddon } from "../../../src/native/index.js";
import { aligning, decoding } from "../../conformance/adapters/segmentation.js";
import { readVectors } from "../../conformance/vectors.js";
import { deviceDecoder, driverAlone } from "../../support/device-decoder.js";
import { compareDecoding } from "../../support/device-vectors.js";
import { nvidiaFakes } from "../../support/nvidia-fakes.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();
const vectors = resolve("../shared/conformance");
if (!existsSync(vectors)) process.stderr.write("skipped: ../shared/conformance is not there\n");

describe.skipIf(fakes === null)("masks on the device", () => {
  const cpu = addon === null ? null : cpuDecoder(addon);
  const assemble = (head: MaskHead, selection: MaskSelection, target: MaskTarget) =>
    callNative(() => addon!.assembleMasks({ cudaLibraryPath: join(fakes!, "cuda"), device: 0 }, head, selection, target));

  it("are those of the CPU, cut to boxes or not, smooth or not", async () => {
    const [side, channels, candidates] = [20, 32, 6];
    const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => (((i * 7919) % 401) - 200) / 100);
    const head: MaskHead = {
      ...{ width: side, height: side, channels, sigmoid: true },
      planes: { data: numbers(side * side * channels), offset: 0, candidateStride: 1, attributeStride: side * side },
      coefficients: { data: numbers(candidates * channels), offset: 0, candidateStride: channels, attributeStride: 1, candidates },
    };
    const boxes = Float32Array.of(0, 0, 80, 80, 8, 16, 40, 60, 30, 30, 31, 31);
    const target: MaskTarget = {
      ...{ trim: { left: 1, top: 0, right: 2, bottom: 3 }, resize: { width: 150, height: 90 } },
      ...{ left: -4, top: 7, picture: { width: 140, height: 100 }, threshold: 0.5 },
    };
    let pixels = 0;
    for (const sigmoid of [true, false]) {
      for (const cut of [boxes, null]) {
        const selection = { indices: Int32Array.of(0, 5, 3), boxes: cut, boxScale: 0.25 };
        const found = await assemble({ ...head, sigmoid }, selection, target);
        expect(found).toEqual(await cpu!.decodeMasks({ ...head, sigmoid }, selection, target));
        pixels += found.runs.length;
      }
    }
    expect(pixels).toBeGreaterThan(100);
    const nothing = { indices: new Int32Array(0), boxes: null, boxScale: 1 };
    expect(await assemble(head, nothing, target)).toEqual(await cpu!.decodeMasks(head, nothing, target));
  });

  it("are refused where the kernels cannot make them", async () => {
    const planes = { data: new Float32Array(33), offset: 0, candidateStride: 1, attributeStride: 1 };
    const coefficients = { data: new Float32Array(33), offset: 0, candidateStride: 33, attributeStride: 1, candidates: 1 };
    const head: MaskHead = { width: 1, height: 1, channels: 33, sigmoid: false, planes, coefficients };
    const whole = { width: 4, height: 4 };
    const target: MaskTarget = {
      ...{ trim: { left: 0, top: 0, right: 0, bottom: 0 }, resize: whole, left: 0, top: 0, picture: whole, threshold: 0 },
    };
    await expect(assemble(head, { indices: Int32Array.of(0), boxes: null, boxScale: 1 }, target)).rejects.toThrow(ModelInputError);
  });

  it.skipIf(!existsSync(vectors))(
    "and everything else by the driver alone are those of the CPU in every vector",
    async () => {
      const options = { cudaLibraryPath: join(fakes!, "cuda"), device: 0 };
      await using onDevice = deviceDecoder(addon!, driverAlone(addon!, options), assemble);
      const { compared, differing } = await compareDecoding(readVectors(vectors), addon!, onDevice);
      expect(differing).toEqual([]);
      for (const name of Object.keys({ ...decoding, ...aligning })) expect(compared.get(name), name).toBeGreaterThan(8);
      for (const kind of ["dense cxcywh", "dense xyxy", "dense offsets", "rows", "queries", "maps", "masks"])
        expect(onDevice.decoded.get(kind), kind).toBeGreaterThan(5);
    },
    240_000,
  );
});
