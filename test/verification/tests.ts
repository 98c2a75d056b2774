/** Which tests of this repository load a model of which family from start to end; the rest of what is known about them is recorded. */
import type { TaskType } from "../../src/models/index.js";

interface FamilyTests {
  readonly task: TaskType;
  readonly architectures: readonly string[];
  /**
   * `own`: a small network made by the test. `exported`: the family's own network, small and with random weights, from its exporter, against its
   * Python library. `real`: a published network of the family.
   */
  readonly network: "own" | "exported" | "real";
  /** From the root of the repository. */
  readonly file: string;
}

export const FAMILY_TESTS: readonly FamilyTests[] = [
  { task: "object-detection", architectures: ["yolov8"], network: "own", file: "test/auto/auto-model.test.ts" },
  {
    task: "instance-segmentation",
    architectures: ["yolov5", "yolov7", "yolov8", "yolov11", "yolo26", "yolact", "rfdetr"],
    network: "own",
    file: "test/models/families/segmentation.test.ts",
  },
  {
    task: "keypoint-detection",
    architectures: ["yolov8", "yolov11", "yolo26", "rfdetr"],
    network: "own",
    file: "test/models/families/key-points.test.ts",
  },
  {
    task: "keypoint-detection",
    architectures: ["mediapipe-face-detector"],
    network: "real",
    file: "test/models/families/mediapipe-face-detector.test.ts",
  },
  {
    task: "classification",
    architectures: ["yolov8", "yolov11", "vit", "resnet", "dinov3_probe"],
    network: "own",
    file: "test/models/tasks/classification.test.ts",
  },
  { task: "multi-label-classification", architectures: ["vit"], network: "own", file: "test/models/tasks/classification.test.ts" },
  { task: "semantic-segmentation", architectures: ["deep-lab-v3-plus", "yolo26"], network: "own", file: "test/models/tasks/maps.test.ts" },
  { task: "depth-estimation", architectures: ["yolo26", "depth-anything-v2"], network: "own", file: "test/models/tasks/maps.test.ts" },
  { task: "open-vocabulary-object-detection", architectures: ["owlv2"], network: "own", file: "test/models/tasks/open-vocabulary.test.ts" },
  {
    task: "interactive-instance-segmentation",
    architectures: ["sam", "sam2"],
    network: "own",
    file: "test/models/tasks/interactive-segmentation.test.ts",
  },
  { task: "embedding", architectures: ["clip"], network: "own", file: "test/models/tasks/embedding.test.ts" },
  {
    task: "open-vocabulary-object-detection",
    architectures: ["grounding-dino"],
    network: "own",
    file: "test/models/families/grounding-dino.test.ts",
  },
  ...(
    [
      ["open-vocabulary-object-detection", "owlv2", "grounding-dino"],
      ["interactive-instance-segmentation", "sam", "sam2"],
      ["embedding", "clip"],
      ["depth-estimation", "depth-anything-v2"],
    ] as const
  ).map(([task, ...architectures]) => ({
    task,
    architectures,
    network: "exported" as const,
    file: "test/models/families/exported.test.ts",
  })),
  { task: "gaze-detection", architectures: ["l2cs-net"], network: "own", file: "test/models/tasks/gaze.test.ts" },
  { task: "object-detection", architectures: ["pp-ocrv6-det"], network: "real", file: "test/pipelines/text-reading.test.ts" },
  { task: "text-only-ocr", architectures: ["pp-ocrv6-rec"], network: "real", file: "test/pipelines/text-reading.test.ts" },
];
