/** Byte-pair encoding: a word is its bytes, of which neighbours grow together in the order in which they were learned. */
import { readAssetLines } from "./assets.js";

/** Closes a word, so that its last letters are told from the same letters inside another. */
const WORD_END = "</w>";
const BYTES = 256;

/** Every byte as a character that can be seen: those that can be seen already stand for themselves, and keep the first ids. */
function visibleBytes(): readonly string[] {
  const isVisible = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let hidden = 0;
  return Array.from({ length: BYTES }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : BYTES + hidden++));
}

/** The merges of CLIP's vocabulary and the ids that follow from them. */
export class BytePairs {
  /** Bytes of the longest token; no text of n tokens has more than n times as many. */
  readonly longestToken: number;
  readonly #visible = visibleBytes();
  /** By the two parts with a space between; the best is 0. */
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #ids = new Map<string, number>();

  private constructor(merges: readonly string[]) {
    const symbols = [...this.#visible].sort((a, b) => Number(a >= "\u0100") - Number(b >= "\u0100") || (a < b ? -1 : 1));
    symbols.forEach((symbol, index) => this.#ids.set(symbol, index).set(symbol + WORD_END, BYTES + index));
    this.#ranks = new Map(merges.map((merge, rank) => [merge, rank]));
    const tokens = merges.map((merge) => merge.replace(" ", ""));
    tokens.forEach((token, rank) => this.#ids.set(token, 2 * BYTES + rank));
    this.longestToken = Math.max(...tokens.map((token) => token.replace(WORD_END, "").length));
  }

  static async load(): Promise<BytePairs> {
    return new BytePairs(await readAssetLines("clip-merges.txt.gz"));
  }

  /** Number of ids, which are 0 to one less. */
  get size(): number {
    return this.#ids.size;
  }

  /** Ids of one word, not empty. */
  encode(word: string): readonly number[] {
    let parts = Array.from(Buffer.from(word, "utf8"), (byte) => this.#visible[byte] as string);
    parts.push(`${parts.pop() ?? ""}${WORD_END}`);
    for (let best = this.#best(parts); best !== null; best = this.#best(parts)) parts = join(parts, best);
    return parts.map((part) => this.#ids.get(part) as number);
  }

  /** The pair of neighbours that was learned first, or null when nothing grows together any more. */
  #best(parts: readonly string[]): readonly [string, string] | null {
    let best: readonly [string, string] | null = null;
    let bestRank = Infinity;
    for (let index = 1; index < parts.length; index++) {
      const [left, right] = [parts[index - 1] as string, parts[index] as string];
      const rank = this.#ranks.get(`${left} ${right}`) ?? Infinity;
      if (rank < bestRank) [best, bestRank] = [[left, right], rank];
    }
    return best;
  }
}

/** Joins every occurrence of the pair, from the left. */
function join(parts: readonly string[], [left, right]: readonly [string, string]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < parts.length; index++) {
    const found = parts[index] === left && parts[index + 1] === right;
    joined.push(found ? left + right : (parts[index] as string));
    if (found) index++;
  }
  return joined;
}
