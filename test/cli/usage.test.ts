import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { terminalLogger } from "../../src/cli/terminal-logger.js";
import { packageVersion } from "../../src/package-root.js";
import { runCli } from "./support.js";

describe("usage", () => {
  it.each([
    ["an unknown command", ["predct"], /Did you mean predict\?/],
    ["an unknown option", ["predict", "m", "a.jpg", "--confidance", "0.5"], /Did you mean --confidence\?/],
    ["no picture", ["predict", "m"], /missing required argument 'image'/],
    ["a confidence above 1", ["predict", "m", "a.jpg", "--confidence", "3"], /from 0 to 1/],
    ["an empty confidence", ["predict", "m", "a.jpg", "--confidence", ""], /from 0 to 1/],
    ["half a detection", ["predict", "m", "a.jpg", "--max-detections", "1.5"], /whole number/],
    ["no names", ["predict", "m", "a.jpg", "--classes", " , "], /commas/],
    ["a size of nothing", ["predict", "m", "a.jpg", "--image-size", "0x10"], /WIDTHxHEIGHT/],
    ["no command at all", [], /Usage:/],
  ])("%s is refused with code 2, on stderr", async (_name, argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it("help and version that were asked for are data", async () => {
    const help = await runCli(["predict", "--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("--max-detections");
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${packageVersion}\n`, stderr: "" });
  });
});

describe("--env-file", () => {
  it("is read before the command, and has to be there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cli-"));
    const path = join(folder, "settings.env");
    vi.stubEnv("INFERENCE_MODELS_TEST_OF_ENV_FILE", undefined);
    const services = {
      listCache: () => {
        const totalBytes = Number(process.env["INFERENCE_MODELS_TEST_OF_ENV_FILE"]);
        return Promise.resolve({ home: folder, packages: [], totalBytes });
      },
    };
    const argv = ["--env-file", path, "cache", "ls", "--json"];
    const missing = await runCli(argv, { services });
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toContain(path);
    await writeFile(path, "INFERENCE_MODELS_TEST_OF_ENV_FILE=7\n");
    expect(JSON.parse((await runCli(argv, { services })).stdout)).toMatchObject({ totalBytes: 7 });
    vi.unstubAllEnvs();
  });
});

describe("build-native", () => {
  it("passes --force on and fails when the compilation does", async () => {
    const flags: (readonly string[])[] = [];
    const answering = (code: number) => ({ buildNative: (given: readonly string[]) => (flags.push(given), Promise.resolve(code)) });
    expect((await runCli(["build-native", "--force"], { services: answering(0) })).code).toBe(0);
    expect((await runCli(["build-native"], { services: answering(3) })).code).toBe(1);
    expect(flags).toEqual([["--force"], []]);
  });
});

describe("messages of the package", () => {
  it("go to stderr; those for developers only with DEBUG", () => {
    const written: string[] = [];
    const stderr = { write: (text: string) => written.push(text) };
    for (const env of [{}, { DEBUG: "1" }]) {
      const logger = terminalLogger({ stderr, env });
      logger.debug("details");
      logger.warn("look out");
    }
    expect(written).toEqual(["warning: look out\n", "debug: details\n", "warning: look out\n"]);
  });
});

describe("the program", () => {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

  function start(argv: readonly string[], readOutput: boolean): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["--import", "tsx", main, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
      const written = { stdout: "", stderr: "" };
      if (readOutput) child.stdout.on("data", (chunk: Buffer) => (written.stdout += String(chunk)));
      else child.stdout.destroy();
      child.stderr.on("data", (chunk: Buffer) => (written.stderr += String(chunk)));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, ...written }));
    });
  }

  it("ends with the code of the command", async () => {
    expect(await start(["--version"], true)).toEqual({ code: 0, stdout: `${packageVersion}\n`, stderr: "" });
    expect((await start(["predct"], true)).code).toBe(2);
  });

  it("ends quietly when nobody reads its output", async () => {
    expect(await start(["--help"], false)).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});
