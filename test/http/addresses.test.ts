import { describe, expect, it } from "vitest";

import { ModelRetrievalError } from "../../src/errors.js";
import { addQueryParameters, checkUrl, parseGateway, printableUrl, throughGateway } from "../../src/http/index.js";

const rules = { what: "weights.onnx", plainHttpTo: ["gateway.example:8080", "lan.example"] };

describe("checkUrl", () => {
  it.each([
    "https://files.example/w?sig=1",
    "http://127.0.0.1:8000/w",
    "http://localhost/w",
    "http://[::1]:1/w",
    "http://gateway.example:8080/proxy",
    "http://lan.example:99/w",
  ])("accepts %s", (url) => {
    expect(checkUrl(url, rules).href).toBe(url);
  });

  it.each([
    ["http://files.example/w", "plain http"],
    ["http://gateway.example/w", "plain http"],
    ["http://127.0.0.1.example/w", "plain http"],
    ["http://localhost.example/w", "plain http"],
    ["http://169.254.169.254/latest/meta-data", "plain http"],
    ["https://user@files.example/w", "password"],
    ["https://user:password@files.example/w", "password"],
    ["file:///etc/passwd", "not https"],
    ["data:text/plain,x", "not https"],
    ["javascript:alert(1)", "not https"],
    ["ftp://files.example/w", "not https"],
    ["/w", "absolute"],
    ["", "absolute"],
    ["https://", "absolute"],
  ])("refuses %s", (url, problem) => {
    expect(() => checkUrl(url, rules)).toThrow(ModelRetrievalError);
    expect(() => checkUrl(url, rules)).toThrow(problem);
    expect(() => checkUrl(url, rules)).toThrow(/weights\.onnx/);
  });
});

it("prints addresses without what may be secret", () => {
  expect(printableUrl("https://user:secret@files.example/w?X-Amz-Signature=secret#secret")).toBe("https://files.example/w");
  expect(printableUrl("nonsense?key=secret")).not.toContain("secret");
});

describe("throughGateway", () => {
  it("keeps the gateway's path, and wraps only once", () => {
    const gateway = parseGateway("https://gateway.example/edge//");
    const wrapped = throughGateway("https://files.example/a b?x=1&y=%2F", gateway);
    expect(wrapped).toBe("https://gateway.example/edge/proxy?url=https%3A%2F%2Ffiles.example%2Fa%20b%3Fx%3D1%26y%3D%252F");
    expect(throughGateway(wrapped, gateway)).toBe(wrapped);
    expect(throughGateway("https://files.example/", null)).toBe("https://files.example/");
  });

  it("takes a host without a scheme for plain http, and says which host that is", () => {
    expect(parseGateway("gateway.example:8080/edge")).toEqual({
      address: "http://gateway.example:8080/edge",
      host: "gateway.example:8080",
    });
  });

  it.each(["http://", "ftp://gateway.example", "file:///x", "a b"])("refuses %s", (text) => {
    expect(() => parseGateway(text)).toThrow(/SECURE_GATEWAY/);
  });
});

describe("addQueryParameters", () => {
  it("keeps what is there, repeats lists and encodes like a form", () => {
    expect(addQueryParameters("https://h/p?a=1#f", { b: ["x y", "ü/~*"] })).toBe("https://h/p?a=1&b=x+y&b=%C3%BC%2F~%2A#f");
  });

  it("does not let a parameter be set twice", () => {
    expect(() => addQueryParameters("https://h/p?a=1", { a: "2" })).toThrow(/"a" already/);
  });
});
