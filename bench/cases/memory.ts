import { runChild } from "../child.js";
import type { Case } from "../measure.js";

interface Samples {
  readonly megabytes: readonly number[];
  readonly predictions: number;
}

/** Resident memory while the embedded model predicts; must not grow. */
export const memory: Case = {
  name: "memory over many predictions of the embedded model (MB, not ms)",
  async run(quick) {
    const { megabytes, predictions } = await runChild<Samples>("memory.ts", [quick ? "2000" : "10000"], {});
    const settled = megabytes[2] ?? NaN;
    const last = megabytes.at(-1) ?? NaN;
    return {
      measurements: megabytes.map((value, index) => ({
        name: `after ${Math.round((predictions / (megabytes.length - 1)) * index)}`,
        median: value,
        minimum: value,
        p90: value,
        rounds: 1,
      })),
      claims: [{ text: "at the end / after the first fifth", value: last / settled, comparison: "<=", bound: 1.05 }],
    };
  },
};
