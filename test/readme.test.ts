import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REGISTRY } from "../src/models/registry.js";
import { AutoModelPipeline } from "../src/index.js";
import { packageRoot } from "../src/package-root.js";

const readme = readFileSync(join(packageRoot, "README.md"), "utf8");

describe("README", () => {
  it("lists exactly the families that can be loaded", () => {
    const [, table = ""] = /<!-- families:.*?-->(.*)<!-- \/families -->/su.exec(readme) ?? [];
    const rows = table.split("\n").flatMap((line) => {
      const [, architectures = "", task, backend] = line.split("|").map((cell) => cell.trim());
      return [...architectures.matchAll(/`([^`]+)`/gu)].map(([, architecture]) => [architecture, task, backend].join(" "));
    });
    expect(rows.sort()).toEqual(REGISTRY.map(({ architecture, task, backend }) => [architecture, task, backend].join(" ")).sort());
  });
});

describe("the page on pipelines", () => {
  it("lists exactly those that there are", () => {
    const page = readFileSync(join(packageRoot, "docs", "pipelines.md"), "utf8");
    const ids = [...page.matchAll(/^\| `([^`]+)` \|/gmu)].map(([, id]) => id).sort();
    expect(ids).toEqual(AutoModelPipeline.list());
  });
});

describe("examples", () => {
  function runExample(name: string, ...argv: readonly string[]): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["--import", "tsx", join("examples", name), ...argv], {
        cwd: packageRoot,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output }));
    });
  }

  it("find the face", async () => {
    const { code, output } = await runExample("predict.ts");
    expect(output).toMatch(/astronaut\.jpg: 1 face/);
    expect(code).toBe(0);
  });

  it("stream and draw", async () => {
    const target = await mkdtemp(join(tmpdir(), "inference-models-example-"));
    const { code, output } = await runExample("stream-and-draw.ts", "assets/images", target);
    await rm(target, { recursive: true });
    expect(output).toContain("astronaut.jpg: 1 found");
    expect(code).toBe(0);
  });

  it("work in a worker thread", async (context) => {
    // Node does not pass the TypeScript loader on to workers, so this example runs against the build.
    context.skip(!existsSync(join(packageRoot, "dist", "esm", "index.js")), 'There is no build; run "npm run build" first.');
    const { code, output } = await runExample("worker.mjs");
    expect(output).toContain("key-points for a picture of 512x512: 1");
    expect(code).toBe(0);
  });
});
