import { providerShortName } from "../../environment/index.js";
import { InvalidOptionError } from "../../errors.js";
import type { ExecutionProvider } from "../types.js";

export { providerShortName };

/** A provider as ONNX Runtime's C interface names it, with options as texts. */
export interface NamedProvider {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

// Our name (onnxruntime-node's too) and the C interface's. Others pass unchanged: the library knows which it has.
const NATIVE_NAMES: Readonly<Record<string, string>> = {
  cpu: "CPU",
  cuda: "CUDA",
  tensorrt: "TensorRT",
  coreml: "CoreML",
  openvino: "OpenVINO",
  webgpu: "WebGPU",
  xnnpack: "XNNPACK",
  qnn: "QNN",
  dml: "DML",
  migraphx: "MIGraphX",
  vitisai: "VitisAI",
};

/** Default: the CPU. @throws InvalidOptionError */
export function nativeProviders(providers: readonly ExecutionProvider[] = ["cpu"]): readonly NamedProvider[] {
  return splitProviders(providers).map(({ name, options }) => ({ name: NATIVE_NAMES[name] ?? name, options }));
}

/** Short names with options. @throws InvalidOptionError */
export function splitProviders(providers: readonly ExecutionProvider[] = ["cpu"]): readonly NamedProvider[] {
  if (!Array.isArray(providers) || providers.length === 0) {
    throw new InvalidOptionError('executionProviders has to name at least one provider, for example ["cpu"].', {
      parameter: "executionProviders",
    });
  }
  return (providers as readonly ExecutionProvider[]).map((provider) => {
    const { name, options = {} } = typeof provider === "string" ? { name: provider } : provider;
    if (typeof name !== "string" || name === "") {
      throw new InvalidOptionError('Every execution provider needs a name, for example "cuda".', { parameter: "executionProviders" });
    }
    const texts = Object.entries(options).map(([key, value]) => [key, typeof value === "boolean" ? Number(value) : value] as const);
    return { name: providerShortName(name), options: Object.fromEntries(texts.map(([key, value]) => [key, String(value)])) };
  });
}
