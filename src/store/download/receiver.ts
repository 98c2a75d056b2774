/** Takes the pieces of a file as they arrive: hashes them, and writes them in large blocks at the same time. */
import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { feedFile, type HashAlgorithm } from "../files/hash-file.js";

const BLOCK_BYTES = 1 << 20;

export class FileReceiver {
  /** One block is filled while the other is written on another thread. */
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private spare = Buffer.allocUnsafe(BLOCK_BYTES);
  private filled = 0;
  private written = 0;
  private writing: Promise<void> = Promise.resolve();
  private hash: Hash | null;

  private constructor(
    private readonly file: FileHandle,
    private readonly algorithm: HashAlgorithm | null,
  ) {
    this.hash = algorithm === null ? null : createHash(algorithm);
  }

  /** Opens or creates the file; what it holds already counts as received, and is hashed (which cannot be saved across processes). */
  static async open(path: string, algorithm: HashAlgorithm | null, signal?: AbortSignal): Promise<FileReceiver> {
    const receiver = new FileReceiver(await open(path, constants.O_RDWR | constants.O_CREAT, 0o644), algorithm);
    try {
      receiver.written = await feedFile(path, receiver.hash === null ? [] : [receiver.hash], { signal });
      return receiver;
    } catch (error) {
      await receiver.close();
      throw error;
    }
  }

  get received(): number {
    return this.written + this.filled;
  }

  async append(piece: Buffer): Promise<void> {
    for (let taken = 0; taken < piece.length;) {
      const length = Math.min(piece.length - taken, BLOCK_BYTES - this.filled);
      piece.copy(this.block, this.filled, taken, taken + length);
      taken += length;
      this.filled += length;
      if (this.filled === BLOCK_BYTES) await this.flush();
    }
  }

  /** Starts writing the block, and hashes it meanwhile. Waits only for the block before. */
  private async flush(): Promise<void> {
    await this.writing;
    const [block, length, position] = [this.block, this.filled, this.written];
    this.block = this.spare;
    this.spare = block;
    this.filled = 0;
    this.written += length;
    this.writing = writeFully(this.file, block.subarray(0, length), position);
    // Who waits for the next block gets the failure; until then nobody listens.
    this.writing.catch(() => undefined);
    this.hash?.update(block.subarray(0, length));
  }

  /** Everything received is in the file afterwards, though perhaps not yet on the disk. */
  async drain(): Promise<void> {
    await this.flush();
    await this.writing;
  }

  /** Forgets what was received. */
  async restart(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.file.truncate(0);
    this.filled = 0;
    this.written = 0;
    this.writing = Promise.resolve();
    this.hash = this.algorithm === null ? null : createHash(this.algorithm);
  }

  /** Puts the file on the disk; its digest, or null when none was asked for. Nothing can be received afterwards. */
  async finish(): Promise<string | null> {
    await this.drain();
    await this.file.sync();
    return this.hash?.digest("hex") ?? null;
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.file.close();
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
