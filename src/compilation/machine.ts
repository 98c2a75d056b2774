/** This machine, as a package says where its engine was built. */
import { xRayRuntimeEnvironment } from "../environment/index.js";
import type { RuntimeXRay } from "../environment/types.js";
import { EnvironmentConfigurationError } from "../errors.js";
import type { EngineMachine } from "../providers/index.js";

function unknown(what: string): EnvironmentConfigurationError {
  return new EnvironmentConfigurationError(
    `An engine for this machine cannot be stored, because ${what} is not known. "npx inference-models environment" shows what was found, and why not more.`,
  );
}

function platformOf({ jetsonType, l4tVersion, osVersion }: RuntimeXRay): EngineMachine["platform"] {
  if (jetsonType !== null && l4tVersion !== null) return { kind: "jetson", l4tVersion, product: jetsonType };
  if (osVersion === null) throw unknown("its operating system");
  return { kind: "gpu-server", osVersion };
}

/** Asked before an engine is built, which takes long. @throws EnvironmentConfigurationError */
export async function engineMachine(ordinal: number): Promise<EngineMachine> {
  const environment = await xRayRuntimeEnvironment();
  const { gpuDevices, gpuDevicesCc, cudaVersion, driverVersion } = environment;
  const [gpu, computeCapability] = [gpuDevices[ordinal], gpuDevicesCc[ordinal]];
  if (gpu === undefined || computeCapability === undefined) throw unknown(`GPU ${ordinal}`);
  if (cudaVersion === null) throw unknown("the version of CUDA");
  if (driverVersion === null) throw unknown("the version of the GPU's driver");
  return { gpu, computeCapability, cudaVersion, driverVersion, platform: platformOf(environment) };
}
