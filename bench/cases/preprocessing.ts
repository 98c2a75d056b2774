import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import sharp from "sharp";

import { cpuExecutor, referenceExecutor, resolvePreprocess } from "../../src/imaging/index.js";
import { loadAddon } from "../../src/native/index.js";
import { packageRoot } from "../../src/package-root.js";
import { LETTERBOX_640, perfFixture, pixels } from "../fixtures.js";
import { alternate, ratio, summarize, Unavailable, type Case, type Variant } from "../measure.js";
import { startPythonPeer, type PythonPeer } from "../peers/python-peer.js";

const run = promisify(execFile);
const VENV = join(packageRoot, "build", "bench-venv");

/** OpenCV from PyPI in an environment of its own. */
async function openCv(path: string): Promise<PythonPeer> {
  const python = join(VENV, "bin", "python");
  if (!existsSync(python)) await run("python3", ["-m", "venv", VENV]);
  await run(python, ["-m", "pip", "install", "--quiet", "opencv-python-headless==4.10.0.84", "numpy<2.3"]);
  return startPythonPeer(python, "opencv_preprocess.py", [path]);
}

/** The same letterbox with sharp's resize and a loop in TypeScript. */
async function sharpAndTypeScript(picture: Awaited<ReturnType<typeof pixels>>, target: Float32Array): Promise<void> {
  const { data } = await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(640, 640, { fit: "contain", kernel: "linear", background: { r: 114, g: 114, b: 114 } })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const plane = 640 * 640;
  for (let pixel = 0; pixel < plane; pixel++) {
    target[pixel] = (data[3 * pixel + 2] ?? 0) / 255;
    target[plane + pixel] = (data[3 * pixel + 1] ?? 0) / 255;
    target[2 * plane + pixel] = (data[3 * pixel] ?? 0) / 255;
  }
}

export const preprocessing: Case = {
  name: "preprocess 1280x720 BGR to 640x640 letterbox, RGB float32",
  async run(quick) {
    const addon = loadAddon();
    if (addon === null) throw new Unavailable("the addon is not available");
    const path = perfFixture("photo_1280x720.png");
    const picture = await pixels(path, "bgr");
    const { steps } = resolvePreprocess(LETTERBOX_640, picture);
    const target = new Float32Array(addon.allocate(4 * 3 * 640 * 640));
    const image = { ...picture, data: picture.data as Uint8Array, borrowed: true };
    const native = cpuExecutor(addon);
    sharp.concurrency(1);
    const variants: Variant[] = [
      ["native", () => native.run(image, steps, target)],
      ["sharp resize + TypeScript", () => sharpAndTypeScript(picture, target)],
    ];
    const rounds = quick ? 15 : 60;
    const peer = await openCv(path).catch((error: unknown) => {
      process.stderr.write(`  OpenCV is left out: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}\n`);
      return null;
    });
    const times: number[] = [];
    if (peer !== null) variants.push(["OpenCV, timed inside Python", async () => times.push(Number(await peer.once()))]);
    const measurements = [...(await alternate(variants, rounds).finally(() => peer?.stop()))];
    // The first rounds do not count, as everywhere.
    if (peer !== null) measurements[measurements.length - 1] = summarize("OpenCV, timed inside Python", times.slice(-rounds));
    // Too slow to take part in every round.
    measurements.push(...(await alternate([["reference executor", () => referenceExecutor.run(image, steps, target)]], 3, 0)));
    const claims = [
      {
        text: "sharp + TypeScript / native",
        value: ratio(measurements, "sharp resize + TypeScript", "native"),
        comparison: ">=",
        bound: 3,
      } as const,
    ];
    if (peer === null) return { measurements, claims };
    return {
      measurements,
      claims: [
        ...claims,
        { text: "OpenCV / native", value: ratio(measurements, "OpenCV, timed inside Python", "native"), comparison: ">=", bound: 1.5 },
      ],
    };
  },
};
