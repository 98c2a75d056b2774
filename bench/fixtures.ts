import { existsSync } from "node:fs";
import { join } from "node:path";

import sharp from "sharp";

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
