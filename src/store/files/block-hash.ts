/** Hashing block by block, on a thread of its own: a fast line delivers more than one thread can receive and hash. */
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";

import type { HashAlgorithm } from "./hash-file.js";

export interface BlockHash {
  /** Blocks are hashed in the order of the calls; each must stay as it is until its promise settles. */
  update(block: Uint8Array): Promise<void>;
  /** Hexadecimal. Ends the hash. */
  digest(): Promise<string>;
  /** Ends the hash without a result. */
  abandon(): void;
}

export function inlineHash(algorithm: HashAlgorithm): BlockHash {
  const hash = createHash(algorithm);
  return {
    update: async (block) => void hash.update(block),
    digest: async () => hash.digest("hex"),
    abandon: () => undefined,
  };
}

/** Memory that both threads see, so that nothing is copied between them. */
export function sharedBlock(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}

/** Text rather than a file, which the two builds of the package would have to find in two places. */
const PROGRAM = `
const { createHash } = require("node:crypto");
const { parentPort } = require("node:worker_threads");
const hashes = new Map();
parentPort.on("message", ({ id, hash, algorithm, block, end }) => {
  if (algorithm !== undefined) hashes.set(hash, createHash(algorithm));
  if (block !== undefined) hashes.get(hash).update(block);
  const digest = end === "digest" ? hashes.get(hash).digest("hex") : undefined;
  if (end !== undefined) hashes.delete(hash);
  if (id !== undefined) parentPort.postMessage({ id, digest });
});
`;
const IDLE_MILLISECONDS = 2000;

interface Waiting {
  readonly resolve: (digest: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** One thread serves all downloads: what it hashes in a second, no line that is used today delivers. */
class HashThread {
  private readonly worker = new Worker(PROGRAM, { eval: true, name: "inference-models-hash", execArgv: [] });
  private readonly waiting = new Map<number, Waiting>();
  private readonly active = new Set<number>();
  private lastId = 0;
  private idle: NodeJS.Timeout | undefined;
  failure: Error | null = null;

  constructor() {
    this.worker.on("message", ({ id, digest }: { readonly id: number; readonly digest?: string }) => {
      this.waiting.get(id)?.resolve(digest);
      this.waiting.delete(id);
    });
    this.worker.on("error", (error) => this.fail(error));
    this.worker.on("exit", () => this.fail(new Error("The hashing thread has ended.")));
    this.worker.unref();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    if (current === this) current = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private ask(message: object): Promise<string | undefined> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, id });
    });
  }

  begin(algorithm: HashAlgorithm): BlockHash {
    const hash = ++this.lastId;
    // While something is hashed, its caller waits for the thread alone.
    if (this.active.size === 0) this.worker.ref();
    clearTimeout(this.idle);
    this.active.add(hash);
    this.worker.postMessage({ hash, algorithm });
    return {
      update: async (block) => {
        await this.ask({ hash, block });
      },
      digest: async () => {
        try {
          return (await this.ask({ hash, end: "digest" })) ?? "";
        } finally {
          this.end(hash);
        }
      },
      abandon: () => {
        if (!this.active.has(hash)) return;
        this.worker.postMessage({ hash, end: "abandon" });
        this.end(hash);
      },
    };
  }

  private end(hash: number): void {
    if (!this.active.delete(hash) || this.active.size > 0) return;
    this.worker.unref();
    this.idle = setTimeout(() => {
      if (current === this) current = null;
      void this.worker.terminate();
    }, IDLE_MILLISECONDS).unref();
  }
}

let current: HashThread | null = null;

/** Hashes shared blocks on the thread; on this one where no thread can be had. */
export function threadHash(algorithm: HashAlgorithm): BlockHash {
  try {
    current ??= new HashThread();
    return current.begin(algorithm);
  } catch {
    return inlineHash(algorithm);
  }
}
