import { configuration } from "../configuration.js";

export const ROBOFLOW = "roboflow";
export const ROBOFLOW_OFFLINE = "roboflow-offline-weights";

/** Names that custom providers cannot take, in any case. */
export const BUILT_IN_PROVIDERS: readonly string[] = [ROBOFLOW, ROBOFLOW_OFFLINE];

/** A way to say "no key" where a text has to be given. */
const NO_KEY = "local";

/**
 * The key to use with a provider: the caller's, else, for Roboflow's own providers only, that of ROBOFLOW_API_KEY. No other provider is
 * ever handed that one.
 */
export function effectiveApiKey(provider: string, given: string | null | undefined): string | null {
  if (!BUILT_IN_PROVIDERS.includes(provider)) return given ?? null;
  if (given !== null && given !== undefined && given !== NO_KEY) return given;
  const { key } = configuration().api;
  return key === "" || key === NO_KEY ? null : key;
}
