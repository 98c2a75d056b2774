export { AutoModel } from "./from-pretrained.js";
export { LiberalModelAccessManager, type AccessIdentifiers, type ModelAccessManager } from "./access-manager.js";
export type { DescribeOptions, ModelDescription, ModelPackageDescription, PackageFile, PackageSize, PackageSummary } from "./describe.js";
export type { DownloadedModel } from "./download.js";
export type { AutoModelOptions, DependencyOptions, ProviderOptions, RuntimeOptions, SelectionOptions, StorageOptions } from "./options.js";
export { resolveSource, type ModelSource } from "./source.js";
export { downloadModel } from "./download.js";
export type { LoadingPlan, PlannedFile } from "./plan.js";
