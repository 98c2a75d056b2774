/**
 * The logistic function, made of nothing but IEEE additions, multiplications and one division in double precision, so that
 * it gives the same bits as the addon (native/detection/sigmoid.h); `Math.exp` differs between engines and C libraries.
 */
import { LN2_HIGH, LN2_LOW, LOG2_E } from "./exponential.js";

/** 1/13!, 1/12!, ..., 1/1!, 1/0! */
const INVERSE_FACTORIALS = [
  1.6059043836821613e-10, 2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7, 2.7557319223985893e-6, 2.48015873015873e-5,
  0.0001984126984126984, 0.001388888888888889, 0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5, 1, 1,
] as const;
/** 2^-k; halving is exact. */
const INVERSE_POWERS_OF_TWO = new Float64Array(160);
for (let k = 0, power = 1; k < INVERSE_POWERS_OF_TWO.length; k++, power /= 2) INVERSE_POWERS_OF_TWO[k] = power;

/** e^-t for 0 <= t <= 110, error below 1e-15: t = k ln 2 + r, then the Taylor series of e^r. */
function expOfNegative(t: number): number {
  const k = Math.trunc(t * LOG2_E + 0.5);
  const r = k * LN2_HIGH - t + k * LN2_LOW;
  let sum = 0;
  for (const coefficient of INVERSE_FACTORIALS) sum = sum * r + coefficient;
  return sum * (INVERSE_POWERS_OF_TWO[k] ?? 0);
}

/** `1 / (1 + e^-logit)` rounded to float32. NaN stays NaN. */
export function sigmoid(logit: number): number {
  if (Number.isNaN(logit)) return logit;
  const e = expOfNegative(Math.min(Math.abs(logit), 110));
  return Math.fround((logit >= 0 ? 1 : e) / (1 + e));
}
