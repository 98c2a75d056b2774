import { afterEach, describe, expect, it } from "vitest";

import { ModelNotFoundError, RetryError } from "../../src/errors.js";
import {
  effectiveApiKey,
  getModelFromProvider,
  registerModelProvider,
  unregisterModelProvider,
  type ModelMetadataInput,
  type ProviderRequest,
} from "../../src/providers/index.js";
import { status } from "../support/local-server.js";
import { onnxPackage, page, startProviderServer } from "../support/provider-server.js";
import { captureLog, caught, isolate, settings } from "./support.js";

captureLog();
isolate();
afterEach(() => {
  unregisterModelProvider("mine");
  unregisterModelProvider("other");
});

const FILE = { downloadUrl: "https://files.example/w.onnx", fileHandle: "weights.onnx", md5Hash: "0".repeat(32) };

const MODEL: ModelMetadataInput = {
  modelId: "mine/1",
  modelArchitecture: "yolov8",
  taskType: "object-detection",
  modelPackages: [{ packageId: "onnx1", backend: "onnx", onnxPackageDetails: { opset: 17 }, packageArtefacts: [FILE] }],
};

const answer = (change: object): ModelMetadataInput => ({ ...MODEL, ...change });
const withPackage = (change: object): ModelMetadataInput => answer({ modelPackages: [{ ...MODEL.modelPackages[0], ...change }] });

describe("a name", () => {
  it.each(["", "  ", "roboflow", "Roboflow", "ROBOFLOW-OFFLINE-WEIGHTS", 5])("%j cannot be taken", (name) => {
    expect(() => registerModelProvider(name as string, () => MODEL)).toThrow(expect.objectContaining({ name: "InvalidParameterError" }));
  });

  it("needs a function", () => {
    expect(() => registerModelProvider("mine", MODEL as never)).toThrow(expect.objectContaining({ name: "InvalidParameterError" }));
  });

  it("that nobody has is refused before anybody is asked", async () => {
    let asked = 0;
    registerModelProvider("mine", () => (asked++, MODEL));
    expect(await caught(getModelFromProvider("m", { provider: ["mine", "roboflw"] }))).toMatchObject({
      name: "ModelRetrievalError",
      message: expect.stringContaining('Did you mean "roboflow"?'),
    });
    expect(asked).toBe(0);
  });

  it("can be taken again, and given back", async () => {
    registerModelProvider("mine", () => MODEL);
    registerModelProvider("mine", () => answer({ modelVariant: "second" }));
    expect(await getModelFromProvider("m", { provider: "mine" })).toMatchObject({ modelVariant: "second" });
    expect(unregisterModelProvider("mine")).toBe(true);
    expect(unregisterModelProvider("mine")).toBe(false);
    expect(await caught(getModelFromProvider("m", { provider: "mine" }))).toMatchObject({ name: "ModelRetrievalError" });
  });
});

