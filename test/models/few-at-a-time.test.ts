import { describe, expect, it } from "vitest";

import { fewAtATime } from "../../src/models/few-at-a-time.js";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a few at a time", () => {
  it("gives results in the order of the indices, never more at once than wanted", async () => {
    let running = 0;
    let most = 0;
    const results = await fewAtATime(3, 10, async (index) => {
      most = Math.max(most, ++running);
      for (let wait = 10 - index; wait > 0; wait--) await turn();
      running--;
      return index;
    });
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(most).toBe(3);
    expect(await fewAtATime(3, 0, () => Promise.reject(new Error("not to be called")))).toEqual([]);
  });

  it("starts nothing more after a failure", async () => {
    const started: number[] = [];
    const work = fewAtATime(2, 10, async (index) => {
      started.push(index);
      await turn();
      if (index === 1) throw new Error("bad picture");
      await turn();
    });
    await expect(work).rejects.toThrow("bad picture");
    for (let wait = 0; wait < 10; wait++) await turn();
    expect(started).toEqual([0, 1]);
  });
});
