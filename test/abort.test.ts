import { getEventListeners } from "node:events";

import { describe, expect, it, vi } from "vitest";

import { onAbort, raceAbort } from "../src/abort.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("waiting for a signal", () => {
  it("takes one listener however many wait, and none when nobody does", async () => {
    const { signal } = new AbortController();
    const ends: (() => void)[] = [];
    const runs = Array.from({ length: 50 }, (_, index) =>
      raceAbort(signal, new Promise<number>((resolve) => ends.push(() => resolve(index)))),
    );
    expect(listeners(signal)).toBe(1);
    for (const end of ends) end();
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(listeners(signal)).toBe(0);
  });

  it("rejects all with the signal's reason, and tells each once", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const cancels = [vi.fn(), vi.fn(), vi.fn()];
    const settled = Promise.allSettled(cancels.map((cancel) => raceAbort(controller.signal, new Promise(() => undefined), cancel)));
    controller.abort(reason);
    controller.abort(new Error("again"));
    expect(await settled).toEqual(cancels.map(() => ({ status: "rejected", reason })));
    for (const cancel of cancels) expect(cancel).toHaveBeenCalledOnce();
    await expect(raceAbort(controller.signal, new Promise(() => undefined))).rejects.toBe(reason);
    expect(listeners(controller.signal)).toBe(0);
  });

  it("does not tell those who have taken it back, nor disturb the others", () => {
    const controller = new AbortController();
    const [early, kept, late] = [vi.fn(), vi.fn(), vi.fn()];
    const takeBack = onAbort(controller.signal, early);
    takeBack();
    onAbort(controller.signal, kept);
    takeBack();
    onAbort(controller.signal, late)();
    controller.abort();
    expect([early, kept, late].map((act) => act.mock.calls.length)).toEqual([0, 1, 0]);
  });
});
