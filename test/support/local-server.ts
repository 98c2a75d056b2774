/** A real HTTP server on this machine's loopback, and the answers that go wrong on purpose. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
}

/** Writes an answer. What it leaves open stays open until the server is closed. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

export interface LocalServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** In order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** Open connections, now. */
  connections(): Promise<number>;
  /** Hosts that a client wants to be connected with, as with a proxy; they are refused. */
  onConnect(listener: (host: string) => void): void;
}

export async function startServer(answer: Answer): Promise<LocalServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((message: IncomingMessage, response) => {
    const request = {
      method: message.method ?? "",
      url: new URL(message.url ?? "", `http://${message.headers.host ?? "localhost"}`),
      headers: message.headers,
    };
    requests.push(request);
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
    onConnect: (listener) =>
      server.on("connect", (message, socket) => {
        listener(message.url ?? "");
        socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A complete answer. */
export const text =
  (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(body);

export const status = (code: number, headers: Readonly<Record<string, string>> = {}): Answer => text("", headers, code);

export const redirect = (location: string, code = 302): Answer => status(code, { location });

/** Header and some of the body, then the connection is cut. */
export const resetAfter =
  (body: string): Answer =>
  (response) => {
    response.writeHead(200, { "content-length": String(body.length + 1000) });
    response.write(body, () => response.socket?.resetAndDestroy());
  };

/** Nothing at all: the connection is cut at once. */
export const reset: Answer = (response) => void response.socket?.resetAndDestroy();

/** Header and some of the body, and then silence. */
export const stallAfter =
  (body: string): Answer =>
  (response) => {
    response.writeHead(200, { "content-length": String(body.length + 1000) });
    response.write(body);
  };

/** The connection stands, and no answer comes. */
export const silence: Answer = () => undefined;

/** A byte from time to time, for ever: never idle for long, never finished. */
export const drip =
  (everyMilliseconds: number): Answer =>
  (response) => {
    response.writeHead(200, {});
    const timer = setInterval(() => response.write("."), everyMilliseconds);
    response.once("close", () => clearInterval(timer));
  };

/** Bytes without end and without announcing how many. */
export const flood: Answer = (response) => {
  response.writeHead(200, {});
  const piece = Buffer.alloc(64 * 1024, "x");
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on("drain", more);
  more();
};

/** One answer after the other; the last one is repeated. */
export function inTurn(...answers: readonly [Answer, ...Answer[]]): Answer {
  let next = 0;
  return (response, received) => {
    const answer = answers[Math.min(next++, answers.length - 1)];
    answer?.(response, received);
  };
}
