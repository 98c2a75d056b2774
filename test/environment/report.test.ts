import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

import { expect, it } from "vitest";

import { describeEnvironment } from "../../src/environment/index.js";
import { packageVersion } from "../../src/package-root.js";

it("describes this machine in plain data", async () => {
  const report = await describeEnvironment();
  expect(report.packageVersion).toBe(packageVersion);
  expect(report.node.version).toBe(process.version);
  expect(report.system).toMatchObject({ platform: process.platform, architecture: process.arch });
  expect(report.cpu.logicalCores).toBeGreaterThan(0);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

it("says of everything where it is, or why it is missing", async () => {
  const { addon, onnxRuntime, sharp, nvidiaDriver } = await describeEnvironment();
  for (const finding of [addon, onnxRuntime, sharp, nvidiaDriver]) {
    if (!finding.found) expect(finding.reason).not.toBe("");
    else if (finding.path !== null) expect(existsSync(finding.path)).toBe(true);
  }
  expect(sharp).toMatchObject({ found: true, version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
});

it.runIf(process.platform === "linux")("knows the C library as the system does", async () => {
  const { system } = await describeEnvironment();
  if (system.glibc === null) return;
  expect(execFileSync("getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" }).trim()).toBe(`glibc ${system.glibc}`);
});

it("leaves the settings of Node's report as they were", async () => {
  const settings = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = settings.excludeNetwork;
  await describeEnvironment();
  expect(settings.excludeNetwork).toBe(before);
});
