/** Whether this is a Jetson, and which: from settings, then files, and from a slow program only where the files leave it open. */
import { configuration, parseBoolean } from "../configuration.js";
import { InvalidEnvVariable } from "../errors.js";
import { normalizeVersion } from "../versions.js";
import type { Machine } from "./machine.js";
import { jetsonTypeFromDeviceTree, jetsonTypeFromHardwareListing, l4tVersionFromRelease, resolveJetsonType } from "./parsers/jetson.js";
import type { Finding, JetsonReport } from "./types.js";

const DEVICE_TREE = "/proc/device-tree/model";
const RELEASE_FILE = "/etc/nv_tegra_release";
const HARDWARE_LISTINGS = ["/usr/bin/lshw", "/usr/sbin/lshw"];

type JetsonType = Pick<JetsonReport, "type" | "typeSource">;

/** @throws JetsonTypeResolutionError, InvalidEnvVariable when a setting makes no sense */
export async function describeJetson(machine: Machine): Promise<JetsonReport> {
  const { runningOnJetson } = configuration().device;
  const declared = runningOnJetson === "" ? null : parseBoolean("RUNNING_ON_JETSON", runningOnJetson);
  const l4t = await findL4t(machine);
  if (declared === false) return { detected: false, type: null, typeSource: null, l4t };
  const found = await findType(machine, declared === true || l4t.found);
  return { detected: declared ?? found.type !== null, ...found, l4t };
}

async function findType(machine: Machine, suspected: boolean): Promise<JetsonType> {
  const declared = configuration().device.jetsonModule;
  if (declared !== "") return { type: resolveJetsonType(declared), typeSource: "JETSON_MODULE" };
  const model = await machine.readText(DEVICE_TREE);
  const type = model === null ? null : jetsonTypeFromDeviceTree(model);
  if (type !== null) return { type, typeSource: "device tree" };
  // In a container the device tree may be hidden. The program takes seconds, so it has to look like a Jetson already.
  const listed = suspected && machine.architecture === "arm64" ? await findListedType(machine) : null;
  return { type: listed, typeSource: listed === null ? null : "lshw" };
}

async function findListedType(machine: Machine): Promise<string | null> {
  for (const program of HARDWARE_LISTINGS) {
    const listing = await machine.run(program, ["-quiet"]);
    const products = (listing ?? "").split("\n").filter((line) => line.includes("product: NVIDIA Jetson"));
    if (listing !== null) return jetsonTypeFromHardwareListing(products.join("\n"));
  }
  return null;
}

async function findL4t(machine: Machine): Promise<Finding> {
  const declared = configuration().device.l4tVersion;
  if (declared !== "") {
    const version = normalizeVersion(declared);
    if (version !== null) return { found: true, path: null, version, problem: null };
    throw new InvalidEnvVariable(
      `The environment variable L4T_VERSION is "${declared}"; expected a version such as 36.4.3. Correct or unset it.`,
      { variable: "L4T_VERSION", value: declared },
    );
  }
  const text = await machine.readText(RELEASE_FILE);
  if (text === null) return { found: false, reason: `there is no ${RELEASE_FILE}` };
  const version = l4tVersionFromRelease(text);
  const problem = version === null ? "the file does not begin with a release and a revision" : null;
  return { found: true, path: RELEASE_FILE, version, problem };
}
