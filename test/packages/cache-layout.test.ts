import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import fc from "fast-check";

import { configure } from "../../src/configuration.js";
import { CorruptedModelPackageError, InsecureModelIdentifierError } from "../../src/errors.js";
import { cacheLayout, inferenceHome, isMd5, modelIdSlug, requireArtefactHandles, requirePackageId } from "../../src/packages/index.js";
import { blake2s } from "../../src/packages/blake2s.js";

describe("blake2s", () => {
  it("is OpenSSL's at 32 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        expect(blake2s(message, 32)).toBe(createHash("blake2s256").update(message).digest("hex"));
      }),
    );
  });

  it("is no prefix of that at 16 bytes", () => {
    expect(blake2s(Buffer.from("yolov8n-640"), 16)).toBe("ffad3227d1df3583031ee7f376943972");
  });
});

describe("the cache", () => {
  afterEach(() => configure({}));

  it("has a folder per model that is readable, portable and its own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (id) => {
        expect(modelIdSlug(id)).toMatch(/^v2-[A-Za-z0-9_-]{1,48}-[0-9a-f]{32}$/);
      }),
    );
    expect(modelIdSlug("my-workspace/my project/3")).toBe("v2-my-workspace-my-project-3-05f5d4ba18d6329121b999aaf2b04017");
    expect(modelIdSlug("a/b")).not.toBe(modelIdSlug("a-b"));
  });

  it("refuses packages that would name another folder", () => {
    const { packageDirectory } = cacheLayout("/home");
    expect(() => packageDirectory("m", "../x")).toThrow(InsecureModelIdentifierError);
  });

  it("is the user's own unless the settings name another", () => {
    configure({ cache: { home: "", legacyHome: "", xdgCacheHome: "" } });
    expect(inferenceHome().startsWith(homedir())).toBe(true);
    configure({ cache: { home: "", legacyHome: "/old" } });
    expect(inferenceHome()).toBe("/old");
    configure({ cache: { home: "/new", legacyHome: "/old" } });
    expect(inferenceHome()).toBe("/new");
  });

  it.runIf(process.platform === "linux")("follows XDG_CACHE_HOME when that is absolute", () => {
    configure({ cache: { home: "", legacyHome: "", xdgCacheHome: "/var/mine" } });
    expect(inferenceHome()).toBe("/var/mine/inference-models");
    configure({ cache: { home: "", legacyHome: "", xdgCacheHome: "mine" } });
    expect(inferenceHome()).toBe(join(homedir(), ".cache", "inference-models"));
  });
});

describe("names from outside", () => {
  it.each([
    [["a.txt", "A.TXT"], "twice"],
    [["d/a", "D/b"], "spelled"],
    [["d/a", "d"], "as a file and as a folder"],
    [["D", "d/a"], "as a file and as a folder"],
    [["model_dependencies/x"], "cache itself"],
    [["a/.x.lock"], "locks"],
    [["../a"], "neither"],
    [["a\u0000"], "consists of"],
    [["nul.txt"], "device"],
  ])("%j do not go together", (handles, problem) => {
    expect(() => requireArtefactHandles(handles)).toThrow(CorruptedModelPackageError);
    expect(() => requireArtefactHandles(handles)).toThrow(problem);
  });

  it("accepts files in folders", () => {
    expect(requireArtefactHandles(["d/a", "d/b", "e/d", "weights.onnx"])).toHaveLength(4);
  });

  it("never puts a long name into a message as a whole", () => {
    expect(() => requirePackageId("x".repeat(10_000))).toThrow(/^.{1,400}$/);
  });

  it("knows an MD5", () => {
    expect(["0".repeat(32), "F".repeat(32), "0".repeat(31), null].map(isMd5)).toEqual([true, false, false, false]);
  });
});
