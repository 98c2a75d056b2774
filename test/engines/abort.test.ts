import { describe, expect, test } from "vitest";

import { createInferenceSession } from "../../src/engines/index.js";
import { countingNetwork, doublingNetwork, ENDLESS, row, steps, untilRunning } from "./networks.js";

describe("aborting a run", () => {
  test("that waits: it leaves the queue", async () => {
    await using session = await createInferenceSession(countingNetwork());
    const first = new AbortController();
    const second = new AbortController();
    const running = session.run(steps(ENDLESS), { signal: first.signal });
    await untilRunning(session);
    const waiting = session.run(steps(ENDLESS), { signal: second.signal });
    expect(session.statistics()).toMatchObject({ running: 1, waiting: 1 });
    second.abort(new Error("second"));
    expect(session.statistics()).toMatchObject({ running: 1, waiting: 0, cancelled: 1 });
    await expect(waiting).rejects.toThrow("second");
    first.abort(new Error("first"));
    await expect(running).rejects.toThrow("first");
  });

  test("that computes: it ends early and the session goes on", async () => {
    await using session = await createInferenceSession(countingNetwork());
    const stop = new AbortController();
    const running = session.run(steps(ENDLESS), { signal: stop.signal });
    await untilRunning(session);
    stop.abort();
    await expect(running).rejects.toBe(stop.signal.reason);
    // The lane would be busy for ages had the run not been stopped.
    expect((await session.run(steps(5)))["end"]!.data).toEqual(Float32Array.of(5));
    expect(session.statistics()).toMatchObject({ cancelled: 1, completed: 1, failed: 0 });
  });

  test("that has ended: nothing happens", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    const stop = new AbortController();
    await session.run(row(1, 2, 3), { signal: stop.signal });
    stop.abort();
    await session.run(row(1, 2, 3));
    expect(session.statistics()).toMatchObject({ completed: 2, cancelled: 0 });
  });

  test("before it is called: nothing is submitted", async () => {
    await using session = await createInferenceSession(doublingNetwork());
    const reason = new Error("early");
    await expect(session.run(row(1, 2, 3), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(session.statistics()).toMatchObject({ completed: 0, cancelled: 0 });
  });
});
