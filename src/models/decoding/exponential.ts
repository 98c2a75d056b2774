/**
 * e^x and the natural logarithm, made of nothing but IEEE additions, multiplications and one division in double precision, so
 * that they give the same bits as the addon and its kernels (native/detection/exponential.h, where the algorithm is explained);
 * `Math.exp` and `Math.log` differ between engines and C libraries.
 */

export const LOG2_E = 1.4426950408889634;
/** ln 2 in two parts. The first has few enough digits that its product with any exponent is exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;
/** 1/13!, 1/12!, ..., 1/2! */
const INVERSE_FACTORIALS = [
  1.6059043836821613e-10, 2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7, 2.7557319223985893e-6, 2.48015873015873e-5,
  0.0001984126984126984, 0.001388888888888889, 0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5,
] as const;
/** 2/23, 2/21, ..., 2/3 */
const ARTANH_COEFFICIENTS = [
  0.08695652173913043, 0.09523809523809523, 0.10526315789473684, 0.11764705882352941, 0.13333333333333333, 0.15384615384615385,
  0.18181818181818182, 0.2222222222222222, 0.2857142857142857, 0.4, 0.6666666666666666,
] as const;

const scratch = new DataView(new ArrayBuffer(8));

/** 2^k for -1022 <= k <= 1023. */
function powerOfTwo(k: number): number {
  scratch.setUint32(0, (1023 + k) << 20);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}

/** e^x, its error below one unit in the last place. NaN stays NaN; too large is infinity, too small 0. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.trunc(x * LOG2_E + (x < 0 ? -0.5 : 0.5));
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  let sum = 0;
  for (const coefficient of INVERSE_FACTORIALS) sum = sum * r + coefficient;
  const power = 1 + (high - (low - r * r * sum));
  const half = Math.trunc(k / 2);
  return power * powerOfTwo(half) * powerOfTwo(k - half);
}

/** The natural logarithm, its error below one unit in the last place. Of 0 it is -Infinity, of what is negative NaN. */
export function log(x: number): number {
  if (Number.isNaN(x) || x === Infinity) return x;
  if (x === 0) return -Infinity;
  if (x < 0) return Number.NaN;
  const subnormal = x < 2.2250738585072014e-308;
  scratch.setFloat64(0, subnormal ? x * 2 ** 54 : x);
  const upper = scratch.getUint32(0);
  let k = (upper >>> 20) - (subnormal ? 1023 + 54 : 1023);
  scratch.setUint32(0, (upper & 0xfffff) | (1023 << 20));
  let m = scratch.getFloat64(0);
  if (m > Math.SQRT2) {
    m *= 0.5;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const square = s * s;
  let sum = 0;
  for (const coefficient of ARTANH_COEFFICIENTS) sum = sum * square + coefficient;
  const halfSquare = 0.5 * f * f;
  const rest = halfSquare - (s * (halfSquare + sum * square) + k * LN2_LOW);
  return k * LN2_HIGH - (rest - f);
}
