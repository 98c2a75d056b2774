/** Which addresses may be asked at all, and how they appear in messages. */
import { ModelRetrievalError } from "../errors.js";

export interface AddressRules {
  /** What is fetched, for the message: "weights.onnx of package a1". */
  readonly what: string;
  /** See HttpRequest.plainHttpTo. */
  readonly plainHttpTo?: readonly string[] | undefined;
}

/** This machine itself. Names are not resolved: only those that mean loopback everywhere. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function mayBePlain(url: URL, hosts: readonly string[]): boolean {
  return isLoopback(url) || hosts.includes(url.host) || hosts.includes(url.hostname);
}

/**
 * https, or http to loopback and to hosts that the user configured himself; no user name or password inside.
 * @throws ModelRetrievalError, whose text does not repeat what may be secret in the address.
 */
export function checkUrl(text: string, { what, plainHttpTo = [] }: AddressRules): URL {
  // The parser's own error holds the text, which may hold a key.
  if (!URL.canParse(text)) throw refused(what, "it is not an absolute URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") throw refused(what, "it holds a user name or password, which end up in logs");
  if (url.protocol === "https:") return url;
  if (url.protocol !== "http:") throw refused(what, `${url.protocol}// is not https`);
  if (!mayBePlain(url, plainHttpTo)) {
    throw refused(what, `plain http to ${url.host} could be read and changed on the way; only https is accepted from elsewhere`);
  }
  return url;
}

function refused(what: string, why: string): ModelRetrievalError {
  return new ModelRetrievalError(`The address of ${what} is refused: ${why}. Whoever gave the address has to correct it.`);
}

const MAXIMUM_PATH = 120;

/** An address without its query and fragment, which may carry signatures and keys. */
export function printableUrl(url: string | URL): string {
  const text = String(url);
  if (!URL.canParse(text)) return "[not a URL]";
  const { origin, pathname } = new URL(text);
  return origin + (pathname.length > MAXIMUM_PATH ? `${pathname.slice(0, MAXIMUM_PATH)}...` : pathname);
}
