/** A family as the loader finds it, described for a package that a vector stands for. */
import { ModelImplementationNotFoundError } from "../../../src/errors.js";
import type { Tensor } from "../../../src/engines/index.js";
import type { Family, NetworkPorts } from "../../../src/models/index.js";
import { findImplementation } from "../../../src/models/index.js";
import { parseInferenceConfig, parseModelConfig } from "../../../src/packages/index.js";
import { NotCovered } from "../adapter.js";

/** @throws NotCovered for architectures that are not offered. */
export async function familyOf<Task extends Family["task"]>(
  architecture: string,
  task: Task,
): Promise<Extract<Family, { readonly task: Task }>> {
  try {
    const { family } = await findImplementation({ architecture, task, backend: "onnx", features: [] }).load();
    return family as Extract<Family, { readonly task: Task }>;
  } catch (error) {
    if (error instanceof ModelImplementationNotFoundError) throw new NotCovered(`${architecture} is not offered for ${task}`);
    throw error;
  }
}

/** A package with a 64 x 64 network; vectors say nothing about sizes, since they begin at the outputs. */
export function contentsWith(classNames: readonly string[] | null, postProcessing?: object) {
  const config = {
    network_input: {
      training_input_size: { width: 64, height: 64 },
      dynamic_spatial_size_supported: false,
      color_mode: "rgb",
      resize_mode: "stretch",
      input_channels: 3,
      scaling_factor: 255,
    },
    ...(postProcessing === undefined ? {} : { post_processing: postProcessing }),
  };
  return {
    directory: "/package",
    modelConfig: parseModelConfig("{}", { path: "model_config.json" }),
    inferenceConfig: parseInferenceConfig(
      JSON.stringify(config),
      { allowed: ["stretch"], substitutions: {}, maximumInputSize: null },
      { path: "inference_config.json" },
    ),
    classNames,
    texts: {},
  };
}

export function networkWith(outputs: readonly Tensor[]): NetworkPorts {
  const port = (name: string, dims: readonly (number | string)[]) => ({ name, kind: "tensor", type: "float32", dims }) as const;
  return { inputs: [port("images", ["batch", 3, 64, 64])], outputs: outputs.map(({ dims }, index) => port(`output${index}`, dims)) };
}
