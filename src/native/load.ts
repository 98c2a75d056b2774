import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { configuration } from "../configuration.js";
import { packageRoot, packageVersion } from "../package-root.js";
import { ADDON_INTERFACE_VERSION, type NativeAddon } from "./addon.js";

/** One binary that was considered. */
export interface AddonAttempt {
  readonly path: string;
  /** Why it was not used. */
  readonly reason: string;
}

export interface AddonReport {
  /** The binary in use; null when none could be loaded. */
  readonly path: string | null;
  readonly attempts: readonly AddonAttempt[];
}

interface Loaded extends AddonReport {
  readonly addon: NativeAddon | null;
}

// Literal file names, so that bundlers and packers can see what belongs to the package.
const BUILD_OUTPUTS = ["build/Release/inference-models.node", "build/Debug/inference-models.node"];

function candidates(override: string | null): readonly string[] {
  if (override !== null) return [override];
  const prebuilds = join(packageRoot, "prebuilds", `${process.platform}-${process.arch}`);
  const shipped = existsSync(prebuilds)
    ? readdirSync(prebuilds)
        .filter((file) => file.endsWith(".node"))
        .sort()
        .map((file) => join(prebuilds, file))
    : [];
  return [...BUILD_OUTPUTS.map((file) => join(packageRoot, file)).filter((path) => existsSync(path)), ...shipped];
}

function tryLoad(path: string): NativeAddon | string {
  try {
    const addon = createRequire(import.meta.url)(path) as Partial<NativeAddon>;
    if (addon.interfaceVersion !== ADDON_INTERFACE_VERSION) {
      return `it was built for interface ${String(addon.interfaceVersion)}, this package needs ${ADDON_INTERFACE_VERSION}; rebuild it`;
    }
    return addon as NativeAddon;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function load(): Loaded {
  const { addon: setting } = configuration().native;
  if (setting === "off")
    return { addon: null, path: null, attempts: [{ path: "-", reason: "switched off by INFERENCE_MODELS_NATIVE=off" }] };
  const attempts: AddonAttempt[] = [];
  for (const path of candidates(setting === "" ? null : setting)) {
    const outcome = tryLoad(path);
    if (typeof outcome !== "string") return { addon: outcome, path, attempts };
    attempts.push({ path, reason: outcome });
  }
  return { addon: null, path: null, attempts };
}

let loaded: Loaded | null = null;

/** The addon, or null when this machine has none that works; then one warning says what that costs. */
export function loadAddon(): NativeAddon | null {
  if (loaded === null) {
    loaded = load();
    if (loaded.addon === null) warn(loaded.attempts);
  }
  return loaded.addon;
}

/** Where the addon comes from, and why other binaries were passed over. Loads it on first use. */
export function addonReport(): AddonReport {
  loadAddon();
  return { path: loaded?.path ?? null, attempts: loaded?.attempts ?? [] };
}

function summary(attempts: readonly AddonAttempt[]): string {
  if (attempts.length === 0) return `no binary for ${process.platform}-${process.arch} in version ${packageVersion}`;
  return attempts.map(({ path, reason }) => `${path}: ${reason}`).join("; ");
}

function warn(attempts: readonly AddonAttempt[]): void {
  process.emitWarning(
    `The native addon is not available (${summary(attempts)}). Everything works without it, but pictures are prepared in ` +
      "JavaScript (10 to 50 times slower) and networks run on the main thread, which blocks the event loop. " +
      'With a C++ compiler and CMake installed, "npm run build:native" in the package directory builds it.',
    { type: "InferenceModelsWarning", code: "INFERENCE_MODELS_NO_ADDON" },
  );
}
