import { describe, expect, it } from "vitest";

import { request } from "../../src/http/index.js";
import type { ModelMetadata } from "../../src/packages/index.js";
import { roboflowProvider, type RoboflowServices } from "../../src/providers/roboflow/provider.js";
import { apiHost } from "../../src/providers/roboflow/hosts.js";
import type { ProviderRequest } from "../../src/providers/types.js";
import {
  flood,
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
import { onnxPackage, page, startProviderServer, type ProviderServer } from "../support/provider-server.js";
import { captureLog, caught, isolate, settings } from "./support.js";

const ID = "bolts/3";
const KEY = "key-0123456789abcdef";

const logged = captureLog();
isolate();

interface Asked {
  readonly more?: Partial<ProviderRequest>;
  readonly services?: Partial<RoboflowServices>;
}

const ask = ({ more = {}, services = {} }: Asked = {}): Promise<ModelMetadata> =>
  roboflowProvider(
    ID,
    { apiKey: KEY, extraQueryParams: [], extraHeaders: {}, ...more },
    { exchange: request, sleep: () => Promise.resolve(), localPackages: () => Promise.resolve([]), ...services },
  );

async function startApi(api: Parameters<typeof settings>[0] = {}): Promise<ProviderServer> {
  const server = await startProviderServer();
  server.models.set(ID, [page([onnxPackage("a1")])]);
  settings({ ...api, api: { host: server.origin, ...api.api } });
  return server;
}

describe("the question", () => {
  it("names the model and carries the key as a header", async () => {
    await using server = await startApi();
    expect(await ask()).toMatchObject({ modelId: "workspace/bolts/3", modelPackages: [{ packageId: "a1" }] });
    const [received] = server.requests;
    expect(received?.url.pathname).toBe("/models/v1/external/weights");
    expect(received?.url.search).toBe("?modelId=bolts%2F3");
    expect(received?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it.each([null, "", "local"])("goes without a key when it is %j", async (apiKey) => {
    await using server = await startApi();
    await ask({ more: { apiKey } });
    expect(server.requests[0]?.headers).not.toHaveProperty("authorization");
  });

  it("takes the caller's parameters and headers, but not in place of its own", async () => {
    await using server = await startApi();
    const extraQueryParams = [
      ["a", "1"],
      ["a", "2"],
      ["modelId", "hijack"],
      ["__proto__", "x"],
    ] as const;
    await ask({ more: { extraQueryParams, extraHeaders: { authorization: "Bearer other", "X-Trace": "1" } } });
    const [received] = server.requests;
    expect(received?.url.search).toBe("?a=1&a=2&modelId=bolts%2F3&__proto__=x");
    expect(received?.headers).toMatchObject({ authorization: `Bearer ${KEY}`, "x-trace": "1" });
  });

  it("goes through the gateway, and the files' addresses with it", async () => {
    await using gateway = await startApi({ api: { host: "" } });
    settings({ api: { secureGateway: `${gateway.origin}/edge/` } });
    const { modelPackages } = await ask();
    expect(gateway.requests[0]?.url.pathname).toBe("/edge/proxy");
    expect(gateway.requests[0]?.url.searchParams.get("url")).toBe("https://api.roboflow.com/models/v1/external/weights?modelId=bolts%2F3");
    expect(modelPackages[0]?.packageArtefacts[0]).toMatchObject({
      downloadUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/edge\/proxy\?url=https%3A%2F%2Ffiles\.example%2Fweights\.onnx/),
    });
  });

  it("is refused in offline mode", async () => {
    await using server = await startApi({ offline: { enabled: true } });
    expect(await caught(ask())).toMatchObject({ name: "ModelRetrievalError" });
    expect(server.requests).toHaveLength(0);
  });
});

describe("the host", () => {
  it.each([
    ["us", "prod", "https://api.roboflow.com"],
    [" EU ", "PROD", "https://api.roboflow.eu"],
    ["us", "staging", "https://api.roboflow.one"],
    ["eu", "", "https://api.roboflow-eu.one"],
    ["mars", "prod", "https://api.roboflow.com"],
  ])("for region %j and environment %j is %s", (region, environment, host) => {
    settings({ api: { region, environment } });
    expect(apiHost()).toBe(host);
    expect(logged.warnings).toHaveLength(region === "mars" ? 1 : 0);
  });

  it("is the one that the user names", () => {
    settings({ api: { host: "https://api.example/" } });
    expect(apiHost()).toBe("https://api.example");
  });
});

describe("a refusal", () => {
  it.each([
    [401, "UnauthorizedModelAccessError"],
    [402, "PaymentRequiredModelAccessError"],
    [403, "ForbiddenModelAccessError"],
    [404, "ModelNotFoundError"],
    [423, "UsagePausedModelAccessError"],
    [400, "ModelRetrievalError"],
    [500, "ModelRetrievalError"],
  ])("of %d is a %s, asked once", async (code, name) => {
    await using server = await startApi();
    server.answerNext(text(`{\n "error": "because of ${KEY}"}`, {}, code));
    const error = await caught(ask());
    expect(error).toMatchObject({ name, status: code, modelId: ID, helpUrl: expect.stringContaining(name.toLowerCase()) });
    expect(JSON.stringify(error)).not.toContain(KEY);
    expect(server.requests).toHaveLength(1);
  });

  it("without a key says how to give one", async () => {
    await using server = await startApi();
    server.answerNext(status(401));
    expect((await caught(ask({ more: { apiKey: null } }))).message).toMatch(/apiKey.*ROBOFLOW_API_KEY/);
  });

  it("of an unknown kind shows the beginning of what was said", async () => {
    await using server = await startApi();
    server.answerNext(text(`{"error": "out of ${"very ".repeat(1000)}order"}`, {}, 500));
    expect((await caught(ask())).message).toMatch(/It said: \{"error": "out of very .{100,400}$/);
    server.answerNext((response) => void response.writeHead(500, { "content-length": "5000000" }).write("x"));
    expect(await caught(ask())).toMatchObject({ status: 500 });
  });
});

describe("trouble on the way", () => {
  it.each<[string, Answer]>([
    ["429", status(429)],
    ["503 with a time to wait", status(503, { "retry-after": "7" })],
    ["a connection cut", reset],
    ["a body cut in the middle", resetAfter('{"modelMetadata"')],
  ])("%s is tried again", async (_name, answer) => {
    await using server = await startApi();
    server.answerNext(answer, answer);
    expect(await ask()).toMatchObject({ modelArchitecture: "yolov8" });
    expect(server.requests).toHaveLength(3);
  });

  it("waits as long as the server asks", async () => {
    await using server = await startApi();
    server.answerNext(status(503, { "retry-after": "7" }));
    const waits: number[] = [];
    await ask({ services: { sleep: async (seconds) => void waits.push(seconds) } });
    expect(waits).toEqual([7]);
  });

  it("is a RetryError in the end", async () => {
    await using server = await startApi({ api: { callsMaxTries: 2 } });
    server.answerNext(status(503), status(503), status(503));
    expect(await caught(ask())).toMatchObject({ name: "RetryError", status: 503, attempts: 2, isRetryable: true });
    expect(server.requests).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ["nothing", silence],
    ["half an answer", stallAfter('{"modelMetadata"')],
  ])("a server that says %s is given up", async (_name, answer) => {
    await using server = await startApi({ api: { callsMaxTries: 1 } });
    server.answerNext(answer);
    // The setting counts in whole seconds; tests have none to spare.
    const hurried: RoboflowServices["exchange"] = (given) => request({ ...given, timeouts: { connectSeconds: 1, idleSeconds: 0.05 } });
    expect(await caught(ask({ services: { exchange: hurried } }))).toMatchObject({ name: "RetryError" });
  });

  it("a redirection to another server is not followed, so the key stays", async () => {
    await using other = await startServer(text("{}"));
    await using server = await startApi();
    server.answerNext(redirect(`${other.origin}/models/v1/external/weights`));
    expect(await caught(ask())).toMatchObject({ name: "ModelRetrievalError" });
    expect(other.requests).toHaveLength(0);
  });

  it("stops when the signal fires", async () => {
    await using server = await startApi();
    const controller = new AbortController();
    const reason = new Error("enough");
    server.answerNext(() => controller.abort(reason));
    expect(await caught(ask({ more: { signal: controller.signal } }))).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });
});

describe("an answer that is not what was promised", () => {
  it.each<[string, Answer]>([
    ["is no JSON", text("<html>hello</html>", { "content-type": "text/html" })],
    ["is nothing", text("")],
    ["is an error with status 200", text('{"error": "no such endpoint"}')],
    ["is nested without end", text("[".repeat(100_000) + "]".repeat(100_000))],
    ["is huge", flood],
    ["has an entry that is no object", text(JSON.stringify({ modelMetadata: page([5]) }))],
    ["has a number for an id", text(JSON.stringify({ modelMetadata: page([], { modelId: 5 }) }))],
    ["has no packages", text(JSON.stringify({ modelMetadata: page([]) }))],
  ])("%s is a ModelRetrievalError, asked once", async (_name, answer) => {
    await using server = await startApi();
    server.answerNext(answer);
    const error = await caught(ask());
    expect(error.name).toBe("ModelRetrievalError");
    expect(error.message.length).toBeLessThan(1500);
    expect(server.requests).toHaveLength(1);
  });

  it("still counts when its content type is wrong", async () => {
    await using server = await startApi();
    server.answerNext(text(JSON.stringify({ modelMetadata: page([onnxPackage("a1")]) }), { "content-type": "image/png" }));
    expect((await ask()).modelPackages).toHaveLength(1);
  });
});

describe("pages", () => {
  it("are read to the end: packages of all, the rest of the last", async () => {
    await using server = await startApi();
    server.models.set(ID, [
      page([onnxPackage("a1")], { nextPage: "1", modelVariant: "first" }),
      page([], { nextPage: "2" }),
      page([onnxPackage("a3")], { modelVariant: "last" }),
    ]);
    const metadata = await ask();
    expect(metadata.modelVariant).toBe("last");
    expect(metadata.modelPackages.map(({ packageId }) => packageId)).toEqual(["a1", "a3"]);
    expect(server.requests.map(({ url }) => url.searchParams.get("startAfter"))).toEqual([null, "1", "2"]);
  });

  it("that go in a circle end after ten", async () => {
    await using server = await startApi();
    server.models.set(ID, [page([onnxPackage("a1")], { nextPage: "0" })]);
    await ask();
    expect(server.requests).toHaveLength(10);
  });

  it("are tried again one by one", async () => {
    await using server = await startApi();
    server.models.set(ID, [page([onnxPackage("a1")], { nextPage: "1" }), page([onnxPackage("a2")])]);
    server.answerNext(status(503), status(503));
    expect((await ask()).modelPackages).toHaveLength(2);
    expect(server.requests).toHaveLength(4);
  });
});

describe("packages", () => {
  const packages = async (server: ProviderServer, ...entries: readonly unknown[]): Promise<readonly string[]> => {
    server.models.set(ID, [page([...entries, onnxPackage("good")])]);
    return (await ask()).modelPackages.map(({ packageId }) => packageId);
  };

  it.each([
    ["of an unknown kind", { packageManifest: { type: "quantum-v9" } }, /quantum-v9.*newer version/],
    [
      "with contradicting batch sizes",
      { packageManifest: { ...(onnxPackage("x")["packageManifest"] as object), staticBatchSize: 4 } },
      /dynamic and static/,
    ],
    ["with a malformed field", { trustedSource: "yes" }, /trustedSource/],
    ["with files elsewhere than the web", { packageFiles: [{ fileHandle: "a", downloadUrl: "file:///etc/passwd" }] }, /not https/],
    ["with files over plain http", { packageFiles: [{ fileHandle: "a", downloadUrl: "http://files.example/a?sig=secret" }] }, /plain http/],
  ])("%s are skipped with a warning", async (_name, change, warning) => {
    await using server = await startApi();
    expect(await packages(server, onnxPackage("bad", change))).toEqual(["good"]);
    expect(logged.warnings).toEqual([expect.stringMatching(warning)]);
    expect(logged.warnings[0]).toContain('"bad"');
    expect(logged.warnings[0]).not.toContain("secret");
  });

  it("for other products are skipped in silence", async () => {
    await using server = await startApi();
    expect(await packages(server, onnxPackage("oak", { packageManifest: { type: "oak-model-package-v1" } }))).toEqual(["good"]);
    expect(logged.warnings).toEqual([]);
    expect(logged.debug).toHaveLength(1);
  });

  it("may all be unknown: that is for negotiation to tell", async () => {
    await using server = await startApi();
    server.models.set(ID, [page([{ type: "x" }])]);
    expect((await ask()).modelPackages).toEqual([]);
  });

  it("compiled here are added under both ids, once, and their trouble is a warning", async () => {
    await using server = await startApi();
    const asked: string[] = [];
    const [known] = (await ask()).modelPackages;
    if (known === undefined) throw new Error("no package");
    const localPackages = (modelId: string) => {
      asked.push(modelId);
      return modelId === ID ? Promise.resolve([known, { ...known, packageId: "localtrt1" }]) : Promise.reject(new Error("disk on fire"));
    };
    const { modelPackages } = await ask({ services: { localPackages } });
    expect(asked).toEqual(["workspace/bolts/3", ID]);
    expect(modelPackages.map(({ packageId }) => packageId)).toEqual(["a1", "localtrt1"]);
    expect(logged.warnings).toEqual([expect.stringContaining("disk on fire")]);
    expect(server.requests).toHaveLength(2);
  });
});
