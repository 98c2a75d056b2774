import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { AUTO_MODEL_OPTIONS } from "../../src/auto/options.js";
import { AutoModel, InvalidOptionError } from "../../src/index.js";
import { packageRoot } from "../../src/package-root.js";

describe("options of fromPretrained", () => {
  it("stand in the documentation, each once", () => {
    const page = readFileSync(join(packageRoot, "docs", "loading.md"), "utf8");
    const [, table = ""] = /## Options\n\n([^]*?)\n\n/.exec(page) ?? [];
    const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named.sort()).toEqual([...AUTO_MODEL_OPTIONS].sort());
  });

  it("are refused with the nearest name when they do not exist", async () => {
    const loading = AutoModel.fromPretrained("mediapipe/face-detector", { bakend: "onnx" } as never);
    await expect(loading).rejects.toThrow(InvalidOptionError);
    await expect(loading).rejects.toThrow(/backend/);
  });
});
