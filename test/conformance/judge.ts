/** One vector, one adapter: passed, failed, or not covered. */
import { ERROR_CLASSES } from "../../src/errors.js";
import { NotCovered, type Adapter } from "./adapter.js";
import { compareValues } from "./compare.js";
import type { Vector } from "./vectors.js";

export type Verdict =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly difference: string }
  | { readonly kind: "not-covered"; readonly reason: string };

const PASSED: Verdict = { kind: "passed" };
const notCovered = (reason: string): Verdict => ({ kind: "not-covered", reason });

/** Names of the vectors that are spelled otherwise here. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  BaseInferenceModelsError: "InferenceModelsError",
  FileHashSumMissmatch: "FileHashSumMismatchError",
};

/** Cases that only Python's lax reading or number formats decide: a strict implementation may refuse them. */
const LAX = ["lax-coercion", "python-float-format", "python-number-format"];

function judgeError(expected: NonNullable<Vector["error"]>, thrown: unknown): Verdict {
  if (!expected.library) return PASSED;
  const name = TRANSLATIONS[expected.type] ?? expected.type;
  const wanted = ERROR_CLASSES.find((candidate) => candidate.className === name);
  if (wanted?.is(thrown) === true) return PASSED;
  return { kind: "failed", difference: `${name} expected, got ${describe(thrown)}` };
}

/** Output fields that the vectors call informative: names of Python classes. */
const INFORMATIVE = ["class_name"];
const INFORMATIVE_IN = ["resolve-model-implementation", "resolve-pipeline"];

function withoutInformative({ function: name, output }: Vector): unknown {
  if (!INFORMATIVE_IN.includes(name) || typeof output !== "object" || output === null) return output;
  return Object.fromEntries(Object.entries(output).filter(([key]) => !INFORMATIVE.includes(key)));
}

const describe = (thrown: unknown): string => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));

async function judgeStrictly(vector: Vector, adapter: Adapter): Promise<Verdict> {
  let output: unknown;
  try {
    output = await adapter(vector.input, { tags: vector.tags });
  } catch (thrown) {
    if (thrown instanceof NotCovered) return notCovered(thrown.message);
    if (vector.error !== undefined) return judgeError(vector.error, thrown);
    return { kind: "failed", difference: `unexpected ${describe(thrown)}` };
  }
  if (vector.error !== undefined) return { kind: "failed", difference: `${vector.error.type} expected, got a result` };
  let difference: string | null;
  try {
    difference = compareValues(withoutInformative(vector), output, vector.tolerance);
  } catch (thrown) {
    // Arrays or masks that cannot be decoded.
    difference = `not comparable: ${describe(thrown)}`;
  }
  return difference === null ? PASSED : { kind: "failed", difference };
}

export async function judge(vector: Vector, adapter: Adapter): Promise<Verdict> {
  const verdict = await judgeStrictly(vector, adapter);
  const lax = vector.tags.find((tag) => LAX.includes(tag));
  return verdict.kind === "failed" && lax !== undefined ? notCovered(lax) : verdict;
}

/** Recorded behaviour that is considered a defect: run and counted apart. */
export function isPeerBug(vector: Vector): boolean {
  return vector.tags.some(
    (tag) => tag === "peer-bug" || tag.startsWith("peer-bug:") || tag === "peer-quirk:unlisted-onnxruntime-means-opset-19",
  );
}
