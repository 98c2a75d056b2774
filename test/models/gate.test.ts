import { describe, expect, it } from "vitest";

import { InferenceModelsError, QueueFullError } from "../../src/errors.js";
import { Gate } from "../../src/models/gate.js";

/** A job that ends when told to. */
function job() {
  let finish: (value: string) => void = () => undefined;
  let fail: (reason: unknown) => void = () => undefined;
  const promise = new Promise<string>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  let started = false;
  const work = (): Promise<string> => {
    started = true;
    return promise;
  };
  return { work, finish, fail, started: () => started };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("Gate", () => {
  it("runs as many as there are places, the rest in order", async () => {
    const gate = new Gate(2, 10, "The model");
    const jobs = [job(), job(), job(), job()];
    const outcomes = jobs.map(({ work }) => gate.run(work));
    await turn();
    expect(jobs.map(({ started }) => started())).toEqual([true, true, false, false]);
    expect([gate.active, gate.waiting]).toEqual([2, 2]);
    jobs[1]?.finish("b");
    await turn();
    expect(jobs.map(({ started }) => started())).toEqual([true, true, true, false]);
    for (const { finish } of jobs) finish("x");
    expect(await Promise.all(outcomes)).toEqual(["x", "b", "x", "x"]);
    expect([gate.active, gate.waiting, gate.mostWaiting, gate.refused]).toEqual([0, 0, 2, 0]);
    expect(gate.longestWaitMs).toBeGreaterThan(0);
  });

  it("gives the place of a failed job to the next", async () => {
    const gate = new Gate(1, 10, "The model");
    const [first, second] = [job(), job()];
    const failing = gate.run(first.work);
    const waiting = gate.run(second.work);
    first.fail(new Error("no"));
    await expect(failing).rejects.toThrow("no");
    second.finish("yes");
    expect(await waiting).toBe("yes");
  });

  it("takes an aborted waiter out of the queue and leaves the others", async () => {
    const gate = new Gate(1, 10, "The model");
    const [first, second, third] = [job(), job(), job()];
    const controller = new AbortController();
    const outcomes = [gate.run(first.work), gate.run(second.work, controller.signal), gate.run(third.work)];
    await turn();
    controller.abort(new Error("changed my mind"));
    await expect(outcomes[1]).rejects.toThrow("changed my mind");
    expect(gate.waiting).toBe(1);
    first.finish("a");
    third.finish("c");
    expect(await Promise.all([outcomes[0], outcomes[2]])).toEqual(["a", "c"]);
    expect(second.started()).toBe(false);
  });

  it("tells the caller of an abort at once but keeps the place until the job has ended", async () => {
    const gate = new Gate(1, 10, "The model");
    const running = job();
    const controller = new AbortController();
    const outcome = gate.run(running.work, controller.signal);
    await turn();
    controller.abort(new Error("stop"));
    await expect(outcome).rejects.toThrow("stop");
    expect(gate.active).toBe(1);
    running.finish("late");
    await turn();
    expect(gate.active).toBe(0);
  });

  it("refuses what finds no place to wait, and counts it", async () => {
    const gate = new Gate(1, 1, "The model");
    const [first, second] = [job(), job()];
    const outcomes = [gate.run(first.work), gate.run(second.work)];
    await expect(gate.run(job().work)).rejects.toThrow(QueueFullError);
    expect([gate.refused, gate.mostWaiting]).toEqual([1, 1]);
    first.finish("a");
    second.finish("b");
    expect(await Promise.all(outcomes)).toEqual(["a", "b"]);
  });

  it("closes after what had begun or waited, and refuses what comes later", async () => {
    const gate = new Gate(1, 10, "The model");
    const [first, second] = [job(), job()];
    const outcomes = [gate.run(first.work), gate.run(second.work)];
    let closed = false;
    const closing = gate.close().then(() => (closed = true));
    await expect(gate.run(job().work)).rejects.toSatisfy((error) => InferenceModelsError.is(error) && error.code === "MODEL_DISPOSED");
    first.finish("a");
    await turn();
    expect(closed).toBe(false);
    second.finish("b");
    expect(await Promise.all(outcomes)).toEqual(["a", "b"]);
    await closing;
  });
});
