/** Largest side of a picture or a network input, pixels. */
export const MAXIMUM_SIDE = 65535;

export function isSide(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAXIMUM_SIDE;
}
