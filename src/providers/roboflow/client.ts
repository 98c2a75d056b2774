/** The exchange with the API: pages, key, limits of time, repeated attempts. */
import { configuration } from "../../configuration.js";
import {
  addQueryParameters,
  configuredGateway,
  parseRetryAfter,
  readBody,
  throughGateway,
  withRetries,
  type HttpExchange,
  type HttpResponse,
  type Sleep,
} from "../../http/index.js";
import type { ProviderRequest } from "../types.js";
import { parseAnswer, type Page } from "./answer.js";
import { apiHost } from "./hosts.js";
import { errorForStatus, type Refusal } from "./statuses.js";

/** Later pages are ignored: a server whose pages go in a circle must not hold anybody for ever. */
const MAXIMUM_PAGES = 10;
const MAXIMUM_BYTES = 16 * 1024 * 1024;
const MAXIMUM_EXCERPT_BYTES = 64 * 1024;
const MAXIMUM_EXCERPT = 300;
/** For one answer as a whole, in multiples of the limit between two pieces of it. */
const PATIENCE = 12;

export interface ApiServices {
  readonly exchange: HttpExchange;
  readonly sleep: Sleep;
}

/** Adds the caller's parameters under those of the library, which win. */
export function mergeQueryParameters(
  own: Readonly<Record<string, string>>,
  extra: readonly (readonly [string, string])[],
): Readonly<Record<string, string | readonly string[]>> {
  // Without a prototype: a parameter may be called "__proto__".
  const merged = Object.create(null) as Record<string, string | readonly string[]>;
  for (const [name, value] of extra) {
    const earlier = merged[name];
    merged[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return Object.assign(merged, own);
}

/** Adds the caller's headers under those of the library, which win whatever the case of their letters. */
export function mergeHeaders(
  own: Readonly<Record<string, string>>,
  extra: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const taken = Object.keys(own).map((name) => name.toLowerCase());
  return { ...Object.fromEntries(Object.entries(extra).filter(([name]) => !taken.includes(name.toLowerCase()))), ...own };
}

/** All pages about a model, in order. @throws as getModelFromProvider */
export async function fetchPages(modelId: string, given: ProviderRequest, services: ApiServices): Promise<readonly Page[]> {
  const pages: Page[] = [];
  let startAfter: string | null = null;
  do {
    const cursor: string | null = startAfter;
    const policy = { attempts: configuration().api.callsMaxTries, signal: given.signal, sleep: services.sleep };
    const page: Page = await withRetries(() => fetchPage(modelId, cursor, given, services.exchange), policy);
    pages.push(page);
    startAfter = page.nextPage;
  } while (startAfter !== null && startAfter !== "" && pages.length < MAXIMUM_PAGES);
  return pages;
}

async function fetchPage(modelId: string, startAfter: string | null, given: ProviderRequest, exchange: HttpExchange): Promise<Page> {
  const { api } = configuration();
  const host = apiHost();
  const gateway = configuredGateway();
  const query = mergeQueryParameters({ modelId, ...(startAfter === null ? {} : { startAfter }) }, given.extraQueryParams);
  const url = addQueryParameters(`${host}/models/v1/external/weights`, query);
  const key = given.apiKey === "" || given.apiKey === "local" ? null : given.apiKey;
  // 0 would mean "no limit" to the client underneath.
  const seconds = Math.max(1, api.callsTimeoutSeconds);
  const response = await exchange({
    url: throughGateway(url, gateway),
    headers: mergeHeaders(key === null ? {} : { Authorization: `Bearer ${key}` }, given.extraHeaders),
    timeouts: { connectSeconds: seconds, idleSeconds: seconds },
    // The key must not go elsewhere, and without it another server has nothing to tell.
    redirects: "same-origin",
    plainHttpTo: hostsOf(api.host, gateway?.address),
    signal: given.signal,
  });
  const refusal = { modelId, withKey: key !== null, retryStatuses: api.retryStatuses };
  await requireReadable(response, refusal, key, seconds);
  const body = await readBody(response, { maximumBytes: MAXIMUM_BYTES, withinSeconds: PATIENCE * seconds });
  return parseAnswer(body.toString("utf8"), modelId);
}

/** The hosts of addresses that the user set: he decides whether they are spoken to without TLS. */
function hostsOf(...addresses: readonly (string | undefined)[]): readonly string[] {
  return addresses.flatMap((address) => (address !== undefined && URL.canParse(address) ? [new URL(address).host] : []));
}

async function requireReadable(
  response: HttpResponse,
  refusal: Pick<Refusal, "modelId" | "withKey" | "retryStatuses">,
  key: string | null,
  seconds: number,
): Promise<void> {
  const retryAfterSeconds = parseRetryAfter(response.headers["retry-after"]);
  const error = errorForStatus(response.status, { ...refusal, excerpt: "", retryAfterSeconds });
  if (error === null) return;
  const said = await readExcerpt(response, seconds);
  // Some servers repeat what they were sent.
  const excerpt = key === null ? said : said.replaceAll(key, "***");
  throw errorForStatus(response.status, { ...refusal, excerpt: excerpt.slice(0, MAXIMUM_EXCERPT), retryAfterSeconds }) ?? error;
}

/** An error's body on one line. Nothing about it is certain, so nothing about it is an error. */
async function readExcerpt(response: HttpResponse, seconds: number): Promise<string> {
  try {
    const body = await readBody(response, { maximumBytes: MAXIMUM_EXCERPT_BYTES, withinSeconds: seconds });
    return body.toString("utf8").replace(/\s+/g, " ").trim();
  } catch {
    return "";
  }
}
