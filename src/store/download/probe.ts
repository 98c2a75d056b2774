/** What a server says about a file without sending it. */
import { configuration } from "../../configuration.js";
import { ModelRetrievalError, RetryError } from "../../errors.js";
import { configuredGateway, parseRetryAfter, printableUrl, request, throughGateway, withRetries } from "../../http/index.js";
import type { HttpExchange, RetryPolicy } from "../../http/index.js";
import { parseLength } from "./answers.js";

export interface FileProbe {
  /** Bytes; null when the server does not tell. */
  readonly length: number | null;
  /** Whether parts of the file can be asked for. */
  readonly acceptsRanges: boolean;
}

export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** For tests. */
  readonly exchange?: HttpExchange;
  readonly sleep?: RetryPolicy["sleep"];
}

/** @throws RetryError when the last attempt fails too, ModelRetrievalError for any other status than success, the signal's reason */
export async function probeFile(url: string, { signal, exchange = request, sleep }: ProbeOptions = {}): Promise<FileProbe> {
  const { callsTimeoutSeconds, callsMaxTries, retryStatuses } = configuration().api;
  const gateway = configuredGateway();
  return withRetries(
    async () => {
      const { status, headers, body } = await exchange({
        url: throughGateway(url, gateway),
        method: "HEAD",
        timeouts: { connectSeconds: callsTimeoutSeconds, idleSeconds: callsTimeoutSeconds },
        redirects: "any-https",
        ...(gateway === null ? {} : { plainHttpTo: [gateway.host] }),
        ...(signal === undefined ? {} : { signal }),
      });
      body.destroy();
      if (status >= 200 && status < 300) {
        return {
          length: parseLength(headers["content-length"]),
          acceptsRanges: /(?:^|,)\s*bytes\s*(?:,|$)/i.test(headers["accept-ranges"] ?? ""),
        };
      }
      const what = `${printableUrl(url)} was asked for its size and answered with status ${status}.`;
      if (!retryStatuses.includes(status)) throw new ModelRetrievalError(what, { status });
      const retryAfterSeconds = parseRetryAfter(headers["retry-after"]);
      throw new RetryError(what, { status, isRetryable: true, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) });
    },
    { attempts: Math.max(1, callsMaxTries), signal, ...(sleep === undefined ? {} : { sleep }) },
  );
}
