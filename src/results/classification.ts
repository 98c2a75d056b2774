import {
  provenanceToJson,
  requireClassNames,
  requireColumn,
  requireImageInfo,
  requireIndex,
  resolveCount,
  shortestFloat,
} from "./columns.js";
import type {
  Classification,
  ClassificationJson,
  ClassScore,
  ImageInfo,
  MultiLabelClassification,
  MultiLabelClassificationJson,
  Provenance,
  ResultBase,
  RoboflowClassificationJson,
  RoboflowMultiLabelClassificationJson,
  ServedBy,
  Timings,
} from "./types.js";

/** What every classification is made from; `probabilities` is float32 `[classes]`. */
export interface ClassificationColumns extends Partial<Provenance> {
  readonly image: ImageInfo;
  readonly probabilities: Float32Array;
  readonly classNames: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface MultiLabelClassificationColumns extends ClassificationColumns {
  /** Ascending. */
  readonly classIds: Int32Array;
}

abstract class Probabilities<Kind extends string> implements ResultBase<Kind> {
  abstract readonly kind: Kind;
  readonly image: ImageInfo;
  readonly probabilities: Float32Array;
  readonly classNames: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly servedBy: ServedBy | null;
  readonly timings: Timings | null;

  constructor({ image, probabilities, classNames, metadata = {}, servedBy = null, timings = null }: ClassificationColumns) {
    this.image = image;
    this.probabilities = probabilities;
    this.classNames = classNames;
    this.metadata = metadata;
    this.servedBy = servedBy;
    this.timings = timings;
  }

  top(count: number): readonly ClassScore[] {
    return [...this.probabilities.keys()]
      .sort((a, b) => descending(this.probabilities[a], this.probabilities[b]))
      .slice(0, resolveCount("count", count))
      .map((classId) => this.score(classId));
  }

  protected score(classId: number): ClassScore {
    return { classId, className: this.classNames[classId] ?? "", confidence: this.probabilities[classId] ?? 0 };
  }
}

/** Greatest first, NaN last; the sort is stable, so equal ones keep their order. */
function descending(a = Number.NaN, b = Number.NaN): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return b - a;
}

const scoreToJson = ({ classId, className, confidence }: ClassScore) => ({
  class: className,
  class_id: classId,
  confidence: shortestFloat(confidence),
});

class SingleLabel extends Probabilities<"classification"> implements Classification {
  readonly kind = "classification";
  readonly classId: number;

  constructor(columns: ClassificationColumns) {
    super(columns);
    this.classId = firstGreatest(columns.probabilities);
    Object.freeze(this);
  }

  get className(): string {
    return this.classNames[this.classId] ?? "";
  }
  get confidence(): number {
    return this.probabilities[this.classId] ?? 0;
  }

  toJSON(): ClassificationJson {
    return {
      kind: this.kind,
      ...scoreToJson(this.score(this.classId)),
      predictions: this.top(this.probabilities.length).map(scoreToJson),
      ...provenanceToJson(this),
    };
  }

  toRoboflowJson(): RoboflowClassificationJson {
    const { width, height } = this.image;
    return {
      image: { width, height },
      predictions: this.top(this.probabilities.length).map(scoreToJson),
      top: this.className,
      confidence: shortestFloat(this.confidence),
    };
  }
}

/** The first one where several are greatest; NaN is passed over. */
function firstGreatest(probabilities: Float32Array): number {
  let best = 0;
  for (let id = 1; id < probabilities.length; id++) {
    const [value = Number.NaN, leader = Number.NaN] = [probabilities[id], probabilities[best]];
    if (value > leader || (Number.isNaN(leader) && !Number.isNaN(value))) best = id;
  }
  return best;
}

class MultiLabel extends Probabilities<"multi-label-classification"> implements MultiLabelClassification {
  readonly kind = "multi-label-classification";
  readonly classIds: Int32Array;

  constructor(columns: MultiLabelClassificationColumns) {
    super(columns);
    this.classIds = columns.classIds;
    Object.freeze(this);
  }

  get labels(): readonly ClassScore[] {
    return Array.from(this.classIds, (id) => this.score(id));
  }

  toJSON(): MultiLabelClassificationJson {
    return {
      kind: this.kind,
      labels: this.labels.map(scoreToJson),
      predictions: Array.from(this.probabilities.keys(), (id) => scoreToJson(this.score(id))),
      ...provenanceToJson(this),
    };
  }

  toRoboflowJson(): RoboflowMultiLabelClassificationJson {
    const { width, height } = this.image;
    const scores = Array.from(this.probabilities.keys(), (id) => this.score(id));
    return {
      image: { width, height },
      predictions: Object.fromEntries(
        scores.map(({ classId, className, confidence }) => [className, { confidence: shortestFloat(confidence), class_id: classId }]),
      ),
      predicted_classes: this.labels.map(({ className }) => className),
    };
  }
}

function check({ image, probabilities, classNames }: ClassificationColumns): void {
  requireImageInfo(image);
  requireColumn("probabilities", probabilities, Float32Array);
  requireClassNames(classNames);
}

/** @internal */
export function columnsOfClassification({
  image,
  probabilities,
  classNames,
  metadata,
  servedBy,
  timings,
}: Classification): Required<ClassificationColumns> {
  return { image, probabilities, classNames, metadata, servedBy, timings };
}

/** @internal */
export function columnsOfMultiLabelClassification({
  image,
  probabilities,
  classNames,
  metadata,
  servedBy,
  timings,
  classIds,
}: MultiLabelClassification): Required<MultiLabelClassificationColumns> {
  return { image, probabilities, classNames, metadata, servedBy, timings, classIds };
}

/** One label for a picture: its greatest probability. The array is taken over, not copied. @throws InvalidParameterError */
export function createClassification(columns: ClassificationColumns): Classification {
  check(columns);
  requireIndex("probabilities", 0, columns.probabilities.length);
  return new SingleLabel(columns);
}

/** The labels that a picture has. The arrays are taken over, not copied. @throws InvalidParameterError */
export function createMultiLabelClassification(columns: MultiLabelClassificationColumns): MultiLabelClassification {
  check(columns);
  requireColumn("classIds", columns.classIds, Int32Array);
  for (const id of columns.classIds) requireIndex("classIds", id, columns.probabilities.length);
  return new MultiLabel(columns);
}
