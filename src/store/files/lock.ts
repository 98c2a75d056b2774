/** One process at a time does a piece of work, and the others wait for as long as it is alive. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { FileLockTimeoutError } from "../../errors.js";
import { livenessOf, ownIdentity } from "../process-identity.js";
import { beat, claimNext, markReleased, readHolder, type LockHolder } from "./lock-directory.js";
import { guardStorage } from "./storage-errors.js";

const BEAT_MILLISECONDS = 500;
const FIRST_WAIT_MILLISECONDS = 20;
const LONGEST_WAIT_MILLISECONDS = 250;

export interface LockOptions {
  /** How long a holder may show no sign of life. It beats twice a second, so less than two seconds would prove nothing. */
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the lock is held by another. */
  readonly onWait?: (holder: { readonly pid: number | null }) => void;
}

/** What this thread holds: token to file. */
const held = new Map<string, string>();

function release(token: string): void {
  const path = held.get(token);
  if (path === undefined) return;
  held.delete(token);
  if (held.size === 0) process.removeListener("exit", releaseAll);
  try {
    markReleased(path);
  } catch {
    // Whoever removed the file or closed the disk has released it for us.
  }
}

function releaseAll(): void {
  for (const token of [...held.keys()]) release(token);
}

function hold(token: string, path: string): void {
  if (held.size === 0) process.on("exit", releaseAll);
  held.set(token, path);
}

/** Whether the next one may take over without waiting for anything. */
function isFree(holder: LockHolder): boolean {
  if (holder.released) return true;
  return holder.identity !== null && livenessOf(holder.identity) === "dead";
}

/** Nobody answers for a silent holder: it is on another machine, or a thread of ours that has ended, or left no name. */
function mayBeGone({ identity }: LockHolder): boolean {
  return identity === null || livenessOf(identity) !== "alive" || identity.pid === ownIdentity().pid;
}

function timeout(directory: string, holder: LockHolder, seconds: number): FileLockTimeoutError {
  return new FileLockTimeoutError(
    `Process ${holder.identity?.pid ?? "unknown"} holds the lock ${directory} and has shown no sign of life for ${seconds} seconds, ` +
      "yet it still runs. End or continue that process, or allow more time with fileLockTimeoutSeconds.",
    { path: directory, isRetryable: true },
  );
}

/** Waits with growing, jittered pauses, so that many waiting processes do not look at the same moment. */
async function acquire(directory: string, { timeoutSeconds, signal, onWait }: LockOptions): Promise<string> {
  const token = randomUUID();
  const patience = Math.max(timeoutSeconds, (4 * BEAT_MILLISECONDS) / 1000) * 1000;
  let pause = FIRST_WAIT_MILLISECONDS;
  let lastSign = { sign: "", at: performance.now() };
  let announced = false;
  for (;;) {
    signal?.throwIfAborted();
    const holder = await readHolder(directory);
    const silentFor = holder?.sign === lastSign.sign ? performance.now() - lastSign.at : 0;
    if (silentFor === 0) lastSign = { sign: holder?.sign ?? "", at: performance.now() };
    const isSilent = silentFor > patience;
    if (holder === null || isFree(holder) || (isSilent && mayBeGone(holder))) {
      const path = await claimNext(directory, holder?.generation ?? 0, token);
      if (path !== null) {
        hold(token, path);
        return token;
      }
    } else if (isSilent) {
      throw timeout(directory, holder, timeoutSeconds);
    } else if (!announced) {
      announced = true;
      onWait?.({ pid: holder.identity?.pid ?? null });
    }
    await pauseFor(pause * (0.5 + Math.random()), signal);
    pause = Math.min(pause * 1.5, LONGEST_WAIT_MILLISECONDS);
  }
}

async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // The caller's own reason, which the timer wraps.
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Runs `work` while no other process or caller does so under the same `directory`. Nothing depends on the lock for being right: files are
 * verified and renamed into place; the lock only keeps work from being done twice.
 * @throws FileLockTimeoutError when the holder runs but has shown no sign of life for too long, CacheStorageError
 */
export async function withFileLock<T>(directory: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  return holding(await guardStorage(directory, () => acquire(directory, options)), work);
}

/** As {@link withFileLock}, but does nothing and returns null when the lock is held. */
export async function withFileLockIfFree<T>(directory: string, work: () => Promise<T>): Promise<T | null> {
  const token = randomUUID();
  const claimed = await guardStorage(directory, async () => {
    const holder = await readHolder(directory);
    return holder === null || isFree(holder) ? claimNext(directory, holder?.generation ?? 0, token) : null;
  });
  if (claimed === null) return null;
  hold(token, claimed);
  return holding(token, work);
}

async function holding<T>(token: string, work: () => Promise<T>): Promise<T> {
  const heartbeat = setInterval(() => {
    const path = held.get(token);
    // A lost beat is made up for by the next one.
    if (path !== undefined) void beat(path).catch(() => undefined);
  }, BEAT_MILLISECONDS).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    release(token);
  }
}
