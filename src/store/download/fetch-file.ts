/** One file from its address to its place: resumed, retried, verified, and published only when it is whole. */
import { dirname } from "node:path";

import { FileHashSumMismatchError, RetryError } from "../../errors.js";
import { printableUrl, sleep } from "../../http/index.js";
import { publish } from "../files/durable.js";
import { hashFile } from "../files/hash-file.js";
import { isStorageFailure, storageError } from "../files/storage-errors.js";
import type { StoreObserver } from "../types.js";
import { requestPiece, WrongRangeError, type Piece } from "./answers.js";
import { reserveSpace } from "./disk-space.js";
import { openPartial, type PartialFile } from "./partial-file.js";
import type { FileProgress } from "./progress.js";
import { FileReceiver } from "./receiver.js";
import { Patience } from "./retry.js";

export interface FetchRequest {
  /** Name for messages and events. */
  readonly file: string;
  readonly url: string;
  /** Absolute path; its folder exists. */
  readonly target: string;
  /** null: nothing to compare with; its SHA-256 is computed instead. */
  readonly md5: string | null;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress: FileProgress;
  /** Hash while the bytes arrive, rather than by reading the file again. */
  readonly hashWhileDownloading: boolean;
  readonly observer?: StoreObserver | undefined;
}

export interface FetchedFile {
  /** Received over the network by this call. */
  readonly bytes: number;
  /** MD5 where one was to be compared, else SHA-256. */
  readonly digest: string;
}

/** Attempts with other content than announced before the file is given up. */
const CONTENT_ATTEMPTS = 2;

/**
 * @throws FileHashSumMismatchError when the content is wrong twice, RetryError, ModelRetrievalError and its subclasses (among them
 * DownloadLinkExpiredError), CacheStorageError, the signal's reason. Nothing is at `target` then that was not there before.
 */
export async function fetchFile(request: FetchRequest, options: FetchOptions): Promise<FetchedFile> {
  let bytes = 0;
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const partial = await guard(request, () => openPartial(request));
    const content = await guard(request, () => receive(request, partial, options));
    bytes += content.bytes;
    if (request.md5 === null || content.digest === request.md5) {
      await guard(request, () => putInPlace(partial, request.target, options));
      options.progress.finished(content.length);
      return { bytes, digest: content.digest };
    }
    await partial.remove();
    if (attempt === CONTENT_ATTEMPTS) throw mismatch(request, content.digest);
    options.progress.retrying(0, "the content was not the announced one");
  }
}

function mismatch({ file, url, md5 }: FetchRequest, actual: string): FileHashSumMismatchError {
  return new FileHashSumMismatchError(
    `${file} from ${printableUrl(url)} has the MD5 ${actual}, not the announced ${md5 ?? ""}; so it did when it was fetched again. ` +
      "Nothing was kept. Suspect a proxy that rewrites content, or the provider's storage.",
    { actual, ...(md5 === null ? {} : { expected: md5 }) },
  );
}

/** Disk failures, wherever they show, are about the target. */
async function guard<T>({ target }: FetchRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isStorageFailure(error) ? storageError(target, error) : error;
  }
}

async function putInPlace(partial: PartialFile, target: string, { observer }: FetchOptions): Promise<void> {
  await publish(partial.path, target);
  await partial.remove();
  observer?.onFileRenamed?.(partial.path, target);
}

/** All bytes, on the disk, in the partial file. What was received of an interrupted download stays for the next one. */
async function receive(
  request: FetchRequest,
  partial: PartialFile,
  options: FetchOptions,
): Promise<FetchedFile & { readonly length: number }> {
  const algorithm = request.md5 === null ? "sha256" : "md5";
  try {
    const receiver = await FileReceiver.open(partial.path, options.hashWhileDownloading ? algorithm : null, options.signal);
    try {
      options.observer?.onFileCreated?.(partial.path);
      options.progress.started(receiver.received);
      const bytes = await receiveAll(request, partial, receiver, options);
      const digest = (await receiver.finish()) ?? (await hashFile(partial.path, algorithm, { signal: options.signal }));
      return { bytes, digest, length: receiver.received };
    } finally {
      await receiver.close();
    }
  } catch (error) {
    // On a full disk the space is worth more than the bytes.
    await (isStorageFailure(error) ? partial.remove() : partial.leave()).catch(() => undefined);
    throw error;
  }
}

/** Goes on until the file is whole; bytes that came over the network. */
async function receiveAll(request: FetchRequest, partial: PartialFile, receiver: FileReceiver, options: FetchOptions): Promise<number> {
  const { signal, progress } = options;
  const patience = new Patience();
  let validators = partial.validators;
  let furthest = receiver.received;
  let bytes = 0;
  for (;;) {
    signal?.throwIfAborted();
    // Bytes whose content cannot be recognised again, by a hash or by the server, are not gone on with.
    const canResume = request.md5 !== null || validators?.etag != null || validators?.lastModified != null;
    if (receiver.received > 0 && !canResume) await receiver.restart();
    try {
      const piece = await requestPiece({ ...request, start: receiver.received, validators, signal });
      if (piece === "complete") return bytes;
      if (piece.start !== receiver.received) await receiver.restart();
      validators = { etag: piece.etag, lastModified: piece.lastModified, length: piece.length };
      await partial.note(validators);
      await receivePiece(piece, request, receiver, options, (length) => (bytes += length));
      return bytes;
    } catch (error) {
      // What the interrupted attempt has brought is in the file, whatever comes next.
      await receiver.drain();
      if (!RetryError.is(error) || !error.isRetryable) throw error;
      // A server that is cut at the same place again and again brings bytes, but nothing new.
      const gained = Math.max(0, receiver.received - furthest);
      furthest += gained;
      if (error instanceof WrongRangeError) {
        await receiver.restart();
        validators = null;
      }
      const waitSeconds = patience.afterFailure(error, gained);
      progress.retrying(waitSeconds, error.message);
      await sleep(waitSeconds, signal);
    }
  }
}

async function receivePiece(
  piece: Piece,
  request: FetchRequest,
  receiver: FileReceiver,
  { signal, progress }: FetchOptions,
  onBytes: (length: number) => void,
): Promise<void> {
  let release = (): void => undefined;
  try {
    if (piece.length !== null) release = await reserveSpace(dirname(request.target), piece.length - receiver.received, request.file);
    for await (const bytes of piece.body as AsyncIterable<Buffer>) {
      await receiver.append(bytes);
      onBytes(bytes.length);
      progress.received(receiver.received, piece.length);
    }
    signal?.throwIfAborted();
    if (piece.length !== null && receiver.received !== piece.length) {
      throw new WrongLengthError(
        `The download of ${request.file} from ${printableUrl(request.url)} ended after ${receiver.received} of ${piece.length} bytes.`,
        { isRetryable: true },
      );
    }
  } finally {
    release();
    piece.body.destroy();
  }
}

/** The connection ended as if all had been sent. */
class WrongLengthError extends RetryError {}
