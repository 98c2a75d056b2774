/** Libraries of NVIDIA's names that cannot be used, each in a folder of its own, for what is said about them. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const compiler = process.env["CXX"] ?? "c++";

const version = (number: number): string => `extern "C" int getInferLibVersion() { return ${number}; }`;

/** As the libraries behave with a driver that is too old for the CUDA inside them: a word to the logger, and no null. */
const REFUSES_THE_DRIVER = `
struct Logger { virtual void log(int severity, const char* text) noexcept = 0; };
${version(101501)}
extern "C" void* createInferRuntime_INTERNAL(void* logger, int) {
  static_cast<Logger*>(logger)->log(1, "createInferRuntime: Error Code 6: CUDA initialization failure with error: 35");
  return reinterpret_cast<void*>(0x238);
}
`;

function compile(folder: string, file: string, code: string, ...flags: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, "source.cc");
  writeFileSync(source, code);
  execFileSync(compiler, ["-shared", "-fPIC", source, ...flags, "-o", join(folder, file)], { stdio: "pipe" });
}

/** @param fakes the folder of the stand-ins that can be used */
export function makeUnusableLibraries(parent: string, fakes: string) {
  const folder = (name: string): string => join(parent, name);
  mkdirSync(folder("empty"), { recursive: true });
  for (const [name, file] of [
    ["text-cuda", "libcuda.so.1"],
    ["text-trt", "libnvinfer.so.10"],
  ] as const) {
    mkdirSync(folder(name), { recursive: true });
    writeFileSync(join(folder(name), file), "not a library");
  }
  compile(folder("bare-cuda"), "libcuda.so.1", "");
  const old = `extern "C" int cuInit(unsigned) { return 0; } extern "C" int cuDriverGetVersion(int* v) { *v = 11020; return 0; }`;
  compile(folder("old-cuda"), "libcuda.so.1", old);
  compile(folder("bare-trt"), "libnvinfer.so.10", "");
  compile(folder("needy-trt"), "libgone.so", `extern "C" int gone() { return 0; }`);
  const needs = ["-Wl,--no-as-needed", `-L${folder("needy-trt")}`, "-lgone"];
  compile(folder("needy-trt"), "libnvinfer.so.10", version(101501), ...needs);
  rmSync(join(folder("needy-trt"), "libgone.so"));
  compile(folder("trt8"), "libnvinfer.so.8", version(8601));
  compile(folder("trt8-as-10"), "libnvinfer.so.10", version(8601));
  compile(folder("trt12"), "libnvinfer.so.12", version(120000));
  compile(folder("runs-nothing"), "libnvinfer.so.10", version(101501));
  compile(folder("newer-cuda"), "libnvinfer.so.10", REFUSES_THE_DRIVER);
  // One that is too old beside one that is not.
  compile(folder("full-10.3"), "libnvinfer.so.10", version(100300));
  compile(folder("lean-fits"), "libnvinfer.so.10", version(100300));
  copyFileSync(join(fakes, "trt10", "libnvinfer.so.10"), join(folder("lean-fits"), "libnvinfer_lean.so.10"));
  return folder;
}
