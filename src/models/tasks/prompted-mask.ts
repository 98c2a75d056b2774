/** From the logits of a prompt to a mask of the picture. */
import type { Size } from "../../imaging/index.js";
import { createMasks } from "../../results/index.js";
import type { MaskLogits, RleMasks } from "../../results/index.js";
import { interpolatePart, type Decoder } from "../decoding/index.js";
import type { InteractiveDescription } from "../family.js";

/**
 * One of the masks in the picture. Where the network looks at a picture in the corner of a canvas, its masks are enlarged to that canvas first, and
 * cut, as in the Python package: cells may lie across the border.
 */
export async function maskOf(
  { data, width, height }: MaskLogits,
  row: number,
  picture: Size,
  canvas: InteractiveDescription["canvas"],
  threshold: number,
  decoder: Decoder,
): Promise<RleMasks> {
  const size = { width: picture.width, height: picture.height };
  const whole = { left: 0, top: 0, right: 0, bottom: 0 };
  let cells = { data, offset: row * width * height, width, height };
  let part: Size = { width, height };
  if (canvas !== null) {
    part = canvas.pictureIn(size);
    const placement = { trim: whole, resize: canvas.size, canvas: { ...canvas.size, left: 0, top: 0 } };
    cells = { ...canvas.size, offset: 0, data: await decoder.makeValueMap({ ...cells, channels: 1 }, placement, "triangle") };
  }
  if (part.width > size.width || part.height > size.height) {
    // The picture is smaller than the network's input, so this is soon done. Not by the decoder, which would antialias.
    cells = { ...size, offset: 0, data: interpolatePart(cells.data.subarray(cells.offset), cells.width, part, size) };
    part = size;
  }
  const trim = { ...whole, right: cells.width - part.width, bottom: cells.height - part.height };
  const planes = { data: cells.data, offset: cells.offset, candidateStride: 1, attributeStride: cells.width * cells.height };
  const runs = await decoder.decodeMasks(
    { width: cells.width, height: cells.height, channels: 1, planes, coefficients: null, sigmoid: false },
    { indices: Int32Array.of(0), boxes: null, boxScale: 1 },
    { trim, resize: size, left: 0, top: 0, picture: size, threshold },
  );
  return createMasks({ format: "rle", ...size, ...runs });
}
