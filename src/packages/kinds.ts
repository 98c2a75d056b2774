/** Words that packages are described with; the same ones in files, in answers of providers and in what callers ask for. */

/** What runs a package. */
export const BACKENDS = ["torch", "torch-script", "onnx", "trt", "hugging-face", "ultralytics", "custom"] as const;
export type BackendType = (typeof BACKENDS)[number];

/** How numbers of the network are kept. */
export const QUANTIZATIONS = ["fp32", "fp16", "bf16", "int8", "unknown"] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];
