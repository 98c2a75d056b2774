/** IEEE 754 half precision, as raw 16-bit words: Node 20 has no Float16Array. */

const words = new Uint32Array(1);
const values = new Float32Array(words.buffer);

function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let table: Float32Array | null = null;

export function float16ToFloat32(halves: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => widen(half));
  const result = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) result[index] = table[halves[index] ?? 0] ?? 0;
  return result;
}

/** Rounds to nearest, ties to even; values beyond 65504 become infinite. */
export function float32ToFloat16(floats: Float32Array): Uint16Array {
  const result = new Uint16Array(floats.length);
  for (let index = 0; index < floats.length; index++) {
    values[0] = floats[index] ?? 0;
    const word = words[0] ?? 0;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00;
    else if (magnitude >= 0x477ff000) half = 0x7c00;
    else if (magnitude < 0x38800000) {
      // Below the smallest normal half: the value in units of 2^-24, which the multiplication by a power of two keeps exact.
      const units = Math.abs(values[0]) * 2 ** 24;
      const floor = Math.floor(units);
      const rest = units - floor;
      half = floor + (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? 1 : 0);
    } else {
      const rebased = magnitude - 0x38000000;
      half = (rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13;
    }
    result[index] = sign | half;
  }
  return result;
}
