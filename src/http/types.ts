/** What the http room offers to providers (JSON answers) and to the store (long bodies). */
import type { Readable } from "node:stream";

export interface HttpTimeouts {
  /** Until the connection stands, with its TLS. */
  readonly connectSeconds: number;
  /** Until the answer's header, and between two pieces of its body. A reader that takes its time does not count. */
  readonly idleSeconds: number;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts: HttpTimeouts;
  readonly signal?: AbortSignal | undefined;
  /**
   * Where a redirection may lead: `refuse` = an answer of 3xx is an error; `same-origin` = only within scheme, host and port, headers kept;
   * `any-https` = anywhere over https (from plain http also to where plain http is allowed), and headers that could identify the caller
   * stay behind.
   */
  readonly redirects: "refuse" | "same-origin" | "any-https";
  /** Hosts (`name` or `name:port`) that the user configured himself and that may be spoken to without TLS. Loopback always may. */
  readonly plainHttpTo?: readonly string[];
}

export interface HttpResponse {
  /** Of the last answer: redirections have been followed. 4xx and 5xx are answers, not errors. */
  readonly status: number;
  /** Lower-case names; repeated ones joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** The body's bytes as they came: nothing is decompressed. Fails with RetryError. The caller must read it to its end or destroy it. */
  readonly body: Readable;
  /** Where the answer came from in the end. May carry signatures: not for messages. */
  readonly url: string;
}

/** One exchange; what rooms above take as a parameter where tests want to answer themselves. */
export type HttpExchange = (request: HttpRequest) => Promise<HttpResponse>;
