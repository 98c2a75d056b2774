import { availableParallelism } from "node:os";

import { InvalidOptionError } from "../../errors.js";
import type { NativeSessionOptions } from "../../native/index.js";
import type { SessionOptions } from "../types.js";
import { nativeProviders } from "./providers.js";

const DEFAULT_QUEUE_LIMIT = 256;
const OPTIMIZATION_LEVELS = { none: 0, basic: 1, extended: 2, all: 99 } as const;

/** Options with defaults filled in and checked. */
export interface CheckedOptions extends NativeSessionOptions {
  readonly queueLimit: number;
}

/** @throws InvalidOptionError */
export function checkOptions(options: SessionOptions): CheckedOptions {
  const level = options.graphOptimization ?? "all";
  if (!Object.hasOwn(OPTIMIZATION_LEVELS, level)) {
    throw new InvalidOptionError(`Expected "none", "basic", "extended" or "all" for graphOptimization but received ${level}.`, {
      parameter: "graphOptimization",
    });
  }
  return {
    providers: nativeProviders(options.executionProviders),
    intraOpThreads: integer("intraOpThreads", options.intraOpThreads ?? 1, 0),
    // More lanes than cores would only make runs wait inside the scheduler instead of in the queue.
    lanes: Math.min(integer("lanes", options.lanes ?? 1, 1), availableParallelism()),
    queueLimit: integer("queueLimit", options.queueLimit ?? DEFAULT_QUEUE_LIMIT, 0),
    spinning: options.spinning ?? false,
    graphOptimization: OPTIMIZATION_LEVELS[level],
  };
}

function integer(parameter: string, value: number, minimum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum && value <= 1024 * 1024) return value;
  throw new InvalidOptionError(`Expected an integer of at least ${minimum} for ${parameter} but received ${String(value)}.`, { parameter });
}
