/** ONNX Runtime's providers with the options that they need here: the device, and for TensorRT a place for its engines. */
import type { ExecutionProvider } from "../engines/index.js";
import { providerShortName } from "../environment/index.js";
import { parseDevice } from "../negotiation/index.js";

interface Placement {
  /** As resolved: `cpu`, `cuda`, `cuda:1`. */
  readonly device: string;
  /** Folder of the package. */
  readonly directory: string;
  readonly defaultOnnxTrtOptions: boolean;
}

/**
 * The device's index goes to the providers that have devices. TensorRT keeps the engines that it builds in the package's folder, since
 * building one takes minutes, and computes in half precision. Providers that come with options of their own are left as they are.
 */
export function withProviderDefaults(
  providers: readonly ExecutionProvider[],
  { device, directory, defaultOnnxTrtOptions }: Placement,
): readonly ExecutionProvider[] {
  const { type, index } = parseDevice(device);
  const place: Readonly<Record<string, number>> = type === "cuda" && index !== null ? { device_id: index } : {};
  const trt = { trt_engine_cache_enable: true, trt_engine_cache_path: directory, trt_fp16_enable: true, ...place };
  const defaults: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>> = {
    cuda: place,
    tensorrt: defaultOnnxTrtOptions ? trt : place,
  };
  return providers.map((provider) => {
    if (typeof provider !== "string") return provider;
    const options = defaults[providerShortName(provider)];
    return options === undefined || Object.keys(options).length === 0 ? provider : { name: provider, options };
  });
}
