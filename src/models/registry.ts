/** From (architecture, task, backend) to the code that understands it. A family adds rows here and a file beside the others. */
import { ModelImplementationNotFoundError } from "../errors.js";
import { closest } from "../options.js";
import type { BackendType } from "../packages/index.js";
import type { TaskType } from "./contract.js";
import type { Family } from "./family.js";

export interface RegistryEntry {
  readonly architecture: string;
  readonly task: TaskType;
  readonly backend: BackendType;
  /** Keys of `model_features` that packages may declare. */
  readonly supportedFeatures: readonly string[];
  /** Keys that packages must declare; default none. */
  readonly requiredFeatures?: readonly string[];
  /** Imported when the first model of the kind is loaded. */
  readonly load: () => Promise<{ readonly family: Family }>;
}

const RFDETR_FEATURES = ["resolution", "patch_size", "num_windows", "dec_layers", "num_queries", "num_select"];

function detector(architecture: string, load: RegistryEntry["load"], supportedFeatures: readonly string[] = []): RegistryEntry {
  return { architecture, task: "object-detection", backend: "onnx", supportedFeatures, load };
}

function entry(architecture: string, task: TaskType, load: RegistryEntry["load"]): RegistryEntry {
  return { architecture, task, backend: "onnx", supportedFeatures: [], load };
}

const loadYoloClassifier = () => import("./families/classifier.js").then(({ yoloClassifier: family }) => ({ family }));
const loadStretchClassifier = () => import("./families/classifier.js").then(({ stretchClassifier: family }) => ({ family }));

function segmenter(architecture: string, load: RegistryEntry["load"], supportedFeatures: readonly string[] = []): RegistryEntry {
  return { architecture, task: "instance-segmentation", backend: "onnx", supportedFeatures, load };
}

function keyPoints(architecture: string, load: RegistryEntry["load"], supportedFeatures: readonly string[] = []): RegistryEntry {
  return { architecture, task: "keypoint-detection", backend: "onnx", supportedFeatures, load };
}

const loadYolov8 = () => import("./families/yolov8.js");

const ONNX_ENTRIES: readonly RegistryEntry[] = [
  detector("yolov5", () => import("./families/yolov5.js")),
  ...["yolov8", "yolov9", "yolov11", "yolov12"].map((architecture) => detector(architecture, loadYolov8, ["nms_fused"])),
  detector("yolov10", () => import("./families/yolov10.js")),
  detector("yolo26", () => import("./families/yolo26.js")),
  detector("yolonas", () => import("./families/yolonas.js")),
  detector("yololite", () => import("./families/yololite.js"), ["nms_fused"]),
  detector("rfdetr", () => import("./families/rfdetr.js"), RFDETR_FEATURES),
  segmenter("yolov5", () => import("./families/yolov5-segmentation.js")),
  segmenter("yolov7", () => import("./families/yolov7-segmentation.js")),
  ...["yolov8", "yolov11"].map((architecture) => segmenter(architecture, () => import("./families/yolov8-segmentation.js"), ["nms_fused"])),
  segmenter("yolo26", () => import("./families/yolo26-segmentation.js")),
  segmenter("yolact", () => import("./families/yolact.js")),
  segmenter("rfdetr", () => import("./families/rfdetr-segmentation.js"), RFDETR_FEATURES),
  ...["yolov8", "yolov11"].map((architecture) => keyPoints(architecture, () => import("./families/yolov8-key-points.js"), ["nms_fused"])),
  keyPoints("yolo26", () => import("./families/yolo26-key-points.js")),
  keyPoints("rfdetr", () => import("./families/rfdetr-key-points.js"), RFDETR_FEATURES),
  keyPoints("mediapipe-face-detector", () => import("./families/mediapipe-face-detector.js")),
  entry("yolov8", "classification", loadYoloClassifier),
  entry("yolov11", "classification", loadYoloClassifier),
  entry("vit", "classification", loadStretchClassifier),
  entry("resnet", "classification", loadStretchClassifier),
  entry("dinov3_probe", "classification", loadStretchClassifier),
  entry("deep-lab-v3-plus", "semantic-segmentation", () =>
    import("./families/semantic-segmentation.js").then((m) => ({ family: m.deepLab })),
  ),
  entry("yolo26", "semantic-segmentation", () => import("./families/semantic-segmentation.js").then((m) => ({ family: m.yolo26 }))),
  entry("clip", "embedding", () => import("./families/clip.js")),
  entry("sam", "interactive-instance-segmentation", () => import("./families/sam.js").then((m) => ({ family: m.sam }))),
  entry("sam2", "interactive-instance-segmentation", () => import("./families/sam.js").then((m) => ({ family: m.sam2 }))),
  entry("l2cs-net", "gaze-detection", () => import("./families/l2cs-net.js")),
  entry("owlv2", "open-vocabulary-object-detection", () => import("./families/owlv2.js")),
  entry("grounding-dino", "open-vocabulary-object-detection", () => import("./families/grounding-dino.js")),
  entry("pp-ocrv6-det", "object-detection", () => import("./families/text/detector.js")),
  entry("pp-ocrv6-rec", "text-only-ocr", () => import("./families/text/recogniser.js")),
  entry("yolo26", "depth-estimation", () => import("./families/depth.js").then((m) => ({ family: m.yolo26 }))),
  entry("depth-anything-v2", "depth-estimation", () => import("./families/depth.js").then((m) => ({ family: m.depthAnything }))),
  entry("vit", "multi-label-classification", () => import("./families/classifier.js").then((m) => ({ family: m.vitMultiLabel }))),
  entry("resnet", "multi-label-classification", () => import("./families/classifier.js").then((m) => ({ family: m.resnetMultiLabel }))),
  entry("dinov3_probe", "multi-label-classification", () =>
    import("./families/classifier.js").then((m) => ({ family: m.dinov3MultiLabel })),
  ),
];

