import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";

import { ModelRetrievalError, RetryError, InvalidParameterError } from "../../src/errors.js";
import { closeConnections, readBody, request, type HttpRequest } from "../../src/http/index.js";
import { runChild } from "../support/child.js";
import {
  drip,
  flood,
  inTurn,
  redirect,
  reset,
  resetAfter,
  silence,
  stallAfter,
  startServer,
  status,
  text,
  type Answer,
} from "../support/local-server.js";

const TIMEOUTS = { connectSeconds: 5, idleSeconds: 5 };
const LIMITS = { maximumBytes: 1024 * 1024 };
const SECRET = "abcdef0123456789";

const get = (url: string, more: Partial<HttpRequest> = {}) => request({ url, timeouts: TIMEOUTS, redirects: "any-https", ...more });

async function caught(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as Error,
  );
}

afterEach(closeConnections);

describe("an exchange", () => {
  it("gives status, headers and the very bytes", async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    await using server = await startServer(text(bytes, { "x-two": "a", "content-type": "application/octet-stream" }, 206));
    const response = await get(`${server.origin}/file?signature=${SECRET}`, { headers: { range: "bytes=0-" } });
    expect(response.status).toBe(206);
    expect(response.headers["x-two"]).toBe("a");
    const received = await readBody(response, LIMITS);
    expect(createHash("md5").update(received).digest("hex")).toBe(createHash("md5").update(bytes).digest("hex"));
    expect(server.requests[0]?.headers).toMatchObject({ "accept-encoding": "identity", range: "bytes=0-" });
  });

  it("does not let the caller ask for compression", async () => {
    await using server = await startServer(text("x"));
    await readBody(await get(server.origin, { headers: { "accept-encoding": "gzip" } }), LIMITS);
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });

  it("gives answers of 4xx and 5xx, and HEAD without a body", async () => {
    await using server = await startServer(text("gone", { "content-length": "4" }, 410));
    expect((await get(server.origin)).status).toBe(410);
    const head = await get(server.origin, { method: "HEAD" });
    expect(head.headers["content-length"]).toBe("4");
    expect(await readBody(head, LIMITS)).toHaveLength(0);
  });
});

describe("failures of the network", () => {
  it.each<[string, Answer]>([
    ["a connection cut at once", reset],
    ["a server that says nothing", silence],
  ])("%s is a RetryError without the query", async (_name, answer) => {
    await using server = await startServer(answer);
    const error = await caught(get(`${server.origin}/file?sig=${SECRET}`, { timeouts: { connectSeconds: 1, idleSeconds: 0.1 } }));
    expect(error).toBeInstanceOf(RetryError);
    expect(error).toMatchObject({ isRetryable: true, cause: expect.any(Error) });
    expect(JSON.stringify(error)).not.toContain(SECRET);
  });

  it.each<[string, Answer]>([
    ["cut in the middle", resetAfter("some")],
    ["stalled in the middle", stallAfter("some")],
  ])("a body %s is a RetryError", async (_name, answer) => {
    await using server = await startServer(answer);
    const response = await get(server.origin, { timeouts: { connectSeconds: 1, idleSeconds: 0.1 } });
    expect(await caught(readBody(response, LIMITS))).toBeInstanceOf(RetryError);
  });

  it("a port where nothing listens and a name that nobody has are RetryErrors", async () => {
    await using server = await startServer(text(""));
    const { origin } = server;
    await server[Symbol.asyncDispose]();
    expect(await caught(get(origin))).toMatchObject({ name: "RetryError", message: expect.stringContaining("nothing listens") });
    expect(await caught(get("https://no-such-host.invalid/"))).toBeInstanceOf(RetryError);
  });

  it("a header that cannot be sent is the caller's fault and not tried again", async () => {
    await using server = await startServer(text(""));
    const error = await caught(get(server.origin, { headers: { authorization: `Bearer ${SECRET}\nx: y` } }));
    expect(error).toBeInstanceOf(InvalidParameterError);
    expect(JSON.stringify(error)).not.toContain(SECRET);
  });

  it("a reader that takes its time is not a stalled server", async () => {
    await using server = await startServer(text(Buffer.alloc(4 * 1024 * 1024)));
    const { body } = await get(server.origin, { timeouts: { connectSeconds: 1, idleSeconds: 0.05 } });
    let length = 0;
    for await (const piece of body as AsyncIterable<Buffer>) {
      if (length === 0) await new Promise((resolve) => setTimeout(resolve, 150));
      length += piece.length;
    }
    expect(length).toBe(4 * 1024 * 1024);
  });
});

