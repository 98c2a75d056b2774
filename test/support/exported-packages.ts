/** Packages of the networks in test/fixtures/exported, and what the Python libraries found with them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import sharp from "sharp";

import type { RawPixels, TaskType } from "../../src/index.js";
import { writePackage } from "./packages.js";

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/exported/${path}`, import.meta.url));

/** @typeParam Record what make.py wrote. */
export async function expectedOf<Record>(name: string): Promise<Record> {
  return JSON.parse(await readFile(fixture(`${name}.json`), "utf8")) as Record;
}

/** @param networks names of files in the package, and of fixtures. @param files further files by name. */
export async function exportedPackage(
  architecture: string,
  task: TaskType,
  networks: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const directory = await writePackage({
    modelConfig: { model_architecture: architecture, task_type: task, backend_type: "onnx" },
    inferenceConfig: null,
    classNames: null,
    weights: null,
  });
  for (const [name, network] of Object.entries(networks))
    await writeFile(join(directory, name), gunzipSync(await readFile(fixture(`${network}.onnx.gz`))));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

/** The picture of the recordings as it is (landscape), turned to the left (portrait), its left 80 columns (narrower), a piece of it (small), or each pixel nine times (large). */
export async function exportedPicture(which: string): Promise<RawPixels> {
  const picture = sharp(fixture("picture.png"));
  if (which === "portrait") picture.rotate(270);
  if (which === "narrower") picture.extract({ left: 0, top: 0, width: 80, height: 61 });
  if (which === "small") picture.extract({ left: 10, top: 8, width: 24, height: 20 });
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (which !== "large") return { data, width, height, channels: 3, colorFormat: "rgb" };
  const repeated = new Uint8Array(data.length * 9);
  for (let index = 0; index < repeated.length; index++) {
    const [pixel, channel] = [Math.trunc(index / 3), index % 3];
    const [x, y] = [pixel % (3 * width), Math.trunc(pixel / (3 * width))];
    repeated[index] = data[(Math.trunc(y / 3) * width + Math.trunc(x / 3)) * 3 + channel]!;
  }
  return { data: repeated, width: 3 * width, height: 3 * height, channels: 3, colorFormat: "rgb" };
}
