import { createHash, type Hash } from "node:crypto";
import { open } from "node:fs/promises";

export type HashAlgorithm = "md5" | "sha256";

const PIECE_BYTES = 1 << 20;

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Stop after this many bytes. */
  readonly length?: number;
}

/** Feeds a file to hashes, in pieces, without ever holding more than one. Returns the bytes read. */
export async function feedFile(path: string, hashes: readonly Hash[], { signal, length = Infinity }: ReadOptions = {}): Promise<number> {
  const file = await open(path, "r");
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let total = 0;
    while (total < length) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, length - total), total);
      if (bytesRead === 0) break;
      for (const hash of hashes) hash.update(piece.subarray(0, bytesRead));
      total += bytesRead;
    }
    return total;
  } finally {
    await file.close();
  }
}

/** Lower-case hexadecimal digest of a file's content. */
export async function hashFile(path: string, algorithm: HashAlgorithm, options: ReadOptions = {}): Promise<string> {
  const hash = createHash(algorithm);
  await feedFile(path, [hash], options);
  return hash.digest("hex");
}
