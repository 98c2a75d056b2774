/** Takes the pieces of a file as they arrive: writes them in large blocks, and has those hashed at the same time. */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

import { inlineHash, sharedBlock, threadHash, type BlockHash } from "../files/block-hash.js";
import type { HashAlgorithm } from "../files/hash-file.js";

const BLOCK_BYTES = 1 << 20;
/** One is filled, the others are written and hashed. */
const BLOCKS = 4;

interface Block {
  readonly bytes: Uint8Array;
  /** Until it is written and hashed. */
  busy: Promise<unknown>;
}

export class FileReceiver {
  private readonly blocks = Array.from({ length: BLOCKS }, (): Block => ({ bytes: sharedBlock(BLOCK_BYTES), busy: Promise.resolve() }));
  private turn = 0;
  private filled = 0;
  private written = 0;
  /** One after the other: a process that is killed leaves a beginning of the file, and no holes. */
  private writing: Promise<void> = Promise.resolve();
  private hash: BlockHash | null = null;

  private constructor(
    private readonly file: FileHandle,
    private readonly algorithm: HashAlgorithm | null,
  ) {}

  /** Opens or creates the file; what it holds already counts as received, and is hashed (which cannot be saved across processes). */
  static async open(path: string, algorithm: HashAlgorithm | null, signal?: AbortSignal): Promise<FileReceiver> {
    const receiver = new FileReceiver(await open(path, constants.O_RDWR | constants.O_CREAT, 0o644), algorithm);
    try {
      await receiver.takeWhatIsThere(signal);
      return receiver;
    } catch (error) {
      await receiver.close();
      throw error;
    }
  }

  private async takeWhatIsThere(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const block = this.block;
      await block.busy;
      const { bytesRead } = await this.file.read(block.bytes, 0, BLOCK_BYTES, this.written);
      if (bytesRead === 0) return;
      this.written += bytesRead;
      this.dispatch(block, this.hashBlock(block.bytes.subarray(0, bytesRead)));
    }
  }

  get received(): number {
    return this.written + this.filled;
  }

  private get block(): Block {
    return this.blocks[this.turn] as Block;
  }

  async append(piece: Uint8Array): Promise<void> {
    for (let taken = 0; taken < piece.length;) {
      const block = this.block;
      if (this.filled === 0) await block.busy;
      const length = Math.min(piece.length - taken, BLOCK_BYTES - this.filled);
      block.bytes.set(piece.subarray(taken, taken + length), this.filled);
      taken += length;
      this.filled += length;
      if (this.filled === BLOCK_BYTES) this.flush();
    }
  }

  /** Starts writing and hashing what the block holds, and goes on to the next one. */
  private flush(): void {
    if (this.filled === 0) return;
    const block = this.block;
    const content = block.bytes.subarray(0, this.filled);
    const position = this.written;
    this.written += this.filled;
    this.filled = 0;
    this.writing = this.writing.then(() => writeFully(this.file, content, position));
    this.dispatch(block, Promise.all([this.writing, this.hashBlock(content)]));
  }

  private dispatch(block: Block, work: Promise<unknown>): void {
    block.busy = work;
    // Who takes the block next, or drains, gets the failure; until then nobody listens.
    work.catch(() => undefined);
    this.turn = (this.turn + 1) % BLOCKS;
  }

  private hashBlock(content: Uint8Array): Promise<void> {
    if (this.algorithm === null) return Promise.resolve();
    // A thread is not worth its while for a file of less than a block.
    this.hash ??= content.length === BLOCK_BYTES ? threadHash(this.algorithm) : inlineHash(this.algorithm);
    return this.hash.update(content);
  }

  /** Everything received is in the file afterwards, though perhaps not yet on the disk. */
  async drain(): Promise<void> {
    this.flush();
    for (const { busy } of this.blocks) await busy;
  }

  /** Forgets what was received. */
  async restart(): Promise<void> {
    await this.settle();
    await this.file.truncate(0);
    for (const block of this.blocks) block.busy = Promise.resolve();
    this.hash?.abandon();
    this.hash = null;
    this.filled = 0;
    this.written = 0;
    this.writing = Promise.resolve();
  }

  private async settle(): Promise<void> {
    await Promise.allSettled([this.writing, ...this.blocks.map(({ busy }) => busy)]);
  }

  /** Puts the file on the disk; its digest, or null when none was asked for. Nothing can be received afterwards. */
  async finish(): Promise<string | null> {
    await this.drain();
    await this.file.sync();
    if (this.algorithm === null) return null;
    const hash = this.hash ?? inlineHash(this.algorithm);
    return hash.digest();
  }

  async close(): Promise<void> {
    await this.settle();
    this.hash?.abandon();
    await this.file.close();
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
