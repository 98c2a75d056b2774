import { existsSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";

import { compilePreprocessPlan } from "../src/imaging/index.js";
import type { RawPixels } from "../src/index.js";
import { packageRoot } from "../src/package-root.js";
import { Unavailable } from "./measure.js";

/** Networks and photographs that are too large, or not free enough, for the repository. */
export function perfFixture(name: string): string {
  const path = join(packageRoot, "..", "shared", "fixtures", "perf", name);
  if (!existsSync(path)) throw new Unavailable(`${name} is not there (it lies in ../shared/fixtures/perf)`);
  return path;
}

export async function pixels(path: string, colorFormat: "rgb" | "bgr" = "rgb"): Promise<RawPixels> {
  const { data, info } = await sharp(path).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3, colorFormat };
}

/** How a YOLO network of 640 x 640 takes pictures. */
export const LETTERBOX_640 = compilePreprocessPlan(
  {
    imagePreProcessing: { autoOrient: null, staticCrop: null, contrast: null, grayscale: null },
    networkInput: {
      trainingInputSize: { width: 640, height: 640 },
      datasetVersionResizeDimensions: null,
      dynamicSpatialSize: { kind: "fixed" },
      colorMode: "rgb",
      resizeMode: "letterbox",
      paddingValue: 114,
      inputChannels: 3,
      scalingFactor: 255,
      normalization: null,
    },
  },
  { pipeline: "shared" },
);
