import { xRayRuntimeEnvironment, type RuntimeXRay } from "../environment/index.js";
import { UnauthorizedModelAccessError } from "../errors.js";
import type { ModelAccessManager } from "./access-manager.js";
import { resolveDevice } from "./device.js";
import type { AutoModelOptions } from "./options.js";
import { resolutionDigest } from "./remembered.js";
import { apiKeyOf } from "./resolution.js";

/** What stays the same during one load. */
export interface LoadContext {
  readonly id: string;
  readonly options: AutoModelOptions;
  readonly apiKey: string | null;
  readonly access: ModelAccessManager;
  readonly environment: RuntimeXRay;
  readonly device: string;
  /** Equal for equal requests on equal machines. */
  readonly digest: string;
}

/** @throws UnauthorizedModelAccessError when the access manager says so, InvalidParameterError for the device */
export async function createContext(id: string, options: AutoModelOptions): Promise<LoadContext> {
  const { modelAccessManager: access = {} } = options;
  const apiKey = apiKeyOf(options);
  if ((await access.isModelAccessForbidden?.(id, apiKey)) === true) throw accessForbidden(id);
  const environment = await xRayRuntimeEnvironment();
  const device = resolveDevice(options.device, environment);
  const digest = resolutionDigest({ id, options, apiKey, environment, device });
  return { id, options, apiKey, access, environment, device, digest };
}

export function accessForbidden(id: string): UnauthorizedModelAccessError {
  return new UnauthorizedModelAccessError(
    `The access manager forbids the model "${id}" for this caller. Ask whoever runs this service for access.`,
  );
}
