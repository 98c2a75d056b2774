/** Class probabilities of classifiers, through the families that models use. */
import { referenceDecoder } from "../../../src/models/decoding/index.js";
import { resolveScoreOptions } from "../../../src/models/options.js";
import { createClassification } from "../../../src/results/index.js";
import type { AdapterTable } from "../adapter.js";
import { encodeArray, type VectorArray } from "../values.js";
import { contentsWith, familyOf, networkWith } from "./family.js";
import { NO_GEOMETRY, NO_IMAGE, recommendedOf, toTensor, type VectorRecommended } from "./shared.js";

interface ClassificationCase {
  readonly model_architecture: string;
  readonly model_outputs: readonly VectorArray[];
  readonly activation_fused: boolean;
}

interface MultiLabelCase extends ClassificationCase {
  /** For single labels it decides about loading alone, which these vectors are not about. */
  readonly post_processing_declared?: false;
  readonly class_names: readonly string[];
  readonly parameters: { readonly confidence?: number | "best" | "default" };
  readonly recommended_parameters?: VectorRecommended;
}

export const adapters: AdapterTable = {
  "post-process-classification": {
    "": async (input: ClassificationCase) => {
      const family = await familyOf(input.model_architecture, "classification");
      const outputs = input.model_outputs.map(toTensor);
      const [batch = 0, classes = 0] = input.model_outputs[0]?.shape ?? [];
      const classNames = Array.from({ length: classes }, (_, id) => String(id));
      const description = family.describe(
        contentsWith(classNames, { type: "softmax", fused: input.activation_fused }),
        networkWith(outputs),
      );
      const results = await Promise.all(
        Array.from({ length: batch }, async (_, image) => {
          const probabilities = await family.decode(outputs, image, NO_GEOMETRY, description, {}, referenceDecoder);
          return createClassification({ image: NO_IMAGE, probabilities, classNames });
        }),
      );
      return {
        class_id: encodeArray(
          Int32Array.from(results, ({ classId }) => classId),
          [batch],
        ),
        confidence: encodeArray(Float32Array.from(results.flatMap(({ probabilities }) => [...probabilities])), [batch, classes]),
      };
    },
  },
  "post-process-multi-label-classification": {
    "": async (input: MultiLabelCase) => {
      const family = await familyOf(input.model_architecture, "multi-label-classification");
      const outputs = input.model_outputs.map(toTensor);
      const [batch = 0, classes = 0] = input.model_outputs[0]?.shape ?? [];
      const { class_names: classNames, parameters } = input;
      const declared = input.post_processing_declared === false ? undefined : { type: "sigmoid", fused: input.activation_fused };
      const description = family.describe(contentsWith(classNames, declared), networkWith(outputs));
      const options = resolveScoreOptions(parameters, description.defaults, {
        task: "multi-label-classification",
        acceptsImageSize: false,
        classNames,
        recommended: recommendedOf(input.recommended_parameters),
        strict: false,
        warned: new Set(),
      });
      const predictions = await Promise.all(
        Array.from({ length: batch }, async (_, image) => {
          const { classIds, probabilities } = await family.decode(outputs, image, NO_GEOMETRY, description, options, referenceDecoder);
          return { class_ids: encodeArray(classIds, [classIds.length]), confidence: encodeArray(probabilities, [classes]) };
        }),
      );
      return { predictions };
    },
  },
};
