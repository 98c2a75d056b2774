/** From a family to the model that callers hold: one row for each task. */
import type { AnyModel } from "../contract.js";
import type { Family, FamilyDescription, FamilyOf } from "../family.js";
import type { ModelParts } from "../loaded-model.js";
import { LoadedClassificationModel, LoadedMultiLabelClassificationModel } from "./classification.js";
import { LoadedEmbeddingModel } from "./embedding.js";
import { LoadedGazeDetectionModel } from "./gaze.js";
import { LoadedInstanceSegmentationModel } from "./instance-segmentation.js";
import { LoadedKeyPointModel } from "./key-points.js";
import { LoadedDepthEstimationModel, LoadedSemanticSegmentationModel } from "./maps.js";
import { LoadedObjectDetectionModel } from "./object-detection.js";
import { LoadedOpenVocabularyModel } from "./open-vocabulary.js";
import { LoadedTextRecognitionModel } from "./text.js";

type DescriptionOf<Task extends Family["task"]> = ReturnType<FamilyOf<Task>["describe"]>;

const MODEL_OF_TASK: {
  readonly [Task in Family["task"]]: new (parts: ModelParts<FamilyOf<Task>, DescriptionOf<Task>>) => AnyModel & { readonly task: Task };
} = {
  "object-detection": LoadedObjectDetectionModel,
  "instance-segmentation": LoadedInstanceSegmentationModel,
  "keypoint-detection": LoadedKeyPointModel,
  classification: LoadedClassificationModel,
  "multi-label-classification": LoadedMultiLabelClassificationModel,
  "semantic-segmentation": LoadedSemanticSegmentationModel,
  "depth-estimation": LoadedDepthEstimationModel,
  "text-only-ocr": LoadedTextRecognitionModel,
  "gaze-detection": LoadedGazeDetectionModel,
  embedding: LoadedEmbeddingModel,
  "open-vocabulary-object-detection": LoadedOpenVocabularyModel,
};

/** @param parts with the description that `parts.family` itself made. */
export function createModel(parts: ModelParts<Family, FamilyDescription>): AnyModel {
  // A row and its family belong to one task, which the compiler cannot see.
  const Model = MODEL_OF_TASK[parts.family.task] as new (parts: ModelParts<Family, FamilyDescription>) => AnyModel;
  return new Model(parts);
}
