import { configuration } from "../../configuration.js";
import { ModelRetrievalError } from "../../errors.js";
import { logger } from "../../logger.js";

/**
 * `offline`: models come from the cache and the offline registry alone. `warm-up`: online, and successful loads are recorded for later
 * offline use.
 */
export type OfflineMode = "online" | "warm-up" | "offline";

let latched: boolean | null = null;
let warned = false;

/** Decided at the first question and kept: half of a process online and half of it offline would be neither. */
function isLatchedOffline(): boolean {
  const { enabled } = configuration().offline;
  latched ??= enabled;
  if (enabled !== latched && !warned) {
    warned = true;
    logger().warn(
      `OFFLINE_MODE changed after it was decided for this process, which stays ${latched ? "offline" : "online"}. Start a new process.`,
    );
  }
  return latched;
}

/**
 * The mode of this process.
 * @throws ModelRetrievalError when the settings ask for two modes at once; InvalidEnvVariable for a malformed setting
 */
export function offlineMode(): OfflineMode {
  const offline = isLatchedOffline();
  const { warmUp } = configuration().offline;
  if (offline && warmUp) {
    throw new ModelRetrievalError(
      "OFFLINE_MODE and OFFLINE_MODE_WARM_UP are both on. Warming up needs the network: unset OFFLINE_MODE for it, and OFFLINE_MODE_WARM_UP after it.",
    );
  }
  if (offline) return "offline";
  return warmUp ? "warm-up" : "online";
}

export function isOffline(): boolean {
  return offlineMode() === "offline";
}

/** For tests, which have one process for many modes. */
export function forgetOfflineMode(): void {
  latched = null;
  warned = false;
}
