/** What several kinds of manifests have in common. */
import * as z from "zod";

import { ModelMetadataConsistencyError } from "../../../errors.js";
import { QUANTIZATIONS, type ModelPackageMetadata } from "../../../packages/index.js";
import { boolean, integer, optional } from "../../../wire.js";
import { normalizeVersion } from "../../../versions.js";
import { describeIssues } from "../../issues.js";

/** The part of a package's metadata that its manifest tells; what it does not tell is null. */
export type ManifestContents = Pick<ModelPackageMetadata, "backend" | "quantization"> &
  Partial<
    Pick<
      ModelPackageMetadata,
      | "dynamicBatchSizeSupported"
      | "staticBatchSize"
      | "trtPackageDetails"
      | "onnxPackageDetails"
      | "torchScriptPackageDetails"
      | "environmentRequirements"
    >
  >;

/** @throws ModelMetadataConsistencyError */
export type ManifestReader = (manifest: unknown) => ManifestContents;

export const quantization = z.enum(QUANTIZATIONS);

/** Normal form of a version. @throws ModelMetadataConsistencyError */
export function requireVersion(text: string): string {
  const version = normalizeVersion(text);
  if (version === null) throw new ModelMetadataConsistencyError(`${JSON.stringify(text.slice(0, 60))} is not a version.`);
  return version;
}

export const version = z.string().transform(requireVersion);

export const batchFields = {
  dynamicBatchSize: boolean.default(false),
  staticBatchSize: optional(integer),
};

/** Exactly one of the two ways to say a batch size. @throws ModelMetadataConsistencyError */
export function requireConsistentBatch(isDynamic: boolean, staticSize: number | null): void {
  if (isDynamic && staticSize !== null) throw new ModelMetadataConsistencyError("The batch size is said to be dynamic and static at once.");
  if (!isDynamic && (staticSize === null || staticSize <= 0)) {
    throw new ModelMetadataConsistencyError("The batch size is neither dynamic nor a positive static one.");
  }
}

/** Both as the metadata has them. @throws ModelMetadataConsistencyError */
export function batchContents(raw: { readonly dynamicBatchSize: boolean; readonly staticBatchSize: number | null }) {
  requireConsistentBatch(raw.dynamicBatchSize, raw.staticBatchSize);
  return { dynamicBatchSizeSupported: raw.dynamicBatchSize, staticBatchSize: raw.staticBatchSize };
}

/** @throws ModelMetadataConsistencyError naming the fields that do not fit */
export function parseManifest<Schema extends z.ZodType>(schema: Schema, manifest: unknown): z.output<Schema> {
  const outcome = schema.safeParse(manifest);
  if (outcome.success) return outcome.data;
  throw new ModelMetadataConsistencyError(`The manifest is malformed: ${describeIssues(outcome.error)}.`, { cause: outcome.error });
}
