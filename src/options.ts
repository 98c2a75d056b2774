import { InvalidOptionError } from "./errors.js";

/** Number of single-character edits between two words, ignoring case. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The known word that was probably meant, or null. */
export function closest(word: string, known: readonly string[]): string | null {
  // snake_case is what users of the Python library type.
  const plain = word.replaceAll("_", "").replaceAll("-", "");
  const beginning = [...known].find((candidate) => plain.length >= 3 && candidate.toLowerCase().startsWith(plain.toLowerCase()));
  if (beginning !== undefined) return beginning;
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(plain.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, candidate.replaceAll("_", "").replaceAll("-", ""));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Refuses keys that are not known: a misspelled option must not be silently ignored. @throws InvalidOptionError */
export function requireKnownOptions(options: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const suggestion = closest(key, known);
    throw new InvalidOptionError(
      `Unknown option "${key}" for ${where}.${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Known options: ${known.join(", ")}.`,
      { parameter: key, ...(suggestion === null ? {} : { suggestion }) },
    );
  }
}

/** One sentence for every bad value. */
export function invalidOption(name: string, expected: string, received: unknown): InvalidOptionError {
  const text = typeof received === "string" ? JSON.stringify(received.slice(0, 60)) : String(received);
  return new InvalidOptionError(`Expected ${expected} for option "${name}" but received ${text}.`, { parameter: name });
}
