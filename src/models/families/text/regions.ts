/** Outlines of the text regions in a probability map, and the smallest rectangles around them (DBNet's post-processing). */
import type { TextDetectionSettings } from "./settings.js";

export type Point = readonly [x: number, y: number];
/** Top left, top right, bottom right, bottom left. */
export type Quadrilateral = readonly [Point, Point, Point, Point];

export interface TextRegion {
  /** Whole pixels of the picture. */
  readonly polygon: Quadrilateral;
  /** Mean probability inside, 0..1. */
  readonly score: number;
}

export interface ProbabilityMap {
  /** float32 `[height, width]` from `offset` on. */
  readonly data: Float32Array;
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

/** Rectangles with a shorter side than this are noise: before growing, and after. */
const LEAST_SIDE = 3;
const LEAST_GROWN_SIDE = 5;

const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** Steps to neighbours, in a map that is `columns` wide: over sides, and over corners too. */
const overSides = (columns: number): readonly number[] => [-1, 1, -columns, columns];
const overCorners = (columns: number): readonly number[] => [-columns - 1, -columns + 1, columns - 1, columns + 1];

/** Points of every outline, in the order in which contour followers list them: the one that starts lowest comes first. */
function outlines({ data, offset, width, height }: ProbabilityMap, threshold: number): readonly (readonly Point[])[] {
  // A frame of background around the map: everything outside is one region, and no step leads from one row into the next.
  const columns = width + 2;
  const kinds = new Uint8Array(columns * (height + 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (data[offset + y * width + x]! > threshold) kinds[(y + 1) * columns + x + 1] = TEXT;
  }
  const cells = new Int32Array(kinds.length);
  const toPoint = (cell: number): Point => [(cell % columns) - 1, Math.trunc(cell / columns) - 1];
  const found: { readonly start: number; readonly points: readonly Point[] }[] = [];
  // The background outside has no outline of its own.
  fill(kinds, cells, 0, overSides(columns));
  for (let start = 0; start < kinds.length; start++) {
    if (kinds[start] === TEXT) {
      // Pixels inside a region add nothing to the rectangle around it.
      const count = fill(kinds, cells, start, [...overSides(columns), ...overCorners(columns)]);
      const edge = cells.subarray(0, count).filter((cell) => !isTextAt(kinds, cell - 1) || !isTextAt(kinds, cell + 1));
      found.push({ start, points: Array.from(edge, toPoint) });
    } else if (kinds[start] === BACKGROUND) {
      // The outline of a hole are the pixels of text around it.
      const count = fill(kinds, cells, start, overSides(columns));
      const border = Array.from(cells.subarray(0, count)).flatMap((cell) =>
        overSides(columns).flatMap((step) => (isTextAt(kinds, cell + step) ? [cell + step] : [])),
      );
      found.push({ start: start - 1, points: border.map(toPoint) });
    }
  }
  return found.sort((a, b) => b.start - a.start).map(({ points }) => points);
}

/** What a cell is; those that were visited keep their kind in the lowest bit. */
const BACKGROUND = 0;
const TEXT = 1;
const VISITED = 2;
const isTextAt = (kinds: Uint8Array, cell: number): boolean => (kinds[cell]! & TEXT) === TEXT;

/** Visits the region around `start`. Its cells become the first of `cells`; returns how many they are. */
function fill(kinds: Uint8Array, cells: Int32Array, start: number, steps: readonly number[]): number {
  const kind = kinds[start]!;
  let count = 0;
  cells[count++] = start;
  kinds[start] = kind | VISITED;
  for (let next = 0; next < count; next++) {
    const cell = cells[next]!;
    for (const step of steps) {
      const neighbour = cell + step;
      if (kinds[neighbour] !== kind) continue;
      kinds[neighbour] = kind | VISITED;
      cells[count++] = neighbour;
    }
  }
  return count;
}

/** Corners of the convex hull, counter-clockwise in a system with y upwards, none of them on a straight line. */
function convexHull(points: readonly Point[]): readonly Point[] {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const turn = ([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const point of ordered) {
      while (chain.length >= 2 && turn(chain[chain.length - 2]!, chain[chain.length - 1]!, point) <= 0) chain.pop();
      chain.push(point);
    }
    chain.pop();
    return chain;
  };
  const hull = [...half(sorted), ...half(sorted.reverse())];
  return hull.length === 0 ? points.slice(0, 1) : hull;
}

interface Rectangle {
  readonly corners: Quadrilateral;
  readonly shorterSide: number;
}

/** The rectangle of least area around the points, at any angle: one of its sides lies on a side of their hull. */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  const [first] = hull;
  if (first === undefined || hull.length < 2) {
    const point = first ?? ([0, 0] as const);
    return { corners: [point, point, point, point], shorterSide: 0 };
  }
  let best: { readonly area: number; readonly corners: readonly Point[]; readonly shorterSide: number } | null = null;
  for (const [index, from] of hull.entries()) {
    const to = hull[(index + 1) % hull.length] as Point;
    const length = distance(from, to);
    const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    let [least, most, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [x, y] of hull) {
      const along = x * ux + y * uy;
      const across = y * ux - x * uy;
      [least, most] = [Math.min(least, along), Math.max(most, along)];
      [low, high] = [Math.min(low, across), Math.max(high, across)];
    }
    const area = (most - least) * (high - low);
    if (best !== null && area >= best.area) continue;
    const corner = (along: number, across: number): Point => [along * ux - across * uy, along * uy + across * ux];
    best = {
      area,
      shorterSide: Math.min(most - least, high - low),
      corners: [corner(least, low), corner(most, low), corner(most, high), corner(least, high)],
    };
  }
  return { corners: orderCorners(best?.corners ?? hull), shorterSide: best?.shorterSide ?? 0 };
}

/** The two leftmost points by height, then the two rightmost. */
function orderCorners(points: readonly Point[]): Quadrilateral {
  const [a, b, c, d] = [...points].sort(([ax], [bx]) => ax - bx) as [Point, Point, Point, Point];
  const [topLeft, bottomLeft] = a[1] <= b[1] ? [a, b] : [b, a];
  const [topRight, bottomRight] = c[1] <= d[1] ? [c, d] : [d, c];
  return [topLeft, topRight, bottomRight, bottomLeft];
}

/** Mean probability inside a quadrilateral, its border included, corners cut down to whole pixels. */
function meanInside({ data, offset, width, height }: ProbabilityMap, corners: Quadrilateral): number {
  const clamp = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);
  const left = clamp(Math.floor(Math.min(...corners.map(([x]) => x))), width);
  const top = clamp(Math.floor(Math.min(...corners.map(([, y]) => y))), height);
  const right = clamp(Math.ceil(Math.max(...corners.map(([x]) => x))), width);
  const bottom = clamp(Math.ceil(Math.max(...corners.map(([, y]) => y))), height);
  const local = corners.map(([x, y]): Point => [Math.trunc(x - left), Math.trunc(y - top)]);
  // A quadrilateral is convex, so in every row it is one run of pixels, which its sides bound.
  const rows = bottom - top + 1;
  const from = new Float64Array(rows).fill(Infinity);
  const to = new Float64Array(rows).fill(-Infinity);
  local.forEach(([ax, ay], index) => {
    const [bx, by] = local[(index + 1) % local.length] as Point;
    const steps = Math.max(Math.abs(bx - ax), Math.abs(by - ay), 1);
    for (let step = 0; step <= steps; step++) {
      const x = Math.round(ax + ((bx - ax) * step) / steps);
      const y = Math.round(ay + ((by - ay) * step) / steps);
      if (y < 0 || y >= rows) continue;
      from[y] = Math.min(from[y]!, x);
      to[y] = Math.max(to[y]!, x);
    }
  });
  let [sum, count] = [0, 0];
  for (let y = 0; y < rows; y++) {
    for (let x = Math.max(from[y]!, 0); x <= Math.min(to[y]!, right - left); x++) {
      sum += data[offset + (top + y) * width + left + x]!;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** How finely the corners of a grown region are rounded; far more than whole pixels can show. */
const DIRECTIONS = 64;

/**
 * A rectangle around the region whose sides were moved outwards by area * ratio / perimeter with round corners: regions are
 * shrunk when the network is trained.
 */
function grow(corners: Quadrilateral, ratio: number): Rectangle {
  const [a, b, , d] = corners;
  const [across, down] = [distance(a, b), distance(a, d)];
  const by = (across * down * ratio) / (2 * (across + down));
  const sides = corners.flatMap(([x, y], index) => {
    const [nx, ny] = corners[(index + 1) % 4] as Point;
    return [Math.atan2(nx - x, y - ny), Math.atan2(x - nx, ny - y)];
  });
  const angles = [...sides, ...Array.from({ length: DIRECTIONS }, (_, k) => (2 * Math.PI * k) / DIRECTIONS)];
  // Whole pixels, as the offsetting library of the reference has them.
  const points = corners.flatMap(([x, y]) =>
    angles.map((angle): Point => [Math.round(Math.trunc(x) + by * Math.cos(angle)), Math.round(Math.trunc(y) + by * Math.sin(angle))]),
  );
  return smallestRectangle(points);
}

/** Corners in the picture; null for what is too small there. */
function toPicture(
  corners: Quadrilateral,
  map: ProbabilityMap,
  picture: { readonly width: number; readonly height: number },
): Quadrilateral | null {
  const scale = (value: number, from: number, to: number): number => Math.min(Math.max((value / from) * to, 0), to);
  const scaled = orderCorners(corners.map(([x, y]): Point => [scale(x, map.width, picture.width), scale(y, map.height, picture.height)]));
  const [topLeft, topRight, , bottomLeft] = scaled;
  if (Math.trunc(distance(topLeft, topRight)) <= 3 || Math.trunc(distance(topLeft, bottomLeft)) <= 3) return null;
  const whole = ([x, y]: Point): Point => [Math.trunc(x), Math.trunc(y)];
  const [a, b, c, d] = scaled;
  return [whole(a), whole(b), whole(c), whole(d)];
}

/** Text regions of a picture, in the order of their outlines. */
export function findTextRegions(
  map: ProbabilityMap,
  picture: { readonly width: number; readonly height: number },
  settings: Pick<TextDetectionSettings, "threshold" | "boxThreshold" | "unclipRatio" | "maximumCandidates">,
): readonly TextRegion[] {
  return outlines(map, settings.threshold)
    .slice(0, settings.maximumCandidates)
    .flatMap((points) => {
      const rectangle = smallestRectangle(points);
      if (rectangle.shorterSide < LEAST_SIDE) return [];
      const score = meanInside(map, rectangle.corners);
      if (!(score >= settings.boxThreshold)) return [];
      const grown = grow(rectangle.corners, settings.unclipRatio);
      if (grown.shorterSide < LEAST_GROWN_SIDE) return [];
      const polygon = toPicture(grown.corners, map, picture);
      return polygon === null ? [] : [{ polygon, score }];
    });
}
