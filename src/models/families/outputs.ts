/** Checks shared by the families: what a network's ports must look like, and how raw outputs are read. */
import { float16ToFloat32 } from "../../engines/index.js";
import type { Tensor, TensorPort } from "../../engines/index.js";
import { CorruptedModelPackageError, ModelRuntimeError } from "../../errors.js";
import type { Size } from "../../imaging/index.js";

/** Prints `[1, 84, 8400]`, symbolic dimensions by name. */
export function formatDims(dims: readonly (number | string)[] | null): string {
  return dims === null ? "not a tensor" : `[${dims.map((dim) => (dim === "" ? "?" : String(dim))).join(", ")}]`;
}

/** A network of another shape than its family's. */
export function wrongNetwork(message: string): CorruptedModelPackageError {
  return new CorruptedModelPackageError(
    `${message} The package's model_config.json, class_names.txt and network do not belong together: export the model again, or correct model_architecture and the class list.`,
    { kind: "engine" },
  );
}

/**
 * Dims of an output port with the wanted rank; symbolic dimensions come back as null.
 * @throws CorruptedModelPackageError
 */
export function requireOutput(outputs: readonly TensorPort[], index: number, rank: number, meaning: string): readonly (number | null)[] {
  const port = outputs[index];
  if (port === undefined) throw wrongNetwork(`The network has ${outputs.length} output(s); output ${index} (${meaning}) is missing.`);
  // Exporters that leave an output without shape information give no dims at all: nothing can be checked then.
  if (port.dims === null || (port.dims.length === 0 && rank > 0)) return Array.from({ length: rank }, () => null);
  if (port.dims.length !== rank) throw wrongNetwork(`Output "${port.name}" has shape ${formatDims(port.dims)}; expected ${meaning}.`);
  return port.dims.map((dim) => (typeof dim === "number" ? dim : null));
}

/** @throws CorruptedModelPackageError when a fixed class dimension contradicts the class list. */
export function requireClassCount(found: number | null, expected: number, meaning: string): void {
  if (found !== null && found !== expected) {
    throw wrongNetwork(`The network has ${found} classes (${meaning}) but class_names.txt lists ${expected}.`);
  }
}

/** First input: `[batch, 3, height, width]`, fixed sides equal to the configured size. @throws CorruptedModelPackageError */
export function requireImageInput(inputs: readonly TensorPort[], size: Size): TensorPort {
  const [input] = inputs;
  if (input === undefined) throw wrongNetwork("The network has no inputs.");
  const { dims } = input;
  if (dims === null) throw wrongNetwork(`Input "${input.name}" is not a tensor.`);
  if (input.type !== "float32" && input.type !== "float16") {
    throw wrongNetwork(`Input "${input.name}" takes ${String(input.type)}; pictures are handed over as float32 or float16.`);
  }
  const [, channels, height, width] = dims;
  const matches = (dim: number | string | undefined, wanted: number): boolean => typeof dim === "string" || dim === wanted;
  if (dims.length !== 4 || !matches(channels, 3) || !matches(height, size.height) || !matches(width, size.width)) {
    throw wrongNetwork(
      `Input "${input.name}" has shape ${formatDims(dims)}; inference_config.json asks for [batch, 3, ${size.height}, ${size.width}].`,
    );
  }
  return input;
}

/** Float32 view of an output; half precision is widened so that all arithmetic is float32. */
export function floatData(outputs: readonly Tensor[], index: number): { readonly data: Float32Array; readonly dims: readonly number[] } {
  const tensor = outputs[index];
  if (tensor === undefined)
    throw new ModelRuntimeError(`The network returned ${outputs.length} output(s); output ${index} is missing.`, { stage: "postprocess" });
  const { data, dims, type } = tensor;
  if (data instanceof Float32Array) return { data, dims };
  if (type === "float16" && data instanceof Uint16Array) return { data: float16ToFloat32(data), dims };
  if (data instanceof Float64Array) return { data: Float32Array.from(data), dims };
  throw new ModelRuntimeError(`The network returned ${type} for output ${index}; floating-point values were expected.`, {
    stage: "postprocess",
  });
}

/** Dims of a tensor that must have `rank` of them. */
export function requireRank(dims: readonly number[], rank: number, meaning: string): readonly number[] {
  if (dims.length === rank) return dims;
  throw new ModelRuntimeError(`The network returned an output of shape ${formatDims(dims)}; expected ${meaning}.`, {
    stage: "postprocess",
  });
}
