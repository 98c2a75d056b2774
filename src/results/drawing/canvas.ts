import type { Colour } from "./palette.js";
import type { Segment } from "./font.js";

export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * RGB pixels with the few shapes that annotations need. Lines and discs are antialiased by their distance function: a pixel
 * is covered as far as its centre lies inside the shape. Whatever falls outside the picture is cut off.
 */
export class Canvas {
  constructor(
    /** `[height, width, 3]`, changed in place. */
    readonly pixels: Uint8Array,
    readonly width: number,
    readonly height: number,
  ) {}

  #blend(x: number, y: number, [red, green, blue]: Colour, opacity: number): void {
    const offset = (y * this.width + x) * 3;
    const mix = (channel: number, value: number): void => {
      const under = this.pixels[offset + channel] ?? 0;
      this.pixels[offset + channel] = Math.round(under + (value - under) * opacity);
    };
    mix(0, red);
    mix(1, green);
    mix(2, blue);
  }

  /** Whole pixels of the area that lie on the canvas. */
  #clip({ left, top, right, bottom }: Area): Area {
    return {
      left: Math.max(0, Math.floor(left)),
      top: Math.max(0, Math.floor(top)),
      right: Math.min(this.width, Math.ceil(right)),
      bottom: Math.min(this.height, Math.ceil(bottom)),
    };
  }

  fillRectangle(area: Area, colour: Colour, opacity = 1): void {
    const { left, top, right, bottom } = this.#clip({
      left: Math.round(area.left),
      top: Math.round(area.top),
      right: Math.round(area.right),
      bottom: Math.round(area.bottom),
    });
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) this.#blend(x, y, colour, opacity);
  }

  /** Pixels of the area that are not 0 in `pixels`, `[height, width]` of the canvas. */
  fillPixels(pixels: Uint8Array, area: Area, colour: Colour, opacity = 1): void {
    const { left, top, right, bottom } = this.#clip(area);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) if (pixels[y * this.width + x] !== 0) this.#blend(x, y, colour, opacity);
    }
  }

  /** A frame of the given thickness, drawn to the inside of the area. */
  strokeRectangle({ left, top, right, bottom }: Area, thickness: number, colour: Colour, opacity = 1): void {
    const line = Math.max(1, Math.min(Math.round(thickness), Math.ceil((right - left) / 2), Math.ceil((bottom - top) / 2)));
    this.fillRectangle({ left, top, right, bottom: top + line }, colour, opacity);
    this.fillRectangle({ left, top: bottom - line, right, bottom }, colour, opacity);
    this.fillRectangle({ left, top: top + line, right: left + line, bottom: bottom - line }, colour, opacity);
    this.fillRectangle({ left: right - line, top: top + line, right, bottom: bottom - line }, colour, opacity);
  }

  /** Lines with round ends, as one shape: where they cross nothing is painted twice. */
  strokeSegments(segments: readonly Segment[], thickness: number, colour: Colour, opacity = 1): void {
    const radius = thickness / 2;
    const reach = radius + 1;
    const area = this.#clip({
      left: segments.reduce((least, { x1, x2 }) => Math.min(least, x1, x2), Infinity) - reach,
      top: segments.reduce((least, { y1, y2 }) => Math.min(least, y1, y2), Infinity) - reach,
      right: segments.reduce((most, { x1, x2 }) => Math.max(most, x1, x2), -Infinity) + reach,
      bottom: segments.reduce((most, { y1, y2 }) => Math.max(most, y1, y2), -Infinity) + reach,
    });
    const width = area.right - area.left;
    if (width <= 0 || area.bottom <= area.top) return;
    const coverage = new Float32Array(width * (area.bottom - area.top));
    for (const { x1, y1, x2, y2 } of segments) {
      const part = this.#clip({
        left: Math.min(x1, x2) - reach,
        top: Math.min(y1, y2) - reach,
        right: Math.max(x1, x2) + reach,
        bottom: Math.max(y1, y2) + reach,
      });
      const [dx, dy] = [x2 - x1, y2 - y1];
      const lengthSquared = dx * dx + dy * dy;
      for (let y = part.top; y < part.bottom; y++) {
        for (let x = part.left; x < part.right; x++) {
          const [px, py] = [x + 0.5 - x1, y + 0.5 - y1];
          const along = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / lengthSquared));
          const covered = radius - Math.hypot(px - along * dx, py - along * dy) + 0.5;
          const cell = (y - area.top) * width + x - area.left;
          if (covered > (coverage[cell] ?? 0)) coverage[cell] = Math.min(1, covered);
        }
      }
    }
    for (let y = area.top; y < area.bottom; y++) {
      for (let x = area.left; x < area.right; x++) {
        const covered = coverage[(y - area.top) * width + x - area.left] ?? 0;
        if (covered > 0) this.#blend(x, y, colour, covered * opacity);
      }
    }
  }

  fillDisc(x: number, y: number, radius: number, colour: Colour, opacity = 1): void {
    this.strokeSegments([{ x1: x, y1: y, x2: x, y2: y }], radius * 2, colour, opacity);
  }
}
