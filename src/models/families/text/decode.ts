/** Greedy CTC decoding. */

import type { ReadText } from "../../family.js";

/**
 * The best symbol of each step; repeats of the step before are one character, and class 0 (blank) is none.
 *
 * @param data float32 `[steps, symbols]` from `offset` on. @param symbols names of all classes; further classes are passed over.
 */
export function decodeCtc(data: Float32Array, offset: number, steps: number, classes: number, symbols: readonly string[]): ReadText {
  let text = "";
  let total = 0;
  let kept = 0;
  let previous = 0;
  for (let step = 0; step < steps; step++) {
    const start = offset + step * classes;
    let best = 0;
    for (let symbol = 1; symbol < classes; symbol++) if (data[start + symbol]! > data[start + best]!) best = symbol;
    const symbol = symbols[best];
    if (best !== 0 && best !== previous && symbol !== undefined) {
      text += symbol;
      total += data[start + best]!;
      kept++;
    }
    previous = best;
  }
  return { text, confidence: kept === 0 ? 0 : total / kept };
}

/** What the classes of a recogniser are called: the blank, the characters, the space. */
export function ctcSymbols(characters: readonly string[]): readonly string[] {
  return ["", ...characters, " "];
}
