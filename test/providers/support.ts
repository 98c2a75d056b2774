import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

import { configure } from "../../src/configuration.js";
import { closeConnections } from "../../src/http/index.js";
import { setLogger } from "../../src/logger.js";
import { forgetOfflineMode } from "../../src/providers/index.js";

type Settings = Parameters<typeof configure>[0];

/** Settings that nothing of this machine shows through. */
export function settings(
  more: { readonly api?: Settings["api"]; readonly offline?: Settings["offline"]; readonly home?: string } = {},
): void {
  configure({
    api: {
      key: "",
      host: "",
      region: "us",
      environment: "prod",
      secureGateway: "",
      licenseServer: "",
      callsTimeoutSeconds: 5,
      callsMaxTries: 3,
      ...more.api,
    },
    offline: { enabled: false, warmUp: false, ...more.offline },
    cache: { home: more.home ?? "/nowhere" },
  });
}

export interface Logged {
  readonly warnings: string[];
  readonly debug: string[];
}

/** What is logged during each test of a file. */
export function captureLog(): Logged {
  const logged: Logged = { warnings: [], debug: [] };
  const ignore = (): void => undefined;
  beforeEach(() => {
    logged.warnings.length = 0;
    logged.debug.length = 0;
    setLogger({ debug: (line) => logged.debug.push(line), info: ignore, warn: (line) => logged.warnings.push(line), error: ignore });
  });
  afterEach(() => setLogger(null));
  return logged;
}

/** Every test starts with the same settings and leaves nothing behind. */
export function isolate(): void {
  beforeEach(() => {
    forgetOfflineMode();
    settings();
  });
  afterEach(async () => {
    configure({});
    forgetOfflineMode();
    await closeConnections();
  });
}

/** A folder per test. */
export function temporaryFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "providers-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

/** What a promise is rejected with. */
export async function caught(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("It should have failed.");
}
