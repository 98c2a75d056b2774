/**
 * A stroke font for labels. Drawing text through an image library needs fonts on the machine, which servers and containers
 * often lack; strokes need nothing and stay sharp at every size.
 *
 * A glyph is a list of strokes separated by blanks; a stroke is a list of points, two base-36 digits (x, y) each, on a grid
 * whose row 0 is the top of capitals, row 2 the top of small letters, row 8 the baseline and row a the end of descenders.
 * A plain stroke is a polyline (one point: a dot), `~` a smooth curve guided by its points, `o` a closed one.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  a: "o02424808 4248",
  b: "0008 o02424808",
  c: "~434202084847",
  d: "4048 o02424808",
  e: "0545 ~454202084847",
  f: "~30101318 0232",
  g: "4248 ~484a0a09 o02424808",
  h: "0008 ~05024245 4548",
  i: "0208 00",
  j: "1218 ~181a0a 10",
  k: "0008 4206 1548",
  l: "0008",
  m: "0208 ~05023235 3538 ~35326265 6568",
  n: "0208 ~05024245 4548",
  o: "o02424808",
  p: "020a o02424808",
  q: "424a o02424808",
  r: "0208 ~050232",
  s: "~4342020545480807",
  t: "1016 ~161838 0232",
  u: "0205 ~05084845 4248",
  v: "022842",
  w: "0218335862",
  x: "0248 4208",
  y: "0228 421a",
  z: "02420848",
  A: "083068 1555",
  B: "000838 0030 ~30505434 0434 ~34545838",
  C: "~525000085856",
  D: "20000828 ~20505828",
  E: "40000848 0434",
  F: "400008 0434",
  G: "~525000085854 5434",
  H: "0008 5058 0454",
  I: "0008",
  J: "3035 ~35380806",
  K: "0008 5005 2358",
  L: "000848",
  M: "0800356068",
  N: "08005850",
  O: "o00606808",
  P: "0008 0020 ~20505424 0424",
  Q: "o00606808 3668",
  R: "0008 0020 ~20505424 0424 2448",
  S: "~5250000454580806",
  T: "0060 3038",
  U: "0004 ~04085854 5450",
  V: "003860",
  W: "0028426880",
  X: "0058 5008",
  Y: "003460 3438",
  Z: "00500858",
  0: "o00404808",
  1: "022028",
  2: "~0200404408 0848",
  3: "~0100404424 ~2444480807",
  4: "30063646 3038",
  5: "400003 ~0343480807",
  6: "o03434808 ~41400005",
  7: "004018",
  8: "o00404404 o04444808",
  9: "o00404505 ~07084843",
  ".": "08",
  ",": "0809",
  ":": "03 08",
  ";": "03 0809",
  "!": "0005 08",
  "?": "~0100404424 2425 28",
  "'": "0002",
  '"': "0002 2022",
  "-": "0535",
  "+": "0545 2327",
  "=": "0343 0646",
  "*": "2125 0244 0442",
  "/": "3008",
  "\\": "0038",
  "|": "000a",
  _: "0949",
  "~": "~0604245644",
  "%": "o00202303 o35555838 5008",
  "#": "2018 5048 0353 0656",
  "&": "~581210303205080838485854",
  "@": "o22525626 ~5256767000080868",
  "^": "022042",
  "(": "~20020628",
  ")": "~00222608",
  "[": "20000a2a",
  "]": "00202a0a",
  "{": "~20101404 ~04141a2a",
  "}": "~00101424 ~24141a0a",
  "<": "400548",
  ">": "004508",
  $: "~5250000454580806 2029",
  "`": "0012",
};
/** Drawn for characters that have no glyph. */
const UNKNOWN = "0040480800";
const SPACE_ADVANCE = 3;
const LETTER_GAP = 2.5;
const BASELINE = 8;
/** Grid rows from the top of capitals to the end of descenders. */
export const LINE_ROWS = 10;

export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface TextOutline {
  /** Grid units, from the left edge of the first letter and the top of capitals. */
  readonly segments: readonly Segment[];
  readonly width: number;
  readonly baseline: number;
}

type Point = readonly [x: number, y: number];

function parsePoints(digits: string): Point[] {
  const points: Point[] = [];
  for (let index = 0; index + 1 < digits.length; index += 2)
    points.push([parseInt(digits[index] ?? "0", 36), parseInt(digits[index + 1] ?? "0", 36)]);
  return points;
}

const middle = ([x1, y1]: Point, [x2, y2]: Point): Point => [(x1 + x2) / 2, (y1 + y2) / 2];

/** Quadratic B-spline: passes the middles between guiding points, and its own two ends. */
function smooth(guides: readonly Point[], closed: boolean): Point[] {
  const steps = 5;
  const curve: Point[] = [];
  const count = guides.length;
  const at = (index: number): Point => guides[((index % count) + count) % count] ?? [0, 0];
  for (let index = closed ? 0 : 1; index < (closed ? count : count - 1); index++) {
    const start = !closed && index === 1 ? at(0) : middle(at(index - 1), at(index));
    const end = !closed && index === count - 2 ? at(count - 1) : middle(at(index), at(index + 1));
    const [controlX, controlY] = at(index);
    for (let step = 0; step <= steps; step++) {
      const t = step / steps;
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      curve.push([a * start[0] + b * controlX + c * end[0], a * start[1] + b * controlY + c * end[1]]);
    }
  }
  return curve;
}

function strokePoints(stroke: string): Point[] {
  if (stroke.startsWith("~")) return smooth(parsePoints(stroke.slice(1)), false);
  if (stroke.startsWith("o")) return smooth(parsePoints(stroke.slice(1)), true);
  return parsePoints(stroke);
}

/** Lays out one line of text; letters lose their accents, characters without a glyph become boxes. */
export function outlineText(text: string): TextOutline {
  const segments: Segment[] = [];
  let pen = 0;
  for (const character of text.normalize("NFD").replace(/\p{Mark}/gu, "")) {
    if (/\s/u.test(character)) {
      pen += SPACE_ADVANCE;
      continue;
    }
    let right = 0;
    for (const stroke of (GLYPHS[character] ?? UNKNOWN).split(" ")) {
      const points = strokePoints(stroke);
      for (const [x] of points) right = Math.max(right, x);
      for (let index = 0; index < Math.max(1, points.length - 1); index++) {
        const [x1, y1] = points[index] ?? [0, 0];
        const [x2, y2] = points[index + 1] ?? [x1, y1];
        segments.push({ x1: pen + x1, y1, x2: pen + x2, y2 });
      }
    }
    pen += right + LETTER_GAP;
  }
  return { segments, width: Math.max(0, pen - LETTER_GAP), baseline: BASELINE };
}
