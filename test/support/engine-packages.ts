/** Packages with an engine for the stand-in of TensorRT, whose networks return the first numbers of each picture. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { fakePlan } from "./nvidia-fakes.js";
import { inferenceConfig, writePackage, type PackageFiles } from "./packages.js";

export const IMAGES = "in images 0 4 -1 3 64 64";
/** In float16. */
export const HALF_IMAGES = "in images 1 4 -1 3 64 64";
const PROFILE = "profile 0 images 4 2 3 64 64 2 3 64 64 4 3 64 64";

/** Of an engine with rows of a detector. */
export const ENGINE_LINES = [IMAGES, "out output0 0 3 -1 10 6", PROFILE];

export const DYNAMIC_BATCH = { dynamic_batch_size_min: 2, dynamic_batch_size_opt: 2, dynamic_batch_size_max: 4 };

export function planOf(outputs: readonly string[], images = IMAGES): Uint8Array {
  return fakePlan([10, 15, 1, 1], [images, ...outputs, PROFILE]);
}

export async function writeEnginePackage(
  trtConfig: object | null,
  plan: Uint8Array = fakePlan([10, 15, 1, 1], ENGINE_LINES),
  config = inferenceConfig(),
  architecture = "yolov10",
  { task = "object-detection", ...files }: PackageFiles & { readonly task?: string } = {},
): Promise<string> {
  const modelConfig = { model_architecture: architecture, task_type: task, backend_type: "trt" };
  const directory = await writePackage({ modelConfig, inferenceConfig: config, weights: null, ...files });
  if (trtConfig !== null) writeFileSync(join(directory, "trt_config.json"), JSON.stringify(trtConfig));
  writeFileSync(join(directory, "engine.plan"), plan);
  return directory;
}

export function noisePicture(width: number, height: number, seed: number) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => Math.imul(index + seed + 1, 2654435761) >>> 24);
  return { data, width, height, channels: 3, colorFormat: "rgb" } as const;
}
