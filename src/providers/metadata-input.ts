/** The answers of custom providers: checked field by field, and completed. */
import * as z from "zod";

import { ModelMetadataConsistencyError } from "../errors.js";
import { checkUrl } from "../http/index.js";
import {
  BACKENDS,
  isMd5,
  QUANTIZATIONS,
  requireArtefactHandle,
  requirePackageId,
  type FileDownloadSpecs,
  type LocalFileArtefactSpecs,
  type ModelMetadata,
  type ModelPackageMetadata,
} from "../packages/index.js";
import { normalizeVersion } from "../versions.js";
import { optional } from "../wire.js";
import { describeIssues } from "./issues.js";

/** A text that a function of another room accepts; its refusal is the issue. */
function text(accept: (value: string) => string) {
  return z.string().transform((value, context) => {
    try {
      return accept(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

const notBlank = z.string().refine((value) => value.trim() !== "", { message: "is blank" });
const flag = z.boolean().default(false);
const size = optional(z.int().min(1));

const version = text((value) => {
  const normal = normalizeVersion(value);
  if (normal === null) throw new TypeError("is not a version");
  return normal;
});

const md5 = z.string().refine(isMd5, { message: "is not 32 lower-case hexadecimal digits" });

/** Code that the user registered may also name files of this machine; what an API answers may not. */
const address = text((value) => {
  if (!URL.canParse(value) || new URL(value).protocol !== "file:") checkUrl(value, { what: "a file" });
  return value;
});

const download = z.strictObject({
  kind: z.literal("download").default("download"),
  downloadUrl: address,
  fileHandle: text(requireArtefactHandle),
  md5Hash: optional(md5),
});
const local = z.strictObject({ kind: z.literal("local"), fileHandle: text(requireArtefactHandle), md5Hash: md5 });

/** Chosen by `kind`, so that the issues are those of the meant one. */
const artefact = z.unknown().transform((value, context): FileDownloadSpecs | LocalFileArtefactSpecs => {
  const isLocal = typeof value === "object" && value !== null && "kind" in value && value.kind === "local";
  const outcome = (isLocal ? local : download).safeParse(value);
  if (outcome.success) return outcome.data;
  for (const { path, message } of outcome.error.issues) context.addIssue({ code: "custom", path: [...path], message });
  return z.NEVER;
});

const recommended = optional(
  z.strictObject({ confidence: optional(z.number()), perClassConfidence: optional(z.record(z.string(), z.number())) }),
);

const machine = {
  cudaDeviceCc: version,
  cudaDeviceName: z.string(),
  driverVersion: optional(version),
  cudaVersion: optional(version),
  trtVersion: optional(version),
};

const packageSchema = z
  .strictObject({
    packageId: text(requirePackageId),
    backend: z.enum(BACKENDS),
    packageArtefacts: z.array(artefact),
    quantization: optional(z.enum(QUANTIZATIONS)),
    dynamicBatchSizeSupported: optional(z.boolean()),
    staticBatchSize: size,
    trtPackageDetails: optional(
      z.strictObject({
        minDynamicBatchSize: size,
        optDynamicBatchSize: size,
        maxDynamicBatchSize: size,
        sameCcCompatible: flag,
        trtForwardCompatible: flag,
        trtLeanRuntimeExcluded: flag,
      }),
    ),
    onnxPackageDetails: optional(z.strictObject({ opset: z.int(), incompatibleProviders: optional(z.array(z.string())) })),
    torchScriptPackageDetails: optional(
      z.strictObject({ supportedDeviceTypes: z.array(z.string()), torchVersion: version, torchVisionVersion: optional(version) }),
    ),
    trustedSource: flag,
    environmentRequirements: optional(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("gpu-server"), ...machine, osVersion: optional(z.string()) }),
        z.strictObject({ kind: z.literal("jetson"), ...machine, l4tVersion: version, jetsonProductName: optional(z.string()) }),
      ]),
    ),
    modelFeatures: optional(z.record(z.string(), z.unknown())),
    recommendedParameters: recommended,
    cacheModelId: optional(notBlank),
  })
  .transform((known, context): ModelPackageMetadata => {
    const isLocal = known.packageArtefacts.some(({ kind }) => kind === "local");
    if (isLocal && known.packageArtefacts.some(({ kind }) => kind === "download")) {
      context.addIssue({
        code: "custom",
        path: ["packageArtefacts"],
        message: "are partly to be fetched and partly local; give all of one kind",
      });
    }
    return { ...known, packageSource: isLocal ? "local_cache" : "platform" };
  });

const schema: z.ZodType<ModelMetadata> = z.strictObject({
  modelId: notBlank,
  modelArchitecture: notBlank,
  taskType: optional(z.string()),
  modelVariant: optional(z.string()),
  modelPackages: z.array(packageSchema),
  modelDependencies: optional(z.array(z.strictObject({ name: notBlank, modelId: notBlank, modelPackageId: optional(z.string()) }))),
  recommendedParameters: recommended,
});

/** Id of the package that an issue is about. */
function packageIdAt(answer: unknown, path: readonly PropertyKey[]): string | undefined {
  const [list, index] = path;
  if (list !== "modelPackages" || typeof index !== "number") return undefined;
  const packages = (answer as { readonly modelPackages: readonly unknown[] }).modelPackages;
  const entry = packages[index];
  return typeof entry === "object" && entry !== null && "packageId" in entry && typeof entry.packageId === "string"
    ? entry.packageId
    : undefined;
}

/** What a custom provider's answer means. @throws ModelMetadataConsistencyError naming the provider and the fields */
export function completeMetadata(answer: unknown, provider: string, modelId: string): ModelMetadata {
  const outcome = schema.safeParse(answer);
  if (outcome.success) return outcome.data;
  const packageId = packageIdAt(answer, outcome.error.issues[0]?.path ?? []);
  const where = packageId === undefined ? "" : ` (package "${packageId.slice(0, 80)}")`;
  throw new ModelMetadataConsistencyError(
    `The weights provider "${provider}" described model "${modelId}" wrongly${where}: ${describeIssues(outcome.error)}. Correct the provider's code.`,
    { modelId, ...(packageId === undefined ? {} : { packageId }), cause: outcome.error },
  );
}
