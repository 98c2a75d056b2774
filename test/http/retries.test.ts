import { describe, expect, it } from "vitest";

import { ModelNotFoundError, RetryError } from "../../src/errors.js";
import { parseRetryAfter, retryDelaySeconds, sleep, withRetries } from "../../src/http/index.js";

describe("parseRetryAfter", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it.each([
    ["7", 7],
    [" 0 ", 0],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
  ])("reads %j", (header, seconds) => {
    expect(parseRetryAfter(header, now)).toBe(seconds);
  });

  it.each([undefined, "", "-5", "1e9", "soon", "99999999999999"])("ignores %j", (header) => {
    expect(parseRetryAfter(header, now)).toBeNull();
  });
});

describe("retryDelaySeconds", () => {
  it("is random up to 1, 2, 4, ... seconds, and a minute at most", () => {
    expect([1, 2, 3, 4].map((attempt) => retryDelaySeconds(attempt, null, () => 1))).toEqual([1, 2, 4, 8]);
    expect(retryDelaySeconds(3, null, () => 0.25)).toBe(1);
    expect(retryDelaySeconds(1, null, () => 0)).toBe(0);
    expect(retryDelaySeconds(5000, null, () => 1)).toBe(60);
  });

  it("is not shorter than the server asks, but bounded", () => {
    expect(retryDelaySeconds(1, 5, () => 1)).toBe(5);
    expect(retryDelaySeconds(4, 5, () => 1)).toBe(8);
    expect(retryDelaySeconds(1, 86_400, () => 0)).toBe(60);
  });
});

describe("withRetries", () => {
  const busy = (retryAfterSeconds = 0): RetryError =>
    new RetryError("The server is busy.", { status: 503, retryAfterSeconds, isRetryable: true });

  function failing(...errors: readonly Error[]): {
    readonly work: () => Promise<string>;
    readonly waits: number[];
    readonly calls: () => number;
  } {
    let call = 0;
    const work = async (): Promise<string> => {
      const error = errors[call++];
      if (error !== undefined) throw error;
      return "done";
    };
    return { work, waits: [], calls: () => call };
  }

  it("tries again after a wait that respects the server", async () => {
    const { work, waits } = failing(busy(), busy(9));
    const done = await withRetries(work, { attempts: 3, random: () => 0.5, sleep: async (seconds) => void waits.push(seconds) });
    expect(done).toBe("done");
    expect(waits).toEqual([0.5, 9]);
  });

  it("tells the attempts when it gives up", async () => {
    const { work, calls } = failing(busy(3), busy(3), busy(3));
    const error: unknown = await withRetries(work, { attempts: 2, sleep: async () => undefined }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "RetryError", attempts: 2, status: 503, retryAfterSeconds: 3, isRetryable: true });
    expect(calls()).toBe(2);
  });

  it.each([new ModelNotFoundError("No."), new RetryError("Not again.", { isRetryable: false }), new TypeError("bug")])(
    "does not repeat after %s",
    async (error) => {
      const { work, calls } = failing(error);
      await expect(withRetries(work, { attempts: 3 })).rejects.toBe(error);
      expect(calls()).toBe(1);
    },
  );

  it("stops waiting when the signal fires", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { work, calls } = failing(busy(50));
    setTimeout(() => controller.abort(reason), 10);
    await expect(withRetries(work, { attempts: 3, signal: controller.signal })).rejects.toBe(reason);
    expect(calls()).toBe(1);
    await expect(sleep(50, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
