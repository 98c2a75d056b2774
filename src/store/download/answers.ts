/** One request for a file, or for the rest of it, and what the answer means. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

import { configuration } from "../../configuration.js";
import {
  DownloadLinkExpiredError,
  ForbiddenModelAccessError,
  ModelNotFoundError,
  ModelRetrievalError,
  RetryError,
  UnauthorizedModelAccessError,
} from "../../errors.js";
import { configuredGateway, parseRetryAfter, printableUrl, request, throughGateway, type HttpResponse } from "../../http/index.js";
import { isSignedUrl } from "../download-source.js";

/** What tells one content behind an address from another. */
export interface Validators {
  /** A strong one, as it stands in the header; null = none. */
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Length of the whole file. */
  readonly length: number | null;
}

export interface Piece extends Validators {
  /** Where in the file the body begins: as asked for, or 0 when the server sends the whole file instead. */
  readonly start: number;
  readonly body: Readable;
}

export interface PieceRequest {
  readonly url: string;
  /** For messages. */
  readonly file: string;
  /** Bytes that are there already. */
  readonly start: number;
  /** Of the content that those bytes belong to; null when that is not known. */
  readonly validators: Validators | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks for the file from `start` on; "complete" when the server says that nothing follows.
 * @throws RetryError (retryable when another attempt may help), ModelRetrievalError and its subclasses, the signal's reason
 */
export async function requestPiece(asked: PieceRequest): Promise<Piece | "complete"> {
  if (asked.url.startsWith("file:")) return localPiece(asked);
  const { url, start, validators, signal } = asked;
  const { connectTimeoutSeconds, readTimeoutSeconds } = configuration().download;
  const gateway = configuredGateway();
  const response = await request({
    url: throughGateway(url, gateway),
    headers: start === 0 ? {} : { range: `bytes=${start}-`, ...ifRange(validators) },
    timeouts: { connectSeconds: connectTimeoutSeconds, idleSeconds: readTimeoutSeconds },
    redirects: "any-https",
    ...(gateway === null ? {} : { plainHttpTo: [gateway.host] }),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    return understand(asked, response);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
}

function ifRange(validators: Validators | null): Readonly<Record<string, string>> {
  const validator = validators?.etag ?? validators?.lastModified ?? null;
  return validator === null ? {} : { "if-range": validator };
}

function understand(asked: PieceRequest, { status, headers, body }: HttpResponse): Piece | "complete" {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    throw failure(asked, status, `the server compressed the file (${encoding.slice(0, 20)}), which was not asked for`);
  const etag = headers["etag"] ?? null;
  const common = { etag: etag?.startsWith("W/") === true ? null : etag, lastModified: headers["last-modified"] ?? null, body };
  if (status === 200) return { ...common, start: 0, length: parseLength(headers["content-length"]) };
  if (status === 206) {
    const range = parseContentRange(headers["content-range"]);
    const expected = asked.validators?.length ?? null;
    if (range?.start !== asked.start || (expected !== null && range.length !== null && range.length !== expected)) {
      throw new WrongRangeError(`${describe(asked)} was answered with another part of it than the one asked for.`, { isRetryable: true });
    }
    return { ...common, start: range.start, length: range.length };
  }
  if (status === 416) {
    body.destroy();
    const length = /^bytes \*\/(\d{1,15})$/.exec(headers["content-range"] ?? "")?.[1];
    if (length !== undefined && Number(length) === asked.start) return "complete";
    throw new WrongRangeError(`${describe(asked)} is shorter on the server than what was received before.`, { isRetryable: true });
  }
  throw statusFailure(asked, status, parseRetryAfter(headers["retry-after"]));
}

/** What was received before and what the server has now do not fit together: begin again. */
export class WrongRangeError extends RetryError {}

function describe({ file, url }: PieceRequest): string {
  return `The download of ${file} from ${printableUrl(url)}`;
}

function failure(asked: PieceRequest, status: number, why: string): ModelRetrievalError {
  return new ModelRetrievalError(`${describe(asked)} failed: ${why}. Report it to the host.`, { status });
}

function statusFailure(asked: PieceRequest, status: number, retryAfterSeconds: number | null): RetryError | ModelRetrievalError {
  const what = `${describe(asked)} was answered with status ${status}.`;
  // Which status an expired signature gets differs between hosts.
  if ([400, 401, 403, 410].includes(status) && isSignedUrl(asked.url)) {
    return new DownloadLinkExpiredError(`${what} Its address has probably expired; the provider gives a new one when asked again.`, {
      status,
      isRetryable: true,
    });
  }
  switch (status) {
    case 401:
      return new UnauthorizedModelAccessError(`${what} Check the API key.`, { status });
    case 403:
      return new ForbiddenModelAccessError(`${what} Check the permissions of the API key.`, { status, statusCode: status });
    case 404:
    case 410:
      return new ModelNotFoundError(`${what} The provider announces a file that is not there; it has to be published again.`, { status });
    default: {
      const isRetryable = configuration().api.retryStatuses.includes(status);
      return new RetryError(`${what} ${isRetryable ? "Try again later." : "Report it to the host."}`, {
        status,
        isRetryable,
        ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
      });
    }
  }
}

/** null unless the header is a plain number. */
export function parseLength(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header.trim()) ? Number(header) : null;
}

function parseContentRange(header: string | undefined): { readonly start: number; readonly length: number | null } | null {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header?.trim() ?? "");
  return match === null ? null : { start: Number(match[1]), length: match[2] === "*" ? null : Number(match[2]) };
}

/** A file of this machine, which a provider of the user's own has named; copied and verified like any other. */
async function localPiece(asked: PieceRequest): Promise<Piece> {
  try {
    const path = fileURLToPath(asked.url);
    const status = await stat(path);
    if (!status.isFile()) throw new Error("it is not a regular file");
    return { start: 0, length: status.size, etag: null, lastModified: null, body: createReadStream(path) };
  } catch (error) {
    throw new ModelRetrievalError(
      `The file ${asked.file} cannot be read from its local address: ${error instanceof Error ? error.message : String(error)}.`,
      {
        cause: error,
      },
    );
  }
}
