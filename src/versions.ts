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

/** null when the text is no version, or has numbers too large to be told apart. */
export function parseVersion(text: string): Version | null {
  const match = text.length > MAXIMUM_LENGTH ? null : PATTERN.exec(text);
  if (match === null || /\d{16}/.test(text)) return null;
  const [, epoch, release, stage, stageNumber, postNumber, postWord, postWordNumber, devWord, devNumber, local] = match;
  return {
    epoch: Number(epoch ?? 0),
    release: (release ?? "").split(".").map(Number),
    pre: stage === undefined ? null : [STAGES[stage.toLowerCase()] ?? "rc", Number(stageNumber ?? 0)],
    post: postNumber !== undefined ? Number(postNumber) : postWord === undefined ? null : Number(postWordNumber ?? 0),
    dev: devWord === undefined ? null : Number(devNumber ?? 0),
    local: local === undefined ? null : local.toLowerCase().split(/[-_.]/).map(numberOrWord),
  };
}

const numberOrWord = (part: string): number | string => (/^\d+$/.test(part) ? Number(part) : part);

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

const sign = (a: number | string, b: number | string): number => (a === b ? 0 : a < b ? -1 : 1);

/** `12.4` and `12.4.0` are the same release. */
function compareReleases(a: Version["release"], b: Version["release"]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = sign(a[index] ?? 0, b[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** "1.0.dev1" comes before "1.0a1", and a version without either after all of its candidates. */
function stageOf({ pre, post, dev }: Version): number {
  if (pre !== null) return ["a", "b", "rc"].indexOf(pre[0]);
  return post === null && dev !== null ? -1 : 3;
}

/** A local part makes a version later; numbers come after words, and more parts after fewer. */
function compareLocals(a: Version["local"], b: Version["local"]): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = typeof part === typeof other ? sign(part, other) : typeof part === "number" ? 1 : -1;
    if (order !== 0) return order;
  }
  return sign(a.length, b.length);
}

function compareParsed(a: Version, b: Version): number {
  return (
    sign(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    sign(stageOf(a), stageOf(b)) ||
    sign(a.pre?.[1] ?? 0, b.pre?.[1] ?? 0) ||
    sign(a.post ?? -1, b.post ?? -1) ||
    sign(a.dev ?? Infinity, b.dev ?? Infinity) ||
    compareLocals(a.local, b.local)
  );
}

/** -1, 0 or 1. Texts that are no versions come first, among each other in the order of their characters. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left !== null && right !== null) return compareParsed(left, right);
  if (left === null && right === null) return sign(a, b);
  return left === null ? -1 : 1;
}

/** The numbers before everything else, cut or filled with zeros to so many: `10.3.0.26` to three is `10.3.0`. null: no version. */
export function releaseOf(text: string, parts: number): string | null {
  const release = parseVersion(text)?.release;
  return release === undefined ? null : Array.from({ length: parts }, (_, index) => release[index] ?? 0).join(".");
}

/** Whether the first two numbers agree; false for texts that are no versions. */
export function versionsMatchMajorMinor(a: string, b: string): boolean {
  const release = releaseOf(a, 2);
  return release !== null && release === releaseOf(b, 2);
}
