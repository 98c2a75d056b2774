/** Checks of what goes into a run, before anything is submitted: messages name the port, what it expects and what came. */
import { ModelInputError, ModelRuntimeError } from "../errors.js";
import { elementArray } from "./element-types.js";
import type { PictureBatch, Tensor, TensorPort } from "./types.js";

/** Input tensors in the order of the ports. @throws ModelInputError */
export function checkInputs(
  ports: readonly TensorPort[],
  inputs: Readonly<Record<string, Tensor>>,
): readonly (Tensor & { readonly name: string })[] {
  const unknown = Object.keys(inputs).find((name) => !ports.some((port) => port.name === name));
  if (unknown !== undefined) {
    throw new ModelInputError(`The network has no input "${unknown}". Its inputs are ${names(ports)}.`);
  }
  return ports.map((port) => {
    const tensor = Object.hasOwn(inputs, port.name) ? inputs[port.name] : undefined;
    if (tensor === undefined) throw new ModelInputError(`Input "${port.name}" is missing. The network's inputs are ${names(ports)}.`);
    checkTensor(port, tensor);
    return { name: port.name, type: tensor.type, dims: tensor.dims, data: tensor.data };
  });
}

/** Names of the outputs to compute. @throws ModelInputError for unknown names, ModelRuntimeError for ports that are no tensors */
export function checkOutputs(ports: readonly TensorPort[], wanted: readonly string[] | undefined): readonly string[] {
  const chosen = wanted ?? ports.map((port) => port.name);
  if (chosen.length === 0) throw new ModelInputError(`At least one output has to be asked for. The network's outputs are ${names(ports)}.`);
  for (const name of chosen) {
    const port = ports.find((candidate) => candidate.name === name);
    if (port === undefined) throw new ModelInputError(`The network has no output "${name}". Its outputs are ${names(ports)}.`);
    if (port.kind === "optional" || (port.kind === "tensor" && port.type !== null)) continue;
    const what = port.kind === "tensor" ? "has elements of an unsupported type" : `is a ${port.kind}`;
    throw new ModelRuntimeError(`Output "${name}" ${what}; only tensors can be read. Ask for other outputs with the option "outputs".`, {
      stage: "onnxruntime.run",
    });
  }
  return [...new Set(chosen)];
}

/** An input may be called "pictures", but a tensor is no array. */
export function isPictureBatch(input: PictureBatch | Readonly<Record<string, Tensor>>): input is PictureBatch {
  return Array.isArray((input as Partial<PictureBatch>).pictures);
}

/** Number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

function checkTensor(port: TensorPort, { type, dims, data }: Tensor): void {
  const problem = (what: string): ModelInputError => new ModelInputError(`Input "${port.name}" expects ${describe(port)}; ${what}.`);
  if (port.kind !== "tensor" || port.type === null || port.dims === null) throw problem("such inputs are not supported");
  if (type !== port.type) throw problem(`received type ${type}`);
  if (!Array.isArray(dims) || !dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw problem(`received dims that are not sizes: ${JSON.stringify(dims)}`);
  }
  const fits = dims.length === port.dims.length && port.dims.every((size, axis) => typeof size === "string" || size === dims[axis]);
  if (!fits) throw problem(`received shape [${dims.join(", ")}]`);
  const right = type === "string" ? Array.isArray(data) : data instanceof elementArray(type);
  if (!right)
    throw problem(
      `received data in ${constructorName(data)}, not in ${type === "string" ? "an array of strings" : elementArray(type).name}`,
    );
  if (data.length !== elementCount(dims)) {
    throw problem(`received shape [${dims.join(", ")}] with ${data.length} elements of data, not ${elementCount(dims)}`);
  }
}

function describe({ kind, type, dims }: TensorPort): string {
  if (kind !== "tensor") return `a value of kind ${kind}`;
  return `${type ?? "an unsupported element type"} [${(dims ?? []).map((size) => (size === "" ? "?" : size)).join(", ")}]`;
}

function constructorName(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : String(value);
}

function names(ports: readonly TensorPort[]): string {
  return ports.map((port) => `"${port.name}"`).join(", ");
}
