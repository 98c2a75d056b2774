import type { RuntimeXRay } from "../../../src/environment/index.js";
import { ModelMetadataConsistencyError } from "../../../src/errors.js";
import { hasImplementation, type ImplementationQuery, type RegistryEntry } from "../../../src/models/index.js";
import {
  backendFilter,
  batchFilter,
  defaultQuantizations,
  dynamicBatchBoundaries,
  engineFits,
  gpusOf,
  implementationFilter,
  isWithin,
  matchRuntime,
  negotiateModelPackages,
  nmsFusionFilter,
  parseBackend,
  parseBackends,
  parseBatchSize,
  parseDevice,
  parseQuantization,
  parseQuantizations,
  quantizationFilter,
  rankModelPackages,
  runtimeFilter,
  scoreWithinRange,
  selectGpus,
  selectPackageById,
  servesBatch,
  trustFilter,
  type BatchSizeRequest,
  type Device,
  type NegotiationRequest,
  type NegotiationRules,
  type NmsFusionPreferences,
  type Refusal,
} from "../../../src/negotiation/index.js";
import type { BackendType, ModelPackageMetadata } from "../../../src/packages/index.js";
import { compareVersions, formatVersion, parseVersion, versionsMatchMajorMinor } from "../../../src/versions.js";
import type { AdapterTable } from "../adapter.js";
import { camelKeys, toPackage, toXRay } from "../wire.js";

/** What the vectors record. Where this library decides otherwise on purpose is tested in test/negotiation/. */
const RULES: NegotiationRules = "reference";

type Wire = Readonly<Record<string, unknown>>;
type WireProvider = string | readonly [name: string, options: Wire];

interface Environment {
  readonly runtime_x_ray?: Wire;
  readonly default_onnx_execution_providers?: readonly string[];
  readonly registered_models?: readonly {
    readonly model_architecture: string;
    readonly task_type: string | null;
    readonly backend: BackendType;
    readonly supported_model_features: readonly string[] | null;
    readonly required_model_features: readonly string[] | null;
  }[];
}

interface Packages {
  readonly model_packages: readonly Wire[];
}

interface RuntimeRequest {
  readonly environment: Environment;
  readonly trt_engine_host_code_allowed: boolean;
  readonly device?: string;
  readonly onnx_execution_providers?: readonly WireProvider[];
}

type Preferences = boolean | Wire | null | undefined;

const deviceOf = (text: string | null | undefined): Device | null => (text === undefined || text === null ? null : parseDevice(text));
const xRayOf = (environment: Environment): RuntimeXRay => toXRay(environment.runtime_x_ray);
const preferencesOf = (value: Preferences): boolean | NmsFusionPreferences | null =>
  typeof value === "object" && value !== null ? camelKeys(value) : (value ?? null);
const providersOf = (providers: readonly WireProvider[] | null | undefined): NegotiationRequest["onnxExecutionProviders"] =>
  providers ?? null;

function implementationsOf({ registered_models: registered = [] }: Environment): (query: ImplementationQuery) => boolean {
  const registry = registered.map((model): RegistryEntry => ({
    architecture: model.model_architecture,
    task: model.task_type as RegistryEntry["task"],
    backend: model.backend,
    supportedFeatures: model.supported_model_features ?? [],
    requiredFeatures: model.required_model_features ?? [],
    load: () => Promise.reject(new Error("A registry of the vectors names no code.")),
  }));
  return (query) => hasImplementation(query, registry);
}

function split(packages: readonly Wire[], filter: (candidate: ModelPackageMetadata) => Refusal | null) {
  const all = packages.map(toPackage);
  const ids = (accepted: boolean): readonly string[] =>
    all.filter((candidate) => (filter(candidate) === null) === accepted).map(({ packageId }) => packageId);
  return { accepted: ids(true), discarded: ids(false) };
}

const runtimeOf = ({ environment, trt_engine_host_code_allowed: hostCode, onnx_execution_providers: providers }: RuntimeRequest) => ({
  environment: xRayOf(environment),
  defaultOnnxExecutionProviders: environment.default_onnx_execution_providers ?? [],
  rules: RULES,
  request: { onnxExecutionProviders: providersOf(providers), trtEngineHostCodeAllowed: hostCode },
});