/**
 * Whose networks are also built as TensorRT engines; outputs are those of the ONNX file that an engine was made from. Engines with features
 * (NMS inside the network) are not taken, as in the reference, until one has been run on a GPU.
 */
const WITH_ENGINES: Readonly<Partial<Record<TaskType, readonly string[]>>> = {
  "object-detection": ["yolov5", "yolov8", "yolov9", "yolov10", "yolov11", "yolov12", "yolo26", "yolonas", "rfdetr"],
  "instance-segmentation": ["yolov5", "yolov7", "yolov8", "yolov11", "yolo26", "yolact", "rfdetr"],
  "keypoint-detection": ["yolov8", "yolov11", "yolo26"],
  "semantic-segmentation": ["yolo26", "deep-lab-v3-plus"],
  "depth-estimation": ["yolo26"],
  classification: ["vit", "resnet"],
  "multi-label-classification": ["vit", "resnet"],
};

export const REGISTRY: readonly RegistryEntry[] = [
  ...ONNX_ENTRIES,
  ...ONNX_ENTRIES.filter(({ architecture, task }) => WITH_ENGINES[task]?.includes(architecture)).map((entry): RegistryEntry => ({
    ...entry,
    backend: "trt",
    supportedFeatures: [],
  })),
];

/** What a package says about itself, as far as the choice of code depends on it. */
export interface ImplementationQuery {
  readonly architecture: string;
  readonly task: string | null;
  readonly backend: BackendType;
  /** Keys of `model_features`. */
  readonly features: readonly string[];
}

/** What the Python library runs on PyTorch alone: published packages of these have nothing that could run here. */
const PYTORCH_ONLY = new Set([
  ...["cosmos-3-edge", "cosmos-3-edge-world", "depth-anything-v3", "doctr", "easy-ocr", "florence-2", "gemma-4", "glm-ocr", "mage-vl"],
  ...["moondream2", "paligemma", "paligemma-2", "perception-encoder", "qwen25vl", "qwen3vl", "qwen3_5", "qwen3_8", "roboflow-instant"],
  ...["sam2video", "sam3", "sam3trackervideo", "sam3video", "segment-anything-2-rt", "smolvlm-v2", "tr-ocr"],
]);

function lookUp({ architecture, task, backend, features }: ImplementationQuery, registry: readonly RegistryEntry[]) {
  return registry.find(
    (entry) =>
      entry.architecture === architecture &&
      entry.task === task &&
      entry.backend === backend &&
      features.every((feature) => entry.supportedFeatures.includes(feature)) &&
      (entry.requiredFeatures ?? []).every((feature) => features.includes(feature)),
  );
}

/** Whether there is code for such a package. */
export function hasImplementation(query: ImplementationQuery, registry: readonly RegistryEntry[] = REGISTRY): boolean {
  return lookUp(query, registry) !== undefined;
}

/** @throws ModelImplementationNotFoundError that says which part of the query is the unknown one. */
export function findImplementation(query: ImplementationQuery, registry: readonly RegistryEntry[] = REGISTRY): RegistryEntry {
  const found = lookUp(query, registry);
  if (found !== undefined) return found;
  const { architecture, task, backend, features } = query;
  throw new ModelImplementationNotFoundError(
    `No implementation for architecture "${architecture}", task "${task ?? "(none)"}", backend "${backend}"${features.length > 0 ? ` with features ${features.join(", ")}` : ""}. ${explain(query, registry)}`,
    { architecture, taskType: task, backend, features },
  );
}

function explain({ architecture, task, backend, features }: ImplementationQuery, registry: readonly RegistryEntry[]): string {
  const sameArchitecture = registry.filter((entry) => entry.architecture === architecture);
  if (PYTORCH_ONLY.has(architecture)) {
    return "It needs PyTorch, which this package does without; docs/families.md says what runs here instead.";
  }
  if (sameArchitecture.length === 0) {
    const known = [...new Set(registry.map((entry) => entry.architecture))];
    const suggestion = closest(architecture, known);
    return `${suggestion === null ? "" : `Did you mean "${suggestion}"? `}Known architectures: ${known.join(", ")}.`;
  }
  const sameTask = sameArchitecture.filter((entry) => entry.task === task);
  if (sameTask.length === 0) return `Tasks of this architecture here: ${sameArchitecture.map((entry) => entry.task).join(", ")}.`;
  const sameBackend = sameTask.filter((entry) => entry.backend === backend);
  if (sameBackend.length === 0) return `Backends of this architecture here: ${sameTask.map((entry) => entry.backend).join(", ")}.`;
  const unsupported = features.filter((feature) => !sameBackend.some((entry) => entry.supportedFeatures.includes(feature)));
  if (unsupported.length === 0) return "The package lacks a feature that this architecture needs.";
  return `The package declares features this version does not know: ${unsupported.join(", ")}. A newer version may.`;
}
