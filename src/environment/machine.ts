/** The door to the machine: its files and commands. With a root folder it is a recording of another machine. */
import { execFile } from "node:child_process";
import { open, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

export interface Machine {
  /** As Node names them. */
  readonly platform: NodeJS.Platform;
  readonly architecture: string;
  /** The beginning of a file, at most this many bytes; null when it cannot be read. */
  readBytes(path: string, limit: number): Promise<Buffer | null>;
  /** The same as text; 64 KiB unless told. */
  readText(path: string, limit?: number): Promise<string | null>;
  /** Names in a folder, in any order; none when it cannot be read. */
  list(path: string): Promise<readonly string[]>;
  /** The path behind symbolic links; the path itself when that cannot be told. */
  resolve(path: string): Promise<string>;
  /** What a program printed; null when it is missing, fails, or takes longer than three seconds. */
  run(program: string, programArguments: readonly string[]): Promise<string | null>;
}

export interface MachineOptions {
  /** Folder that stands for `/`. Default: the machine itself. */
  readonly root?: string;
  readonly platform?: NodeJS.Platform;
  readonly architecture?: string;
}

const TEXT_BYTES = 64 * 1024;
const MAXIMUM_OUTPUT_BYTES = 4 * 1024 * 1024;
const TIME_LIMIT_MS = 3000;

export function openMachine({ root = "", platform = process.platform, architecture = process.arch }: MachineOptions = {}): Machine {
  const at = (path: string): string => (root === "" ? path : join(root, path));
  return {
    platform,
    architecture,
    readBytes: (path, limit) => readStart(at(path), limit),
    readText: async (path, limit = TEXT_BYTES) => (await readStart(at(path), limit))?.toString("utf8") ?? null,
    async list(path) {
      try {
        return await readdir(at(path));
      } catch {
        return [];
      }
    },
    async resolve(path) {
      try {
        const real = await realpath(at(path));
        return root === "" ? real : real.slice((await realpath(root)).length);
      } catch {
        return path;
      }
    },
    run: (program, programArguments) =>
      new Promise((resolve) => {
        const limits = { timeout: TIME_LIMIT_MS, killSignal: "SIGKILL", maxBuffer: MAXIMUM_OUTPUT_BYTES, encoding: "utf8" } as const;
        execFile(at(program), programArguments, limits, (error, stdout) => {
          resolve(error === null ? stdout : null);
        });
      }),
  };
}

async function readStart(path: string, limit: number): Promise<Buffer | null> {
  try {
    const file = await open(path, "r");
    try {
      // Files below /proc say that they are empty, and give what they hold in pieces.
      const { size } = await file.stat();
      const buffer = Buffer.alloc(size === 0 ? limit : Math.min(size, limit));
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