describe("stopping", () => {
  const reason = new Error("enough");

  it("rejects with the signal's reason before, while waiting, and in the middle of the body", async () => {
    await using server = await startServer(inTurn(silence, stallAfter("some")));
    expect(await caught(get(server.origin, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.requests).toHaveLength(0);

    const waiting = new AbortController();
    const pending = caught(get(server.origin, { signal: waiting.signal }));
    setTimeout(() => waiting.abort(reason), 20);
    expect(await pending).toBe(reason);

    const reading = new AbortController();
    const response = await get(server.origin, { signal: reading.signal });
    const body = caught(readBody(response, LIMITS));
    setTimeout(() => reading.abort(reason), 20);
    expect(await body).toBe(reason);
  });

  it("does not wait for a connection that never stands", async () => {
    // Listens without accepting: TLS never answers.
    const mute: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const controller = new AbortController();
    const pending = caught(get(`https://127.0.0.1:${(mute.address() as AddressInfo).port}/`, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    expect(await pending).toBe(reason);
    mute.close();
  });

  it("closes the connection of a body that is destroyed", async () => {
    await using server = await startServer(flood);
    const { body } = await get(server.origin);
    body.destroy();
    await expect.poll(() => server.connections()).toBe(0);
  });
});

describe("bodies", () => {
  it.each<[string, Answer]>([
    ["announced too large", text("x".repeat(2000))],
    ["growing too large", flood],
    ["compressed unasked", text(gzipSync("x"), { "content-encoding": "gzip" })],
  ])("%s are refused and their connection is closed", async (_name, answer) => {
    await using server = await startServer(answer);
    const response = await get(server.origin);
    expect(await caught(readBody(response, { maximumBytes: 1000 }))).toBeInstanceOf(ModelRetrievalError);
    expect(response.body.destroyed).toBe(true);
  });

  it("are given up when they drip", async () => {
    await using server = await startServer(drip(10));
    const error = await caught(readBody(await get(server.origin), { ...LIMITS, withinSeconds: 0.1 }));
    expect(error).toMatchObject({ name: "RetryError", isRetryable: true, message: expect.stringContaining("within 0.1 seconds") });
  });
});

describe("redirections", () => {
  const identity = {
    authorization: `Bearer ${SECRET}`,
    cookie: "a=b",
    "X-Api-Key": SECRET,
    "X-Own": "1",
    range: "bytes=0-3",
    accept: "*/*",
  };

  it("lead to another origin without what identifies the caller", async () => {
    await using target = await startServer(text("here"));
    await using server = await startServer(redirect(`${target.origin}/file`));
    const response = await get(server.origin, { headers: identity });
    expect(String(await readBody(response, LIMITS))).toBe("here");
    expect(response.url).toBe(`${target.origin}/file`);
    expect(Object.keys(target.requests[0]?.headers ?? {}).sort()).toEqual(
      ["accept", "accept-encoding", "connection", "host", "range", "user-agent"].sort(),
    );
  });

  it("within an origin keep the headers, and what left once does not come back", async () => {
    await using server = await startServer((response, { url }) => {
      const target = { "/a": "/b", "/b": `${other.origin}/c` }[url.pathname];
      if (target === undefined) response.end("back");
      else redirect(target, 307)(response, { url, method: "GET", headers: {} });
    });
    await using other = await startServer(redirect(`${server.origin}/home`, 308));
    await readBody(await get(`${server.origin}/a`, { headers: identity }), LIMITS);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      identity.authorization,
      identity.authorization,
      undefined,
    ]);
  });

  it.each<[string, Partial<HttpRequest>, string, string]>([
    ["where none are wanted", { redirects: "refuse" }, "/b", "does not follow"],
    ["to another server under same-origin", { redirects: "same-origin" }, "http://127.0.0.1:1/", "another server"],
    ["to plain http elsewhere", {}, "http://files.example/", "plain http"],
    ["to a file", {}, "file:///etc/passwd", "not https"],
    ["to an address with a password", {}, `https://u:${SECRET}@files.example/`, "password"],
    ["to nonsense", {}, "http://[", "not a URL"],
    ["in a circle", {}, "/circle", "in a row"],
  ])("%s are refused", async (_name, more, location, problem) => {
    await using server = await startServer(redirect(location));
    const error = await caught(get(server.origin, more));
    expect(error).toMatchObject({ name: "ModelRetrievalError", message: expect.stringContaining(problem) });
    expect(error.message).not.toContain(SECRET);
    expect(server.requests.length).toBeLessThanOrEqual(6);
  });

  it("without a target are answers", async () => {
    await using server = await startServer(status(304));
    expect((await get(server.origin)).status).toBe(304);
  });
});

describe("the process", () => {
  it("ends although a connection is kept open, and loads the client only for a request", async () => {
    await using server = await startServer(text("done"));
    const child = await runChild(new URL("children/one-request.ts", import.meta.url), [server.origin]);
    expect(child).toMatchObject({ code: 0, stdout: "before: not loaded\nafter: loaded, done\n" });
  });

  it("goes through the proxy of the environment, but not to loopback and what NO_PROXY names", async () => {
    await using target = await startServer(text("direct"));
    await using proxy = await startServer(text("a proxy"));
    const asked: string[] = [];
    proxy.onConnect((host) => asked.push(host));
    const environment = {
      HTTPS_PROXY: proxy.origin,
      https_proxy: proxy.origin,
      NO_PROXY: "no-such-host.invalid",
      no_proxy: "no-such-host.invalid",
    };
    const child = await runChild(new URL("children/through-proxy.ts", import.meta.url), [target.origin], [], environment);
    expect(child.stdout).toBe("direct\nRetryError\nRetryError\n");
    expect(asked).toEqual(["models.invalid:443"]);
  });

  it("names a proxy that is no address without repeating its password", async () => {
    const environment = { HTTPS_PROXY: `http://user:${SECRET}@[`, https_proxy: `http://user:${SECRET}@[` };
    const child = await runChild(new URL("children/through-proxy.ts", import.meta.url), ["https://models.invalid/"], [], environment);
    expect(child.stdout).toContain("EnvironmentConfigurationError");
    expect(child.stdout + child.stderr).not.toContain(SECRET);
  });
});
