/** The HTTP client underneath, loaded when the first request is made: who loads models from folders never pays for it. */
import type * as Undici from "undici";

import { EnvironmentConfigurationError } from "../errors.js";
import { isLoopback } from "./addresses.js";

type Client = typeof Undici;

let client: Promise<Client> | null = null;

function loadClient(): Promise<Client> {
  client ??= import("undici");
  return client;
}

interface Dispatchers {
  /** Through the proxy that HTTPS_PROXY and its like name, unless NO_PROXY excepts the host. */
  readonly outside: Undici.Dispatcher;
  /** A proxy has another loopback than we. */
  readonly loopback: Undici.Dispatcher;
}

/** The time to connect belongs to a pool of connections and not to a request, so there is a pool for each value in use. */
const dispatchers = new Map<number, Dispatchers>();

function createDispatchers({ Agent, EnvHttpProxyAgent }: Client, connectSeconds: number): Dispatchers {
  const timeout = Math.ceil(connectSeconds * 1000);
  try {
    return {
      outside: new EnvHttpProxyAgent({ connect: { timeout }, proxyTls: { timeout }, requestTls: { timeout } }),
      loopback: new Agent({ connect: { timeout } }),
    };
  } catch {
    // Without its cause: that holds the proxy's address, and with it the password.
    throw new EnvironmentConfigurationError(
      "The proxy that HTTPS_PROXY or HTTP_PROXY names is not a usable address. Write it like http://proxy.example:3128, or unset the variable.",
    );
  }
}

export interface Connection {
  readonly request: Client["request"];
  readonly dispatcher: Undici.Dispatcher;
}

/**
 * Connections are kept open for the next request, but never keep the process alive: idle ones are unreferenced by the client.
 * @throws EnvironmentConfigurationError
 */
export async function connectionTo(url: URL, connectSeconds: number): Promise<Connection> {
  const loaded = await loadClient();
  let pair = dispatchers.get(connectSeconds);
  if (pair === undefined) {
    pair = createDispatchers(loaded, connectSeconds);
    dispatchers.set(connectSeconds, pair);
  }
  return { request: loaded.request, dispatcher: isLoopback(url) ? pair.loopback : pair.outside };
}

/** Ends all connections at once, also those in use. Only for programs that change their proxy, and for tests. */
export async function closeConnections(): Promise<void> {
  const all = [...dispatchers.values()].flatMap(({ outside, loopback }) => [outside, loopback]);
  dispatchers.clear();
  await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
}