describe("a custom provider", () => {
  it("is handed the request, and never the key of the environment", async () => {
    settings({ api: { key: "of-roboflow" } });
    const requests: ProviderRequest[] = [];
    registerModelProvider("mine", (modelId, request) => {
      requests.push(request);
      return answer({ modelId });
    });
    const { signal } = new AbortController();
    const options = { provider: "mine", extraQueryParams: new URLSearchParams("a=1&a=2"), extraHeaders: { "X-A": "1" }, signal };
    expect((await getModelFromProvider("asked/1", options)).modelId).toBe("asked/1");
    await getModelFromProvider("asked/1", { provider: "mine", apiKey: "own" });
    const pairs = [["a", "1"], ["a", "2"]]; // prettier-ignore
    expect(requests[0]).toEqual({ apiKey: null, extraQueryParams: pairs, extraHeaders: { "X-A": "1" }, signal });
    expect(requests[1]?.apiKey).toBe("own");
  });

  it("is completed: what it leaves out is null, and it is not trusted", async () => {
    registerModelProvider("mine", () => MODEL);
    expect(await getModelFromProvider("m", { provider: "mine" })).toEqual({
      modelId: "mine/1",
      modelArchitecture: "yolov8",
      taskType: "object-detection",
      modelVariant: null,
      modelDependencies: null,
      recommendedParameters: null,
      modelPackages: [
        {
          packageId: "onnx1",
          backend: "onnx",
          packageArtefacts: [{ kind: "download", ...FILE }],
          packageSource: "platform",
          quantization: null,
          dynamicBatchSizeSupported: null,
          staticBatchSize: null,
          trtPackageDetails: null,
          onnxPackageDetails: { opset: 17, incompatibleProviders: null },
          torchScriptPackageDetails: null,
          trustedSource: false,
          environmentRequirements: null,
          modelFeatures: null,
          recommendedParameters: null,
          cacheModelId: null,
        },
      ],
    });
  });

  it("may name files of this machine, and packages that are in the cache", async () => {
    registerModelProvider("mine", () =>
      answer({
        modelPackages: [
          { packageId: "a", backend: "onnx", packageArtefacts: [{ ...FILE, downloadUrl: "file:///models/w.onnx" }] },
          { packageId: "b", backend: "onnx", packageArtefacts: [{ kind: "local", fileHandle: "w.onnx", md5Hash: "0".repeat(32) }] },
        ],
      }),
    );
    const { modelPackages } = await getModelFromProvider("m", { provider: "mine" });
    expect(modelPackages.map(({ packageSource }) => packageSource)).toEqual(["platform", "local_cache"]);
  });

  it.each<[string, unknown, RegExp]>([
    ["no object", "yolov8", /the whole: .*expected object/],
    ["nothing", undefined, /the whole/],
    ["no architecture", answer({ modelArchitecture: undefined }), /modelArchitecture/],
    ["a blank id", answer({ modelId: " " }), /modelId: is blank/],
    ["a misspelled field", answer({ modelPackage: [] }), /modelPackage"/],
    ["a package id with a hyphen", withPackage({ packageId: "onnx-1" }), /modelPackages\.0\.packageId: "onnx-1" is not accepted/],
    ["an unknown backend", withPackage({ backend: "ONNX" }), /modelPackages\.0\.backend/],
    [
      "a file over plain http",
      withPackage({ packageArtefacts: [{ ...FILE, downloadUrl: "http://files.example/w?sig=secret" }] }),
      /plain http/,
    ],
    [
      "a file that is no URL",
      withPackage({ packageArtefacts: [{ ...FILE, downloadUrl: "/models/w.onnx" }] }),
      /packageArtefacts\.0\.downloadUrl: .*absolute URL/,
    ],
    ["a file outside its folder", withPackage({ packageArtefacts: [{ ...FILE, fileHandle: "../w" }] }), /packageArtefacts\.0\.fileHandle/],
    ["a hash in capitals", withPackage({ packageArtefacts: [{ ...FILE, md5Hash: "F".repeat(32) }] }), /md5Hash: is not 32/],
    [
      "a local file without a hash",
      withPackage({ packageArtefacts: [{ kind: "local", fileHandle: "w" }] }),
      /packageArtefacts\.0\.md5Hash/,
    ],
    [
      "files of two kinds",
      withPackage({ packageArtefacts: [FILE, { kind: "local", fileHandle: "w", md5Hash: "0".repeat(32) }] }),
      /all of one kind/,
    ],
    [
      "a version that is none",
      withPackage({ environmentRequirements: { kind: "gpu-server", cudaDeviceCc: "x", cudaDeviceName: "l4" } }),
      /cudaDeviceCc: is not a version/,
    ],
    ["a batch of nothing", withPackage({ staticBatchSize: 0 }), /staticBatchSize/],
  ])("that answers with %s is told what is wrong", async (_name, wrong, problem) => {
    registerModelProvider("mine", () => wrong as ModelMetadataInput);
    const error = await caught(getModelFromProvider("m/1", { provider: "mine" }));
    expect(error).toMatchObject({ name: "ModelMetadataConsistencyError", modelId: "m/1", message: expect.stringMatching(problem) });
    expect(error.message).toContain('"mine"');
    expect(error.message).not.toContain("secret");
  });

  it("names the package that is wrong", async () => {
    registerModelProvider("mine", () => withPackage({ staticBatchSize: -1 }));
    expect(await caught(getModelFromProvider("m", { provider: "mine" }))).toMatchObject({ packageId: "onnx1" });
  });

  it("fails as itself with our errors and the signal's reason, and is wrapped with others", async () => {
    const failures: unknown[] = [new RetryError("Down."), new TypeError("x is undefined"), "just text"];
    registerModelProvider("mine", async () => {
      throw failures.shift();
    });
    expect(await caught(getModelFromProvider("m", { provider: "mine" }))).toMatchObject({ name: "RetryError" });
    const wrapped = await caught(getModelFromProvider("m", { provider: "mine" }));
    expect(wrapped).toMatchObject({
      name: "ModelRetrievalError",
      message: expect.stringContaining('"mine" failed'),
      cause: expect.any(TypeError),
    });
    expect(await caught(getModelFromProvider("m", { provider: "mine" }))).toMatchObject({ message: expect.stringContaining("just text") });

    const controller = new AbortController();
    const reason = new Error("enough");
    registerModelProvider("mine", (_modelId, { signal }) => {
      controller.abort(reason);
      signal?.throwIfAborted();
      return MODEL;
    });
    expect(await caught(getModelFromProvider("m", { provider: "mine", signal: controller.signal }))).toBe(reason);
  });

  it("works in offline mode too", async () => {
    settings({ offline: { enabled: true } });
    registerModelProvider("mine", () => MODEL);
    expect(await getModelFromProvider("m", { provider: "mine" })).toMatchObject({ modelId: "mine/1" });
  });
});

describe("several providers", () => {
  it("are asked in turn until one knows the model", async () => {
    registerModelProvider("other", (modelId) => {
      throw new ModelNotFoundError(`No ${modelId} in the cupboard.`);
    });
    registerModelProvider("mine", () => MODEL);
    expect(await getModelFromProvider("m", { provider: ["other", "mine"] })).toMatchObject({ modelId: "mine/1" });
  });

  it("that all do not know it are all told", async () => {
    await using server = await startProviderServer();
    settings({ api: { host: server.origin } });
    registerModelProvider("mine", () => {
      throw new ModelNotFoundError("Not in the cupboard.");
    });
    const error = await caught(getModelFromProvider("m", { provider: ["roboflow", "mine"] }));
    expect(error).toMatchObject({ name: "ModelNotFoundError", modelId: "m", cause: { errors: [{ status: 404 }, {}] } });
    expect(error.message).toMatch(/roboflow: .*API knows no model "m".* mine: Not in the cupboard\./);
  });

  it("do not hide a wrong key", async () => {
    await using server = await startProviderServer();
    server.answerNext(status(401));
    settings({ api: { host: server.origin } });
    registerModelProvider("mine", () => MODEL);
    expect(await caught(getModelFromProvider("m", { provider: ["roboflow", "mine"] }))).toMatchObject({
      name: "UnauthorizedModelAccessError",
    });
  });
});

describe("the arguments", () => {
  it.each([
    ["", {}],
    [" \t", {}],
    ["a\0b", {}],
    [5, {}],
    ["m", { provider: [] }],
    ["m", { provider: 5 }],
    ["m", { api_key: "x" }],
    ["m", { apiKey: 5 }],
    ["m", { extraQueryParams: [["a"]] }],
    ["m", { extraQueryParams: ["ab"] }],
    ["m", { extraHeaders: { a: 1 } }],
  ])("%j with %j are refused", async (modelId, options) => {
    expect((await caught(getModelFromProvider(modelId as string, options as never))).name).toMatch(/^Invalid(Parameter|Option)Error$/);
  });

  it("need only be an id: the key is that of the environment", async () => {
    await using server = await startProviderServer();
    server.models.set("m", [page([onnxPackage("a1")])]);
    settings({ api: { host: server.origin, key: "from-environment" } });
    await getModelFromProvider("m");
    await getModelFromProvider("m", { apiKey: "explicit" });
    await getModelFromProvider("m", { apiKey: "local" });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer from-environment",
      "Bearer explicit",
      "Bearer from-environment",
    ]);
    settings({ api: { key: "local" } });
    expect(effectiveApiKey("roboflow", undefined)).toBeNull();
  });
});
