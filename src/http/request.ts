import { PassThrough, type Readable } from "node:stream";

import { raceAbort } from "../abort.js";
import { ModelRetrievalError } from "../errors.js";
import { packageVersion } from "../package-root.js";
import { checkUrl, printableUrl } from "./addresses.js";
import { connectionTo } from "./connections.js";
import { networkFailure } from "./failures.js";
import type { HttpRequest, HttpResponse } from "./types.js";

const MAXIMUM_REDIRECTIONS = 5;
const REDIRECTIONS = [301, 302, 303, 307, 308];

/** What may follow to another origin: headers about the content. Any other could identify the caller, whatever its name. */
const HARMLESS_HEADERS = ["accept", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/**
 * One exchange with a server; redirections are followed under the request's policy.
 * @throws RetryError (retryable) when the network fails: names, connections, TLS, limits of time; later the body may fail with it too.
 * @throws ModelRetrievalError for an address or a redirection that is not acceptable. The signal's reason when it fires.
 */
export async function request(given: HttpRequest): Promise<HttpResponse> {
  let url = checkUrl(given.url, { what: "the request", plainHttpTo: given.plainHttpTo });
  let headers = given.headers ?? {};
  for (let hops = 0; ; hops++) {
    const response = await exchange(url, headers, given);
    const { location } = response.headers;
    if (!REDIRECTIONS.includes(response.status) || location === undefined) return response;
    response.body.destroy();
    if (hops === MAXIMUM_REDIRECTIONS) throw refusal(url, `more than ${MAXIMUM_REDIRECTIONS} redirections in a row`);
    const target = redirectionTarget(url, location, given);
    if (target.origin !== url.origin) headers = withoutIdentity(headers);
    url = target;
  }
}

function refusal(from: URL, why: string): ModelRetrievalError {
  return new ModelRetrievalError(
    `${printableUrl(from)} redirects, and was not followed: ${why}. Check the address, or report it to the host.`,
  );
}

function redirectionTarget(from: URL, location: string, { redirects, plainHttpTo }: HttpRequest): URL {
  if (redirects === "refuse") throw refusal(from, "this request does not follow redirections");
  if (!URL.canParse(location, from.href)) throw refusal(from, "its target is not a URL");
  const target = checkUrl(new URL(location, from).href, { what: `what ${printableUrl(from)} redirects to`, plainHttpTo });
  if (redirects === "same-origin" && target.origin !== from.origin) throw refusal(from, `its target is another server, ${target.origin}`);
  // Also not to loopback: what came over TLS must not go on without it, and a server elsewhere has no business here.
  if (from.protocol === "https:" && target.protocol !== "https:") throw refusal(from, "its target is not https");
  return target;
}

function withoutIdentity(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS_HEADERS.includes(name.toLowerCase())));
}

async function exchange(url: URL, headers: Readonly<Record<string, string>>, given: HttpRequest): Promise<HttpResponse> {
  const { method = "GET", timeouts, signal } = given;
  signal?.throwIfAborted();
  const { request: send, dispatcher } = await connectionTo(url, timeouts.connectSeconds);
  const idle = Math.ceil(timeouts.idleSeconds * 1000);
  const sent = send(url, {
    dispatcher,
    method,
    // Files are compared with hashes of their bytes, so nobody may compress them on the way.
    headers: { "user-agent": `inference-models-node/${packageVersion}`, ...headers, "accept-encoding": "identity" },
    headersTimeout: idle,
    bodyTimeout: idle,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    // The client notices the signal only once the connection stands; the caller need not wait for that.
    const { statusCode, headers: answered, body } = await raceAbort(signal, sent);
    return { status: statusCode, headers: joined(answered), body: withOurErrors(body, url, signal), url: url.href };
  } catch (error) {
    signal?.throwIfAborted();
    throw networkFailure(error, url);
  }
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(", ")]])),
  );
}

/** The same bytes, failing with errors of this package. Back-pressure reaches the connection, and destroying it closes that. */
function withOurErrors(source: Readable, url: URL, signal: AbortSignal | undefined): Readable {
  const body = new PassThrough();
  source.once("error", (error) => body.destroy(signal?.aborted === true ? (signal.reason as Error) : networkFailure(error, url)));
  // Destroyed by its reader before anybody could listen: nobody is left to be told.
  body.once("error", () => undefined);
  body.once("close", () => source.destroy());
  return source.pipe(body);
}
