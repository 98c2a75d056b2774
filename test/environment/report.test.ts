import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

import { expect, it } from "vitest";

import { describeEnvironment, type Finding } from "../../src/environment/index.js";
import { describeSystem } from "../../src/environment/system.js";
import { packageVersion } from "../../src/package-root.js";
import { recordedMachine } from "./recording.js";

it("describes this machine in plain data", async () => {
  const report = await describeEnvironment();
  expect(report.packageVersion).toBe(packageVersion);
  expect(report.node.version).toBe(process.version);
  expect(report.system).toMatchObject({ platform: process.platform, architecture: process.arch });
  expect(report.cpu.logicalCores).toBeGreaterThan(0);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

it("says of everything where it is, or why it is missing", async () => {
  const { addon, onnxRuntime, sharp, nvidia, jetson } = await describeEnvironment();
  const { driver, cudaDriver, cudaRuntime, tensorRt, onnxParser } = nvidia;
  const findings: readonly Finding[] = [
    addon,
    onnxRuntime.library,
    sharp,
    driver,
    cudaDriver,
    cudaRuntime,
    ...Object.values(tensorRt),
    onnxParser,
    jetson.l4t,
  ];
  for (const finding of findings) {
    if (!finding.found) expect(finding.reason).not.toBe("");
    else if (finding.path !== null) expect(existsSync(finding.path)).toBe(true);
  }
  expect(sharp).toMatchObject({ found: true, version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
  for (const { available, reason } of onnxRuntime.executionProviders) expect(available).toBe(reason === null);
});

it.runIf(process.platform === "linux")("knows the C library as the system does", async () => {
  const { system } = await describeEnvironment();
  if (system.libc?.name !== "glibc") return;
  expect(execFileSync("getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" }).trim()).toBe(`glibc ${String(system.libc.version)}`);
});

it("knows the C libraries of other systems", async () => {
  const mapped = (path: string): string =>
    `7f0000000000-7f0000001000 r--p 00000000 08:01 1    /usr/bin/node\n7f1-7f2 r-xp 0 08:01 2 ${path}\n`;
  const musl = recordedMachine({ "/proc/self/maps": mapped("/lib/ld-musl-x86_64.so.1") });
  expect((await describeSystem(musl)).libc).toEqual({ name: "musl", version: null });
  const old = recordedMachine({
    "/proc/self/maps": mapped("/lib/x86_64-linux-gnu/libc-2.31.so"),
    "/lib/x86_64-linux-gnu/libc-2.31.so": "\0GNU C Library (Ubuntu GLIBC 2.31-0ubuntu9.16) stable release version 2.31.\nCopyright",
  });
  expect((await describeSystem(old)).libc).toEqual({ name: "glibc", version: "2.31" });
  expect((await describeSystem(recordedMachine({ "/proc/self/maps": mapped("/opt/static") }))).libc).toBeNull();
});
