/** What the http room offers to providers (JSON answers) and to the store (long bodies). */
import type { Readable } from "node:stream";

export interface HttpTimeouts {
  /** Until the connection stands, with its TLS. */
  readonly connectSeconds: number;
  /** Until the answer's header, and between two pieces of its body. */
  readonly idleSeconds: number;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts: HttpTimeouts;
  readonly signal?: AbortSignal;
  /**
   * Where a redirection may lead: `refuse` = an answer of 3xx is an error; `same-origin` = only within scheme, host and port, headers kept;
   * `any-https` = anywhere over https (loopback also over http), and headers that identify the caller stay behind.
   */
  readonly redirects: "refuse" | "same-origin" | "any-https";
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller must read it to its end or destroy it. */
  readonly body: Readable;
}
