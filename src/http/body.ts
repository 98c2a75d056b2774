import { ModelRetrievalError, RetryError } from "../errors.js";
import { printableUrl } from "./addresses.js";
import type { HttpResponse } from "./types.js";

export interface BodyLimits {
  readonly maximumBytes: number;
  /** For the whole body. The limit between two pieces does not catch a server that sends a byte a second for ever. */
  readonly withinSeconds?: number;
}

/**
 * A whole body of bounded size in memory.
 * @throws ModelRetrievalError when it is larger, or compressed though nobody asked for that; RetryError when the network fails or is too slow.
 */
export async function readBody({ headers, body, url }: HttpResponse, { maximumBytes, withinSeconds }: BodyLimits): Promise<Buffer> {
  const refuse = (why: string): ModelRetrievalError =>
    new ModelRetrievalError(`The answer of ${printableUrl(url)} was not read: ${why}. Report it to the host.`);
  const tooLarge = (): ModelRetrievalError => refuse(`it is larger than the ${maximumBytes} bytes that are accepted`);
  let timer: NodeJS.Timeout | undefined;
  try {
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") throw refuse(`it is compressed (${encoding.slice(0, 40)}), which was not asked for`);
    if (Number(headers["content-length"] ?? 0) > maximumBytes) throw tooLarge();
    if (withinSeconds !== undefined) {
      const tooSlow = new RetryError(`${printableUrl(url)} did not finish its answer within ${withinSeconds} seconds.`, {
        isRetryable: true,
      });
      timer = setTimeout(() => body.destroy(tooSlow), withinSeconds * 1000);
    }
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > maximumBytes) throw tooLarge();
      pieces.push(piece);
    }
    return Buffer.concat(pieces, length);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}
