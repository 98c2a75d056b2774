/** Maps that the device makes behind the network, on the stand-ins. The kernels are tested in test/native. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cpuDecoder } from "../../../src/models/decoding/index.js";
import { loadAddon } from "../../../src/native/index.js";
import { NotCovered, type Adapter } from "../../conformance/adapter.js";
import { decoding } from "../../conformance/adapters/maps.js";
import { readVectors } from "../../conformance/vectors.js";
import { deviceMapDecoder } from "../../support/device-maps.js";
import { nvidiaFakes } from "../../support/nvidia-fakes.js";

const addon = loadAddon();
const fakes = addon === null ? null : nvidiaFakes();
const vectors = resolve("../shared/conformance");
if (!existsSync(vectors)) process.stderr.write("skipped: ../shared/conformance is not there\n");

describe.skipIf(fakes === null || !existsSync(vectors))("maps of an engine", () => {
  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes!, "cuda");
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes!, "trt10");
  });
  afterAll(() => {
    delete process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"];
    delete process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"];
  });

  it("are those of the CPU in every vector with a map", async () => {
    await using onDevice = deviceMapDecoder(addon!);
    const cpu = cpuDecoder(addon!);
    const outcome = async (run: () => unknown): Promise<unknown> => {
      try {
        return await run();
      } catch (error) {
        return error instanceof NotCovered ? null : (error as Error).constructor.name;
      }
    };
    const compared: Record<string, number> = {};
    for await (const { id, function: name, input, tags } of readVectors(vectors)) {
      if (!Object.hasOwn(decoding, name)) continue;
      const make = decoding[name as keyof typeof decoding];
      const before = onDevice.made;
      const found = await outcome(() => (make(() => onDevice) as Adapter)(input, { tags }));
      expect(found, id).toEqual(await outcome(() => (make(() => cpu) as Adapter)(input, { tags })));
      if (onDevice.made > before) compared[name] = (compared[name] ?? 0) + 1;
    }
    for (const name of Object.keys(decoding)) expect(compared[name], name).toBeGreaterThan(4);
  }, 240_000);
});
