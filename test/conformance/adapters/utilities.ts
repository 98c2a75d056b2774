import { parseBoolean, parseInteger, parseIntegerList, parseNumber, splitList, ENVIRONMENT_VARIABLES } from "../../../src/configuration.js";
import { elementTypeFromOnnx, isCastable, planBatches } from "../../../src/engines/index.js";
import type { ElementType } from "../../../src/engines/index.js";
import { ERROR_CLASSES } from "../../../src/errors.js";
import { NotCovered, type AdapterTable } from "../adapter.js";
import { decodeArray, encodeArray, type VectorArray } from "../values.js";

const NAME = "VARIABLE";

interface Setting<T> {
  readonly value: string | null;
  readonly default?: T;
}

/** A setting that may be absent: the default, where the vectors give one. */
function setting<T>(parse: (name: string, text: string) => T) {
  return ({ value, default: standard }: Setting<T>) => {
    if (value !== null) return { value: parse(NAME, value) };
    if (standard === undefined) throw new NotCovered("what no value and no default means is the caller's business");
    return { value: standard };
  };
}

const SPELLINGS: Readonly<Record<string, string>> = {
  InferenceModelsError: "BaseInferenceModelsError",
  FileHashSumMismatchError: "FileHashSumMissmatch",
};

export const adapters: AdapterTable = {
  "parse-boolean-env": { "": setting(parseBoolean) },
  "parse-integer-env": { "": setting(parseInteger) },
  "parse-float-env": { "": setting(parseNumber) },
  "parse-integer-list-env": { "": setting(parseIntegerList) },
  "split-comma-separated": { "": (input: { readonly value: string }) => ({ values: splitList(input.value) }) },
  "configuration-default": {
    "": (input: { readonly name: string }) => {
      const variable = ENVIRONMENT_VARIABLES.find(({ name }) => name === input.name);
      if (variable === undefined) throw new NotCovered(`${input.name} is not a setting of this library yet`);
      return { value: JSON.parse(variable.standard) as unknown };
    },
  },
  "error-hierarchy": {
    "": (input: { readonly type: string }) => {
      const start = ERROR_CLASSES.find(({ className }) => (SPELLINGS[className] ?? className) === input.type);
      if (start === undefined) throw new NotCovered(`${input.type} is not an error of this library`);
      const ancestors: string[] = [];
      for (
        let current = Object.getPrototypeOf(start) as { readonly className?: string } | null;
        current?.className !== undefined;
        current = Object.getPrototypeOf(current) as typeof current
      ) {
        ancestors.push(SPELLINGS[current.className] ?? current.className);
      }
      return { ancestors };
    },
  },
  "onnx-tensor-type": { "": (input: { readonly onnx_type: string }) => ({ dtype: elementTypeFromOnnx(input.onnx_type) }) },
  "onnx-input-castable": {
    "": (input: { readonly source: ElementType; readonly target: ElementType }) => ({ castable: isCastable(input.source, input.target) }),
  },
  "plan-session-batches": {
    "": (input: { readonly batch_size: number; readonly min_batch_size?: number; readonly max_batch_size?: number }) => {
      const { min_batch_size: min, max_batch_size: max } = input;
      const chunks = planBatches(input.batch_size, { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) });
      // The session of the vectors doubles its input, which is 1, 2, 3, ...
      const results = chunks.flatMap(({ start, count }) => Array.from({ length: count }, (_, index) => 2 * (start + index + 1)));
      return { session_batch_sizes: chunks.map(({ count, padding }) => count + padding), results };
    },
  },
  "generate-batch-chunks": {
    "": (input: { readonly batch: VectorArray; readonly chunk_size: number }) => {
      const [size = 0, ...rest] = input.batch.shape;
      const row = rest.reduce((product, dim) => product * dim, 1);
      const data = decodeArray(input.batch) as Float32Array;
      const chunks = planBatches(size, { min: input.chunk_size, max: input.chunk_size }).map(({ start, count, padding }) => {
        const chunk = new (data.constructor as Float32ArrayConstructor)((count + padding) * row);
        chunk.set(data.subarray(start * row, (start + count) * row));
        return { chunk: encodeArray(chunk, [count + padding, ...rest]), padding };
      });
      return { chunks };
    },
  },
};
