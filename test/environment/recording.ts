import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { onTestFinished } from "vitest";

import { openMachine, type Machine } from "../../src/environment/machine.js";
import type { NvidiaProbe } from "../../src/native/index.js";

export type Recorded = string | { readonly linkTo: string } | { readonly program: string };

/** A machine of real files below a temporary folder, which goes with the test. */
export function recordedMachine(files: Readonly<Record<string, Recorded>>, architecture = "x64"): Machine {
  const root = mkdtempSync(join(tmpdir(), "inference-models-machine-"));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === "string") writeFileSync(target, content);
    else if ("linkTo" in content) symlinkSync(content.linkTo, target);
    else {
      writeFileSync(target, `#!/bin/sh\n${content.program}\n`);
      chmodSync(target, 0o755);
    }
  }
  return openMachine({ root, platform: "linux", architecture });
}

export const UBUNTU = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\n';

const library = (path: string, version: string | null): NvidiaProbe["driver"] => ({ path, version, reason: null });
export const missing = (reason: string): NvidiaProbe["driver"] => ({ path: null, version: null, reason });

/** What the addon finds on a server with an L4. */
export const L4_PROBE: NvidiaProbe = {
  driver: library("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "12.4"),
  nvml: library("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", "550.54.15"),
  cudaRuntime: library("/usr/local/cuda/lib64/libcudart.so.12", "12.6.0"),
  devices: [{ name: "NVIDIA L4", computeCapability: "8.9", memoryBytes: 24 * 2 ** 30, multiprocessors: 58, uuid: "GPU-1" }],
  tensorRt: [{ kind: "full", ...library("/usr/lib/x86_64-linux-gnu/libnvinfer.so.10", "10.8.0") }],
  onnxParser: library("/usr/lib/x86_64-linux-gnu/libnvonnxparser.so.10", null),
};
