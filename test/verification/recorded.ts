/**
 * Which families recorded answers of the Python package exist for. They lie outside the repository, so what there is is kept in
 * `recorded.json`; `npm run docs:tables` reads it anew where they are at hand, and a test says when it is out of date.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { packageRoot } from "../../src/package-root.js";
import { readVectors } from "../conformance/vectors.js";

/** `architecture task` to how many there are. */
export type Counts = Readonly<Record<string, number>>;

export interface Recorded {
  /** Packages whose whole predictions are compared (`npm run parity`). */
  readonly packages: Counts;
  /** Raw outputs of a network and what became of them (`npm run conformance`). */
  readonly vectors: Counts;
}

const shared = join(packageRoot, "..", "shared");
const recordedPath = join(packageRoot, "test", "verification", "recorded.json");

/** Vectors about one family that do not name it. */
const FAMILY_OF_FUNCTION: Readonly<Record<string, string>> = {
  "rfdetr-object-detection": "rfdetr object-detection",
  "rfdetr-instance-segmentation": "rfdetr instance-segmentation",
  "rfdetr-key-points": "rfdetr keypoint-detection",
  "rfdetr-key-point-covariance": "rfdetr keypoint-detection",
  "ocr-boxes-from-probability-map": "pp-ocrv6-det object-detection",
  "ocr-detection-input-size": "pp-ocrv6-det object-detection",
  "ocr-parse-detection-config": "pp-ocrv6-det object-detection",
  "ocr-ctc-decode": "pp-ocrv6-rec text-only-ocr",
  "ocr-parse-recognition-config": "pp-ocrv6-rec text-only-ocr",
  "ocr-preprocess-text-lines": "pp-ocrv6-rec text-only-ocr",
};

function familyOf(name: string, input: { readonly model_architecture?: string }): string | null {
  const task = /^post-process-(.+)$/u.exec(name)?.[1];
  if (task === undefined || input.model_architecture === undefined) return FAMILY_OF_FUNCTION[name] ?? null;
  return `${input.model_architecture} ${task === "key-points" ? "keypoint-detection" : task}`;
}

function sorted(counts: ReadonlyMap<string, number>): Counts {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function add(counts: Map<string, number>, family: string): void {
  counts.set(family, (counts.get(family) ?? 0) + 1);
}

/** What lies in the folder beside the repository; null where there is none. */
export async function readRecorded(): Promise<Recorded | null> {
  const [fixtures, conformance] = [join(shared, "fixtures"), join(shared, "conformance")];
  if (!existsSync(fixtures) || !existsSync(conformance)) return null;
  const [packages, vectors] = [new Map<string, number>(), new Map<string, number>()];
  for (const name of readdirSync(join(fixtures, "packages"))) {
    if (!existsSync(join(fixtures, "expected", `${name}.json`))) continue;
    const config = JSON.parse(readFileSync(join(fixtures, "packages", name, "model_config.json"), "utf8")) as Readonly<
      Record<string, string>
    >;
    add(packages, `${config["model_architecture"]} ${config["task_type"]}`);
  }
  for await (const vector of readVectors(conformance)) {
    const family = familyOf(vector.function, vector.input);
    if (family !== null) add(vectors, family);
  }
  return { packages: sorted(packages), vectors: sorted(vectors) };
}

export function keptRecorded(): Recorded {
  return JSON.parse(readFileSync(recordedPath, "utf8")) as Recorded;
}

/** As `recorded.json` holds it. */
export function formatRecorded(recorded: Recorded): string {
  return `${JSON.stringify(recorded, null, 2)}\n`;
}

export { recordedPath };
