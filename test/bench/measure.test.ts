import { describe, expect, it } from "vitest";

import { alternate, ratio, summarize } from "../../bench/measure.js";

describe("summaries", () => {
  it("gives minimum, median and 90th percentile whatever the order", () => {
    const samples = [11, 3, 1, 9, 7, 5, 10, 2, 8, 6, 4];
    expect(summarize("x", samples)).toEqual({ name: "x", median: 6, minimum: 1, p90: 10, rounds: 11 });
  });

  it("of nothing are no numbers", () => {
    expect(summarize("x", [])).toEqual({ name: "x", median: NaN, minimum: NaN, p90: NaN, rounds: 0 });
  });

  it("are compared by their medians", () => {
    const measurements = [summarize("slow", [6]), summarize("fast", [2])];
    expect(ratio(measurements, "slow", "fast")).toBe(3);
    expect(ratio(measurements, "slow", "absent")).toBeNaN();
  });
});

describe("variants", () => {
  it("alternate, wait for each other, and do not count the first rounds", async () => {
    const calls: string[] = [];
    const variant = (name: string) =>
      [
        name,
        async () => {
          calls.push(`${name} begins`);
          await Promise.resolve();
          calls.push(`${name} ends`);
        },
      ] as const;
    const measurements = await alternate([variant("a"), variant("b")], 2, 1);
    const round = ["a begins", "a ends", "b begins", "b ends"];
    expect(calls).toEqual([...round, ...round, ...round]);
    expect(measurements.map(({ name, rounds }) => [name, rounds])).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
  });

  it("that fail end the measurement", async () => {
    await expect(alternate([["a", () => Promise.reject(new Error("broken"))]], 1)).rejects.toThrow("broken");
  });
});
