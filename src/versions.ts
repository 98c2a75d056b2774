/**
 * Versions by the rules of Python packaging (PEP 440), which the metadata of model packages is written in: `12.4` equals `12.4.0`,
 * `10.3` is before `10.3.0.26`, `1.0-1` is after `1.0`, `2.0rc1` before `2.0`.
 */

export interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  readonly pre: readonly ["a" | "b" | "rc", number] | null;
  readonly post: number | null;
  readonly dev: number | null;
  readonly local: readonly (string | number)[] | null;
}

const PATTERN =
  /^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d+)?)?(?:-(\d+)|([-_.]?(?:post|rev|r))[-_.]?(\d+)?)?([-_.]?dev[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/i;

const STAGES: Readonly<Record<string, "a" | "b" | "rc">> = {
  a: "a",
  alpha: "a",
  b: "b",
  beta: "b",
  c: "rc",
  rc: "rc",
  pre: "rc",
  preview: "rc",
};

/** Longer texts are not versions, and matching them costs time. */
const MAXIMUM_LENGTH = 256;

/** null when the text is no version. */
export function parseVersion(text: string): Version | null {
  const match = text.length > MAXIMUM_LENGTH ? null : PATTERN.exec(text);
  if (match === null) return null;
  const [, epoch, release, stage, stageNumber, postNumber, postWord, postWordNumber, devWord, devNumber, local] = match;
  return {
    epoch: Number(epoch ?? 0),
    release: (release ?? "").split(".").map(Number),
    pre: stage === undefined ? null : [STAGES[stage.toLowerCase()] ?? "rc", Number(stageNumber ?? 0)],
    post: postNumber !== undefined ? Number(postNumber) : postWord === undefined ? null : Number(postWordNumber ?? 0),
    dev: devWord === undefined ? null : Number(devNumber ?? 0),
    local:
      local === undefined
        ? null
        : local
            .toLowerCase()
            .split(/[-_.]/)
            .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  };
}

/** The normal form: `1!2.0rc1.post2.dev3+local.1`. */
export function formatVersion({ epoch, release, pre, post, dev, local }: Version): string {
  return [
    epoch === 0 ? "" : `${epoch}!`,
    release.join("."),
    pre === null ? "" : pre.join(""),
    post === null ? "" : `.post${post}`,
    dev === null ? "" : `.dev${dev}`,
    local === null ? "" : `+${local.join(".")}`,
  ].join("");
}

/** Normal form of a text, or null when it is no version. */
export function normalizeVersion(text: string): string | null {
  const version = parseVersion(text);
  return version === null ? null : formatVersion(version);
}

type Key = readonly (number | string | readonly (number | string)[])[];

/** Where a part is missing, the number that sorts it where PEP 440 wants it. */
function sortKey({ epoch, release, pre, post, dev, local }: Version): { readonly numbers: Key; readonly local: Version["local"] } {
  let length = release.length;
  while (length > 1 && release[length - 1] === 0) length--;
  // "1.0.dev1" comes before "1.0a1", a version without either after all of its candidates.
  const stage = pre === null ? (post === null && dev !== null ? -1 : 3) : ["a", "b", "rc"].indexOf(pre[0]);
  return { numbers: [epoch, release.slice(0, length), stage, pre?.[1] ?? 0, post ?? -1, dev ?? Infinity], local };
}

function compareParts(a: number | string, b: number | string): number {
  // Numbers come after words in local parts.
  if (typeof a !== typeof b) return typeof a === "number" ? 1 : -1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareLists(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareParts(a[index] ?? 0, b[index] ?? 0);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function compareParsed(a: Version, b: Version): number {
  const [left, right] = [sortKey(a), sortKey(b)];
  for (const [index, value] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0;
    const order =
      typeof value === "object" || typeof other === "object"
        ? compareLists([value].flat(), [other].flat())
        : compareParts(value, other);
    if (order !== 0) return order;
  }
  if (left.local === null || right.local === null) return Number(left.local !== null) - Number(right.local !== null);
  return compareLists(left.local, right.local);
}

/** -1, 0 or 1. Texts that are no versions come first, among each other in the order of their characters. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left !== null && right !== null) return compareParsed(left, right);
  if (left === null && right === null) return a === b ? 0 : a < b ? -1 : 1;
  return left === null ? -1 : 1;
}
