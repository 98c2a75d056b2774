import { JetsonTypeResolutionError } from "../../errors.js";
import { normalizeVersion } from "../../versions.js";

// The first that a name begins with is taken, so a name comes before those that it begins with.
const MODULES = [
  "NVIDIA Jetson Orin Nano",
  "NVIDIA Jetson Orin NX",
  "NVIDIA Jetson AGX Orin",
  "NVIDIA Jetson IGX Orin",
  "NVIDIA Jetson Xavier NX",
  "NVIDIA Jetson AGX Xavier Industrial",
  "NVIDIA Jetson AGX Xavier",
  "NVIDIA Jetson Nano",
  "NVIDIA Jetson TX2",
];

/** Looking for two marks in a line costs its length squared. */
const MAXIMUM_HEADLINE = 1024;

function findType(name: string): string | null {
  return (
    MODULES.find((module) => name.startsWith(module))
      ?.replaceAll(" ", "-")
      .toLowerCase() ?? null
  );
}

/**
 * The type that a declared module name stands for: `NVIDIA Jetson Orin NX Developer Kit` is `nvidia-jetson-orin-nx`.
 * @throws JetsonTypeResolutionError for another beginning than that of a known module; the case of letters counts
 */
export function resolveJetsonType(name: string): string {
  const type = findType(name);
  if (type !== null) return type;
  throw new JetsonTypeResolutionError(
    `JETSON_MODULE is "${name.slice(0, 100)}", which begins like no known module. Known modules: ${MODULES.join(", ")}. Correct the variable, or unset it to have the module found.`,
  );
}

/** Out of the device tree's `model` file; null when this is no known Jetson. */
export function jetsonTypeFromDeviceTree(text: string): string | null {
  return findType(text.trimStart().split("\n", 1)[0] ?? "");
}

/**
 * Out of the lines of lshw that name products: the sound device of a Jetson is called after the board, `NVIDIA Jetson Orin NX HDA`.
 * The first such line decides; null when it names no known Jetson, or there is none.
 */
export function jetsonTypeFromHardwareListing(text: string): string | null {
  for (const line of text.split("\n")) {
    const [start, end] = [line.indexOf("NVIDIA"), line.indexOf("HDA")];
    if (start >= 0 && end >= 0) return findType(line.slice(start, end).trim());
  }
  return null;
}

/** `36.4.0` out of `# R36 (release), REVISION: 4.0, ...`, the first line of `/etc/nv_tegra_release`; null without it. */
export function l4tVersionFromRelease(text: string): string | null {
  const headline = (text.split("\n", 1)[0] ?? "").slice(0, MAXIMUM_HEADLINE);
  const [, major, minor] = /R(\d+).*REVISION:\s*([\d.]+)/.exec(headline) ?? [];
  return major === undefined || minor === undefined ? null : normalizeVersion(`${major}.${minor}`);
}
