/** What a checkpoint file is, which only the caller can say: the file names neither its architecture nor its task. */
import { InvalidModelInitParameterError, MissingModelInitParameterError } from "../errors.js";
import { closest } from "../options.js";
import type { AutoModelOptions } from "./options.js";

const DETECTORS = ["nano", "small", "base", "medium", "large", "xlarge", "2xlarge"];
const SEGMENTERS = ["preview", "nano", "small", "medium", "large", "xlarge", "2xlarge", "xxlarge"];
const MODEL_TYPES = [...DETECTORS.map((size) => `rfdetr-${size}`), ...SEGMENTERS.map((size) => `rfdetr-seg-${size}`)];
const TASKS = ["object-detection", "instance-segmentation"] as const;

export interface CheckpointKind {
  readonly modelType: string;
  readonly architecture: "rfdetr";
  readonly task: (typeof TASKS)[number];
}

function invalid(parameter: string, message: string): InvalidModelInitParameterError {
  return new InvalidModelInitParameterError(message, { parameter });
}

/** Checkpoints are PyTorch's; `torch` stands for whatever runs them here. */
function requireBackend(backend: AutoModelOptions["backend"]): void {
  const names = backend === undefined ? [] : [backend].flat();
  if (names.every((name) => name.toLowerCase() === "torch")) return;
  throw invalid("backend", `A checkpoint file is loaded as "torch", but backend is ${JSON.stringify(backend)}. Leave it out.`);
}

/**
 * A type with `-seg-` means instance segmentation unless the task is given (the Python library takes most of them for detectors).
 * @throws MissingModelInitParameterError without a model type; InvalidModelInitParameterError for an unknown type, task or backend.
 */
export function resolveCheckpointKind({
  modelType,
  taskType,
  backend,
}: Pick<AutoModelOptions, "modelType" | "taskType" | "backend">): CheckpointKind {
  if (modelType === undefined) {
    throw new MissingModelInitParameterError(
      `A checkpoint file does not say what it is. Pass modelType, one of ${MODEL_TYPES.join(", ")}.`,
      {
        parameter: "modelType",
      },
    );
  }
  if (!MODEL_TYPES.includes(modelType)) {
    const suggestion = closest(modelType, MODEL_TYPES);
    const meant = suggestion === null ? "" : ` Did you mean "${suggestion}"?`;
    throw invalid("modelType", `"${modelType}" is no type of checkpoint.${meant} Known: ${MODEL_TYPES.join(", ")}.`);
  }
  const standard = modelType.includes("-seg-") ? "instance-segmentation" : "object-detection";
  const task = taskType === undefined ? standard : TASKS.find((one) => one === taskType);
  if (task === undefined) throw invalid("taskType", `A checkpoint is for ${TASKS.join(" or ")}, but taskType is "${taskType ?? ""}".`);
  requireBackend(backend);
  return { modelType, architecture: "rfdetr", task };
}
