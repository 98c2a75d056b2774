/** Engines that were damaged on their way, which TensorRT may answer by ending the process: each is loaded in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { TensorRtEngine } from "../../src/engines/index.js";
import { InferenceModelsError } from "../../src/errors.js";
import type { Report } from "./report.js";

/** What `--load` says; the exit code is 0 whatever becomes of the engine. */
export async function tryToLoad(path: string, device: number): Promise<void> {
  const outcome = await TensorRtEngine.load(path, { device }).then(
    (engine) => engine.close().then(() => "it loads"),
    (error: unknown) => {
      if (!(error instanceof InferenceModelsError)) throw error;
      return `a typed error: ${error.name}: ${error.message.replaceAll(/\s+/g, " ").slice(0, 300)}`;
    },
  );
  process.stdout.write(`${outcome}\n`);
}

const DAMAGES: Readonly<Record<string, (engine: Buffer) => Buffer>> = {
  "cut to half its length": (engine) => engine.subarray(0, engine.length >> 1),
  "without its last byte": (engine) => engine.subarray(0, -1),
  "with a byte changed in the middle": (engine) => {
    const changed = Buffer.from(engine);
    changed.writeUInt8(changed.readUInt8(changed.length >> 1) ^ 0xff, changed.length >> 1);
    return changed;
  },
};

/** A note for each, not a check: what TensorRT does to a process is not in this package's hands. */
export function tryDamagedEngines(path: string, device: number, report: Report): void {
  const folder = mkdtempSync(join(tmpdir(), "inference-models-gpu-"));
  try {
    const engine = readFileSync(path);
    for (const [what, damage] of Object.entries(DAMAGES)) {
      const file = join(folder, "engine.plan");
      writeFileSync(file, damage(engine));
      const script = process.argv[1] ?? "";
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        [...process.execArgv, script, "--load", file, "--device", String(device)],
        { encoding: "utf8", timeout: 300_000 },
      );
      const died = `**the process died** (${signal ?? `exit code ${String(status)}`}): ${stderr.trim().split("\n").at(-1) ?? ""}`;
      report.note(`The engine ${what}: ${status === 0 ? stdout.trim() : died}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
