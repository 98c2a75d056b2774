/** In which order people read regions of text: lines from top to bottom, each from left to right. */

/** `[n, 4]`: x1, y1, x2, y2. */
type Boxes = ArrayLike<number>;

/**
 * A region begins a new line when its top is at or below the line's bottom minus half its own height; otherwise it joins the line,
 * whose bottom is the lowest so far.
 *
 * @returns rows of the boxes, line by line.
 */
export function readingOrder(boxes: Boxes): readonly (readonly number[])[] {
  const at = (row: number, corner: 0 | 1 | 2 | 3): number => boxes[row * 4 + corner]!;
  const byTop = Array.from({ length: boxes.length / 4 }, (_, row) => row).sort((a, b) => at(a, 1) - at(b, 1));
  const lines: number[][] = [];
  let bottom = -Infinity;
  for (const row of byTop) {
    const [top, low] = [at(row, 1), at(row, 3)];
    const line = lines.at(-1);
    if (line === undefined || top >= bottom - 0.5 * (low - top)) {
      lines.push([row]);
      bottom = low;
    } else {
      line.push(row);
      bottom = Math.max(bottom, low);
    }
  }
  return lines.map((line) => line.sort((a, b) => at(a, 0) - at(b, 0)));
}
