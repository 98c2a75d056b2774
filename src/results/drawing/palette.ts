/** Red, green, blue, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number];

export const WHITE: Colour = [255, 255, 255];
export const BLACK: Colour = [16, 18, 24];

/** Bright enough to stand out from photographs, and far apart from each other; neighbours differ most. */
const PALETTE: readonly Colour[] = [
  [255, 196, 0],
  [0, 168, 255],
  [255, 71, 87],
  [46, 213, 115],
  [190, 90, 255],
  [255, 127, 39],
  [0, 210, 211],
  [255, 107, 190],
  [164, 214, 24],
  [84, 108, 255],
  [204, 142, 84],
  [0, 184, 148],
  [232, 67, 147],
  [116, 185, 255],
  [253, 203, 110],
  [129, 236, 176],
];

/** The colour of a class: the same in every picture. */
export function colourOfClass(classId: number): Colour {
  const index = ((classId % PALETTE.length) + PALETTE.length) % PALETTE.length;
  return PALETTE[index] ?? WHITE;
}

/** Black or white, whichever can be read on the colour (relative luminance of WCAG 2). */
export function textColourOn(colour: Colour): Colour {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 ? BLACK : WHITE;
}
