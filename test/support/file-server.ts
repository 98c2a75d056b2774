/** A file server on 127.0.0.1 that misbehaves on demand. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What happens to one request instead of a plain answer. */
export type Fault =
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  /** Another content of the same address. */
  | { readonly kind: "content"; readonly body: Buffer }
  /** As if that were all: no length is announced. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  | { readonly kind: "drip"; readonly pieceBytes: number; readonly pauseMilliseconds: number }
  | { readonly kind: "redirect"; readonly location: string }
  /** Answers a request for a part with the whole. */
  | { readonly kind: "range-ignored" }
  /** Answers a request for a part with another part. */
  | { readonly kind: "wrong-range" }
  | { readonly kind: "compressed" };

export interface ServedFile {
  readonly body: Buffer;
  /** null = none. */
  readonly etag?: string | null;
  readonly acceptRanges?: boolean;
  /** Of every answer, to make downloads last. */
  readonly bytesPerSecond?: number;
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

const PIECE_BYTES = 64 * 1024;

export class FileServer {
  readonly requests: LoggedRequest[] = [];
  private readonly files = new Map<string, ServedFile>();
  private readonly faults = new Map<string, Fault[]>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FileServer> {
    const server = createServer((request, response) => {
      void instance.answer(request, response).catch(() => response.destroy());
    });
    const instance = new FileServer(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return instance;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Address of the file. */
  serve(path: string, file: ServedFile): string {
    this.files.set(path, file);
    return `${this.origin}${path}`;
  }

  /** What happens to the next requests for the path, one each; then it is served as it should be. */
  fail(path: string, ...faults: readonly Fault[]): void {
    this.faults.set(path, [...(this.faults.get(path) ?? []), ...faults]);
  }

  count(path: string, method = "GET"): number {
    return this.requests.filter((request) => request.path === path && request.method === method).length;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", this.origin).pathname;
    const { range } = request.headers;
    this.requests.push({ method: request.method ?? "", path, range, headers: request.headers });
    const fault = this.faults.get(path)?.shift();
    const file = this.files.get(path);
    if (fault?.kind === "status") {
      response.writeHead(fault.status, fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter });
      response.end("refused");
      return;
    }
    if (fault?.kind === "redirect") {
      response.writeHead(302, { location: fault.location }).end();
      return;
    }
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    await this.send(request, response, file, fault);
  }

  private async send(request: IncomingMessage, response: ServerResponse, file: ServedFile, fault: Fault | undefined): Promise<void> {
    const body = fault?.kind === "content" ? fault.body : file.body;
    const etag = file.etag === undefined ? `"${createHash("md5").update(body).digest("hex")}"` : file.etag;
    const headers: Record<string, string> = {};
    if (etag !== null) headers["etag"] = etag;
    if (file.acceptRanges !== false) headers["accept-ranges"] = "bytes";
    if (fault?.kind === "compressed") headers["content-encoding"] = "gzip";
    const condition = request.headers["if-range"];
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const isPart =
      start !== undefined &&
      file.acceptRanges !== false &&
      fault?.kind !== "range-ignored" &&
      (condition === undefined || condition === etag);
    let first = isPart ? Number(start) : 0;
    if (isPart && first >= body.length) {
      response.writeHead(416, { ...headers, "content-range": `bytes */${body.length}` }).end();
      return;
    }
    if (fault?.kind === "wrong-range" && isPart) first = Math.max(0, first - 1);
    const part = body.subarray(first);
    if (isPart) headers["content-range"] = `bytes ${first}-${body.length - 1}/${body.length}`;
    if (fault?.kind !== "cut") headers["content-length"] = String(part.length);
    response.writeHead(isPart ? 206 : 200, headers);
    if (request.method === "HEAD") response.end();
    else await write(response, part, file.bytesPerSecond, fault);
  }
}

async function write(response: ServerResponse, part: Buffer, bytesPerSecond: number | undefined, fault: Fault | undefined): Promise<void> {
  const limit = fault?.kind === "reset" || fault?.kind === "cut" ? Math.min(fault.afterBytes, part.length) : part.length;
  const pieceBytes = fault?.kind === "drip" ? fault.pieceBytes : PIECE_BYTES;
  const pause = fault?.kind === "drip" ? fault.pauseMilliseconds : bytesPerSecond === undefined ? 0 : (1000 * pieceBytes) / bytesPerSecond;
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  for (let sent = 0; sent < limit && !response.destroyed; sent += pieceBytes) {
    const more = response.write(part.subarray(sent, Math.min(sent + pieceBytes, limit)));
    if (!more) await once(response, "drain", { signal: closed.signal });
    if (pause > 0) await sleep(pause);
  }
  if (fault?.kind === "reset") {
    // What was written should arrive before the connection breaks.
    await sleep(20);
    response.destroy();
  } else response.end();
}

export function md5Of(body: Buffer): string {
  return createHash("md5").update(body).digest("hex");
}

/** Bytes that compress badly and differ by seed. */
export function bytesOf(length: number, seed = 1): Buffer {
  const body = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    body[index] = state >>> 24;
  }
  return body;
}