function requireVersion(text: string) {
  const version = parseVersion(text);
  if (version === null) throw new ModelMetadataConsistencyError(`${text} is no version.`);
  return version;
}

interface WireNegotiation extends Packages {
  readonly model_architecture: string;
  readonly task_type: string | null;
  readonly environment: Environment;
  readonly allow_untrusted_packages: boolean;
  readonly trt_engine_host_code_allowed: boolean;
  readonly requested_model_package_id?: string | null;
  readonly requested_backends?: NegotiationRequest["backend"];
  readonly requested_batch_size?: BatchSizeRequest | null;
  readonly requested_quantization?: NegotiationRequest["quantization"];
  readonly device?: string | null;
  readonly onnx_execution_providers?: readonly WireProvider[] | null;
  readonly nms_fusion_preferences?: Preferences;
}

export const adapters: AdapterTable = {
  "compare-versions": {
    "": ({ a, b }: { readonly a: string; readonly b: string }) => {
      requireVersion(a);
      requireVersion(b);
      return { order: compareVersions(a, b) };
    },
  },
  "parse-version": {
    "": ({ value }: { readonly value: string }) => {
      const version = requireVersion(value);
      const [major = 0, minor = 0, micro = 0] = version.release;
      const { release, pre, post, dev, local, epoch } = version;
      return {
        normalized: formatVersion(version),
        release,
        major,
        minor,
        micro,
        is_prerelease: pre !== null || dev !== null,
        is_postrelease: post !== null,
        is_devrelease: dev !== null,
        local: local?.join(".") ?? null,
        epoch,
      };
    },
  },
  "versions-match-major-minor": {
    "": ({ a, b }: { readonly a: string; readonly b: string }) => ({ match: versionsMatchMajorMinor(a, b) }),
  },
  "parse-backend-type": { "": ({ value }: { readonly value: string }) => ({ backend: parseBackend(value) }) },
  "parse-quantization": { "": ({ value }: { readonly value: string }) => ({ quantization: parseQuantization(value, RULES) }) },
  "parse-requested-quantization": {
    "": ({ value }: { readonly value: unknown }) => ({ quantization: [...parseQuantizations(value, RULES)].sort() }),
  },
  "parse-batch-size": {
    "": (input: { readonly requested_batch_size: BatchSizeRequest }) => parseBatchSize(input.requested_batch_size),
  },
  "default-allowed-quantization": {
    "": (input: { readonly environment: Environment; readonly device?: string }) => ({
      quantization: [...defaultQuantizations(deviceOf(input.device), xRayOf(input.environment))].sort(),
    }),
  },
  "dynamic-batch-boundaries": {
    "": (input: { readonly model_package: Wire }) => {
      const boundaries = dynamicBatchBoundaries(toPackage(input.model_package));
      return { specified: boundaries !== null, boundaries };
    },
  },
  "range-within-range": {
    "": ({ external, internal }: { readonly external: readonly [number, number]; readonly internal: readonly [number, number] }) => ({
      within: isWithin({ min: internal[0], max: internal[1] }, { min: external[0], max: external[1] }),
    }),
  },
  "package-matches-batch-size": {
    "": (input: { readonly model_package: Wire; readonly min_batch_size: number; readonly max_batch_size: number }) => ({
      matches: servesBatch(toPackage(input.model_package), { min: input.min_batch_size, max: input.max_batch_size }),
    }),
  },
  "filter-devices-by-selected-device": {
    "": (input: {
      readonly available_devices: readonly string[];
      readonly available_devices_cc: readonly string[];
      readonly selected_device?: string;
    }) => {
      const gpus = selectGpus(gpusOf(input.available_devices, input.available_devices_cc), deviceOf(input.selected_device));
      return {
        devices: gpus.map(({ name }) => name),
        devices_cc: gpus.map(({ computeCapability }) => computeCapability).filter((one) => one !== null),
      };
    },
  },
  "trt-device-compatible": {
    "": (input: {
      readonly available_devices: readonly string[];
      readonly available_devices_cc: readonly string[];
      readonly compilation_device: string;
      readonly compilation_device_cc: string;
      readonly same_cc_compatible: boolean;
      readonly selected_device?: string;
    }) => ({
      compatible: engineFits(
        { name: input.compilation_device, computeCapability: input.compilation_device_cc },
        input.same_cc_compatible,
        selectGpus(gpusOf(input.available_devices, input.available_devices_cc), deviceOf(input.selected_device)),
      ),
    }),
  },
  "filter-packages-by-backend": {
    "": (input: Packages & { readonly requested_backends: unknown }) =>
      split(input.model_packages, backendFilter(parseBackends(input.requested_backends))),
  },
  "filter-packages-by-batch-size": {
    "": (input: Packages & { readonly requested_batch_size: BatchSizeRequest }) =>
      split(input.model_packages, batchFilter(parseBatchSize(input.requested_batch_size))),
  },
  "filter-packages-by-implementation": {
    "": (input: Packages & { readonly model_architecture: string; readonly task_type: string | null; readonly environment: Environment }) =>
      split(
        input.model_packages,
        implementationFilter({
          architecture: input.model_architecture,
          task: input.task_type,
          implementationExists: implementationsOf(input.environment),
        }),
      ),
  },
  "filter-packages-by-model-features": {
    "": (input: Packages & { readonly nms_fusion_preferences?: Preferences }) =>
      split(input.model_packages, nmsFusionFilter(preferencesOf(input.nms_fusion_preferences))),
  },
  "filter-packages-by-quantization": {
    "": (input: Packages & { readonly requested_quantization: unknown }) =>
      split(input.model_packages, quantizationFilter(parseQuantizations(input.requested_quantization, RULES), "caller")),
  },
  "filter-packages-by-runtime-environment": {
    "": (input: Packages & RuntimeRequest) => split(input.model_packages, runtimeFilter(runtimeOf(input), deviceOf(input.device))),
  },
  "package-matches-runtime-environment": {
    "": (input: RuntimeRequest & { readonly model_package: Wire }) => ({
      matches: matchRuntime(toPackage(input.model_package), runtimeOf(input), deviceOf(input.device)) === null,
    }),
  },
  "filter-untrusted-packages": { "": (input: Packages) => split(input.model_packages, trustFilter) },
  "select-package-by-id": {
    "": (input: Packages & { readonly requested_model_package_id: string }) => ({
      package_id: selectPackageById(input.model_packages.map(toPackage), input.requested_model_package_id).packageId,
    }),
  },
  "score-distance-from-mean": {
    "": (input: { readonly min_value: number; readonly max_value: number; readonly examined_value: number }) => ({
      score: scoreWithinRange(input.min_value, input.max_value, input.examined_value),
    }),
  },
  "rank-model-packages": {
    "": (
      input: Packages & {
        readonly environment: Environment;
        readonly selected_device?: string;
        readonly nms_fusion_preferences?: Preferences;
      },
    ) => ({
      package_ids: rankModelPackages(input.model_packages.map(toPackage), {
        environment: xRayOf(input.environment),
        device: deviceOf(input.selected_device),
        nmsFusionPreferences: preferencesOf(input.nms_fusion_preferences),
      }).map(({ package: { packageId } }) => packageId),
    }),
  },
  "negotiate-model-packages": {
    "": (input: WireNegotiation) => ({
      package_ids: negotiateModelPackages({
        architecture: input.model_architecture,
        task: input.task_type,
        packages: input.model_packages.map(toPackage),
        environment: xRayOf(input.environment),
        defaultOnnxExecutionProviders: input.environment.default_onnx_execution_providers ?? [],
        implementationExists: implementationsOf(input.environment),
        rules: RULES,
        request: {
          modelPackageId: input.requested_model_package_id ?? null,
          backend: input.requested_backends ?? null,
          batchSize: input.requested_batch_size ?? null,
          quantization: input.requested_quantization ?? null,
          device: input.device ?? null,
          onnxExecutionProviders: providersOf(input.onnx_execution_providers),
          allowUntrustedPackages: input.allow_untrusted_packages,
          trtEngineHostCodeAllowed: input.trt_engine_host_code_allowed,
          nmsFusionPreferences: preferencesOf(input.nms_fusion_preferences),
        },
      }).ranked.map(({ package: { packageId } }) => packageId),
    }),
  },
};
