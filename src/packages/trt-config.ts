import * as z from "zod";

import { corrupted, optional, parseJsonAs } from "./json.js";
import type { FileContext } from "./types.js";

/** Batch sizes that an engine was built for. */
export type TrtConfig =
  | { readonly kind: "static"; readonly batchSize: number }
  | { readonly kind: "dynamic"; readonly minimum: number; readonly optimum: number; readonly maximum: number };

const count = optional(z.int());
// Once a static size is given, the dynamic fields are not looked at, whatever they hold.
const schema = z.object({
  static_batch_size: count,
  dynamic_batch_size_min: z.unknown().optional(),
  dynamic_batch_size_opt: z.unknown().optional(),
  dynamic_batch_size_max: z.unknown().optional(),
});

/** `trt_config.json`. @throws CorruptedModelPackageError */
export function parseTrtConfig(text: string, context: FileContext): TrtConfig {
  const raw = parseJsonAs(schema, text, context);
  if (raw.static_batch_size !== null) {
    if (raw.static_batch_size < 1) throw corrupted(context.path, `static_batch_size is ${raw.static_batch_size}; expected at least 1.`);
    return { kind: "static", batchSize: raw.static_batch_size };
  }
  const [minimum, optimum, maximum] = [raw.dynamic_batch_size_min, raw.dynamic_batch_size_opt, raw.dynamic_batch_size_max];
  const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value > 0;
  if (!isCount(minimum) || !isCount(optimum) || !isCount(maximum) || minimum > optimum || optimum > maximum) {
    throw corrupted(context.path, "expected either static_batch_size, or dynamic_batch_size_min <= _opt <= _max, all of at least 1.");
  }
  return { kind: "dynamic", minimum, optimum, maximum };
}
