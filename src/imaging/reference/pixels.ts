/** An 8-bit picture of three interleaved channels while it is worked on. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export const CHANNELS = 3;

export function emptyPixels(width: number, height: number, fill = 0): Pixels {
  return { data: new Uint8Array(width * height * CHANNELS).fill(fill), width, height };
}
