/** The package that was asked for by its id, and the errors for when there is nothing to choose. */
import { AmbiguousModelPackageResolutionError, NoModelPackagesAvailableError } from "../errors.js";
import { closest } from "../options.js";
import type { ModelPackageMetadata } from "../packages/index.js";
import { quote, quotedList } from "./text.js";
import type { DiscardedPackage, NegotiationInput } from "./types.js";

type ModelKind = Pick<NegotiationInput, "architecture" | "task">;

/** @throws NoModelPackagesAvailableError, AmbiguousModelPackageResolutionError */
export function selectPackageById(packages: readonly ModelPackageMetadata[], packageId: string): ModelPackageMetadata {
  const [found, ...others] = packages.filter((candidate) => candidate.packageId === packageId);
  if (found === undefined) {
    const known = packages.map((candidate) => candidate.packageId);
    const suggestion = packageId.length > 100 ? null : closest(packageId, known.filter((id) => id.length <= 100).slice(0, 100));
    throw new NoModelPackagesAvailableError(
      `The model has no package ${quote(packageId)}.${suggestion === null ? "" : ` Did you mean ${quote(suggestion)}?`} Announced packages: ${quotedList(known)}.`,
    );
  }
  if (others.length === 0) return found;
  const count = others.length + 1;
  throw new AmbiguousModelPackageResolutionError(
    `The provider announced ${count} packages with the id ${quote(packageId)}. Choose by backend, batchSize and quantization instead, and tell the provider.`,
    { packageId, count },
  );
}

const describe = ({ architecture, task }: ModelKind): string => `${quote(architecture)}, task ${quote(task ?? "none")}`;

export function nothingAnnounced(model: ModelKind): NoModelPackagesAvailableError {
  return new NoModelPackagesAvailableError(
    `The provider announced no package of this model (${describe(model)}) that this version understands. A newer version may, or the model is still being prepared.`,
    { discarded: [] },
  );
}

/** A model may have very many packages; a message is for reading. */
const SHOWN_REASONS = 10;

/** Each distinct reason with its count, most frequent first; equally frequent ones in the order of their first package. */
function countReasons(discarded: readonly DiscardedPackage[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { code, message } of discarded) {
    const reason = `${code}: ${message}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} x ${reason}`);
}

export function nothingLeft(model: ModelKind, discarded: readonly DiscardedPackage[]): NoModelPackagesAvailableError {
  const reasons = countReasons(discarded);
  const hidden = reasons.slice(SHOWN_REASONS);
  const lines = [
    ...reasons.slice(0, SHOWN_REASONS),
    ...(hidden.length === 0 ? [] : [`and ${hidden.length} other reasons (see discarded)`]),
  ];
  const subject = discarded.length === 1 ? `The package ${quote(discarded[0]!.packageId)}` : `None of the ${discarded.length} packages`;
  return new NoModelPackagesAvailableError(
    `${subject} of this model (${describe(model)}) can${discarded.length === 1 ? "not" : ""} be used here:${lines.map((line) => `\n  ${line}`).join("")}\nRelax the options that are named, or install what is missing.`,
    { discarded },
  );
}
