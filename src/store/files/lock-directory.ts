/**
 * The lock on disk: a folder with a file per holder, numbered upwards. Who wants the lock creates the next number, which only one can do,
 * once the highest one is released or its holder is dead. The highest file is never removed, so a number is never used twice, and whoever
 * created one by an outdated listing finds a higher one and withdraws.
 *
 * A holder's file says who it is, grows while the holder lives, and ends with a mark when it has let go. Growth is judged by the waiting
 * process's own monotonic clock, so no clock that jumps can make a living holder look dead.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { link, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatIdentity, livenessOf, ownIdentity, parseIdentity, type ProcessIdentity } from "../process-identity.js";
import { errorCode } from "./storage-errors.js";

const RELEASED = "released";
const BEAT = "\n";
/** Appending without creating: a holder that was taken over must not come back as a file. */
const APPEND = constants.O_WRONLY | constants.O_APPEND;

export interface LockHolder {
  readonly generation: number;
  /** null when the file is unreadable: half-written by a system without atomic links, or foreign. */
  readonly identity: ProcessIdentity | null;
  readonly token: string;
  readonly released: boolean;
  /** Differs from an earlier one when the holder has given a sign of life since. */
  readonly sign: string;
}

/** The newest holder; null when there has never been one. */
export async function readHolder(directory: string): Promise<LockHolder | null> {
  const generation = Math.max(0, ...(await listGenerations(directory)));
  if (generation === 0) return null;
  const content = await readFile(join(directory, String(generation)), "latin1").catch((error: unknown) => {
    // Removed since the listing by the next holder, who is seen in the next look.
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  });
  const name = content.split("\n", 1)[0] ?? "";
  return {
    generation,
    identity: parseIdentity(name),
    token: name.slice(name.indexOf(".") + 1),
    // A beat that was under way may follow the mark.
    released: content.includes(`\n${RELEASED}`),
    sign: `${generation}:${content.length}`,
  };
}

async function listGenerations(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => /^\d{1,15}$/.test(name)).map(Number);
}

/** Tries to become the holder after `generation`; the path of the own file, or null when another was quicker. */
export async function claimNext(directory: string, generation: number, token: string): Promise<string | null> {
  const path = join(directory, String(generation + 1));
  await mkdir(directory, { recursive: true });
  if (!(await createExclusively(directory, path, token))) return null;
  const generations = await listGenerations(directory);
  if (generations.some((other) => other > generation + 1)) {
    await rm(path, { force: true });
    return null;
  }
  await removeRemains(directory, generation);
  return path;
}

/** The file appears with its content, so that no waiting process ever sees it without an owner. */
async function createExclusively(directory: string, path: string, token: string): Promise<boolean> {
  const content = `${formatIdentity(ownIdentity())}.${token}\n`;
  const draft = join(directory, `${formatIdentity(ownIdentity())}.${token}.draft`);
  try {
    await writeFile(draft, content, { flag: "wx" });
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    // File systems without hard links. A holder that dies between creating and writing is then only noticed by its silence.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(errorCode(error) ?? "")) throw error;
    return await createDirectly(path, content);
  } finally {
    await rm(draft, { force: true });
  }
}

async function createDirectly(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(content).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** What earlier holders, and processes that died while trying, have left. */
async function removeRemains(directory: string, upTo: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const identity = name.endsWith(".draft") ? parseIdentity(name) : null;
    const isRemains = identity === null ? /^\d{1,15}$/.test(name) && Number(name) <= upTo : livenessOf(identity) === "dead";
    if (isRemains) await rm(join(directory, name), { force: true }).catch(() => undefined);
  }
}

export async function beat(path: string): Promise<void> {
  const file = await open(path, APPEND);
  await file.write(BEAT).finally(() => file.close());
}

/** Synchronous, since a process that ends may call nothing else. */
export function markReleased(path: string): void {
  const file = openSync(path, APPEND);
  try {
    writeSync(file, `\n${RELEASED}`);
  } finally {
    closeSync(file);
  }
}
