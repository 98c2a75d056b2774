/** For tests on the stand-ins of NVIDIA's libraries. */
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";

import { TensorRtEngine } from "../../src/engines/index.js";
import { AutoModel } from "../../src/index.js";

/** Has the tests of a file, or of the suite around, find the stand-ins. */
export function useStandIns(fakes: string | null): void {
  beforeAll(() => {
    process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"] = join(fakes ?? "", "cuda");
    process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"] = join(fakes ?? "", "trt10");
  });
  afterAll(() => {
    delete process.env["INFERENCE_MODELS_CUDA_LIBRARY_PATH"];
    delete process.env["INFERENCE_MODELS_TENSORRT_LIBRARY_PATH"];
  });
}

/** A package with both executors; what downloads outputs is watched (call `vi.restoreAllMocks` afterwards). */
export async function loadBoth<Model>(directory: string) {
  const onCpu = (await AutoModel.fromPretrained(directory)) as Model;
  const loading = vi.spyOn(TensorRtEngine, "load");
  const onDevice = (await AutoModel.fromPretrained(directory, { executor: "cuda" })) as Model;
  const engine = (await loading.mock.results.at(-1)?.value) as TensorRtEngine;
  const downloads = [vi.spyOn(engine, "run"), vi.spyOn(engine, "runPictures" as never)];
  return { onCpu, onDevice, engine, downloads };
}
