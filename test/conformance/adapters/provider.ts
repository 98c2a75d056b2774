import { Readable } from "node:stream";

import { configure } from "../../../src/configuration.js";
import { RetryError } from "../../../src/errors.js";
import { addQueryParameters, parseGateway, throughGateway, type HttpExchange, type HttpRequest } from "../../../src/http/index.js";
import { recommendedParameters } from "../../../src/packages/index.js";
import { effectiveApiKey, forgetOfflineMode, registerModelProvider, unregisterModelProvider } from "../../../src/providers/index.js";
import { mergeHeaders, mergeQueryParameters } from "../../../src/providers/roboflow/client.js";
import { requireConsistentBatch, requireVersion } from "../../../src/providers/roboflow/manifests/common.js";
import { parseProviderPackage } from "../../../src/providers/roboflow/package.js";
import { roboflowProvider } from "../../../src/providers/roboflow/provider.js";
import { errorForStatus } from "../../../src/providers/roboflow/statuses.js";
import type { AdapterTable } from "../adapter.js";
import { decodePackage, encodeMetadata, encodePackage, encodeRecommended, type VectorPackage } from "./metadata-values.js";

type Query = Readonly<Record<string, string | readonly string[]>>;

type Response = { readonly status: number; readonly body: string } | { readonly connection_error: true } | { readonly timeout: true };

interface Fetch {
  readonly model_id: string;
  readonly responses: readonly Response[];
  readonly offline_mode: boolean;
  readonly api_key?: string;
  readonly environment_api_key?: string;
  readonly secure_gateway?: string;
  readonly extra_query_params?: readonly (readonly [string, string])[];
  readonly extra_headers?: Readonly<Record<string, string>>;
  readonly local_packages?: Readonly<Record<string, readonly VectorPackage[] | "error">>;
}

/** Runs with these settings alone. */
async function configured<T>(settings: Parameters<typeof configure>[0], work: () => T | Promise<T>): Promise<T> {
  configure(settings);
  forgetOfflineMode();
  try {
    return await work();
  } finally {
    configure({});
    forgetOfflineMode();
  }
}

function encodeRequest({ url, headers = {} }: HttpRequest): unknown {
  const { pathname, searchParams } = new URL(url);
  const query: Record<string, string[]> = {};
  for (const [name, value] of searchParams) query[name] = [...(query[name] ?? []), value];
  return { path: pathname, query, headers };
}

async function fetchMetadata(input: Fetch): Promise<unknown> {
  const requests: unknown[] = [];
  const left = [...input.responses];
  const exchange: HttpExchange = (request) => {
    requests.push(encodeRequest(request));
    const next = left.shift();
    if (next === undefined || !("status" in next)) return Promise.reject(new RetryError("No answer.", { isRetryable: true }));
    return Promise.resolve({ status: next.status, headers: {}, body: Readable.from([Buffer.from(next.body)]), url: request.url });
  };
  const localPackages = (modelId: string) => {
    const found = input.local_packages?.[modelId] ?? [];
    return found === "error" ? Promise.reject(new Error("cannot be looked at")) : Promise.resolve(found.map(decodePackage));
  };
  const settings = {
    api: {
      key: input.environment_api_key ?? "",
      host: "",
      region: "us",
      environment: "prod",
      secureGateway: input.secure_gateway ?? "",
      licenseServer: "",
      callsMaxTries: 3,
    },
    offline: { enabled: input.offline_mode, warmUp: false },
  };
  return configured(settings, async () => {
    const request = {
      apiKey: effectiveApiKey("roboflow", input.api_key),
      extraQueryParams: input.extra_query_params ?? [],
      extraHeaders: input.extra_headers ?? {},
    };
    const metadata = await roboflowProvider(input.model_id, request, { exchange, sleep: () => Promise.resolve(), localPackages });
    return { model_metadata: encodeMetadata(metadata), requests };
  });
}

interface Recommended {
  readonly confidence: number | null;
  readonly per_class_confidence: Readonly<Record<string, number>> | null;
}

export const adapters: AdapterTable = {
  "add-query-params": {
    "": (input: { readonly url: string; readonly query: Query }) => ({ url: addQueryParameters(input.url, input.query) }),
  },
  "gateway-proxy-url": {
    "": (input: { readonly url: string; readonly query?: Query; readonly secure_gateway?: string }) => {
      const gateway = input.secure_gateway ? parseGateway(input.secure_gateway) : null;
      // Without parameters to add, the address stays as it is written.
      const url = input.query === undefined ? input.url : addQueryParameters(input.url, input.query);
      return { url: throughGateway(url, gateway) };
    },
  },
  "check-response-status": {
    "": ({ status }: { readonly status: number }) => {
      const retryStatuses = [408, 429, 502, 503, 504];
      const error = errorForStatus(status, { modelId: "m", withKey: true, excerpt: "", retryAfterSeconds: null, retryStatuses });
      if (error !== null) throw error;
      return { ok: true };
    },
  },
  "effective-api-key": {
    "": (input: { readonly provider: string; readonly api_key?: string; readonly environment_api_key?: string }) =>
      configured({ api: { key: input.environment_api_key ?? "" } }, () => ({ api_key: effectiveApiKey(input.provider, input.api_key) })),
  },
  "merge-extra-query-params": {
    "": (input: {
      readonly query: Readonly<Record<string, string>>;
      readonly extra_query_params?: readonly (readonly [string, string])[];
    }) => ({
      query: mergeQueryParameters(input.query, input.extra_query_params ?? []),
    }),
  },
  "merge-extra-headers": {
    "": (input: { readonly headers: Readonly<Record<string, string>>; readonly extra_headers?: Readonly<Record<string, string>> }) => ({
      headers: mergeHeaders(input.headers, input.extra_headers ?? {}),
    }),
  },
  "parse-manifest-version": { "": ({ value }: { readonly value: string }) => ({ version: requireVersion(value) }) },
  "validate-batch-settings": {
    "": (input: { readonly dynamic_batch_size: boolean; readonly static_batch_size: number | null }) => {
      requireConsistentBatch(input.dynamic_batch_size, input.static_batch_size);
      return { ok: true };
    },
  },
  "parse-provider-package": {
    "": (input: { readonly package: unknown }) => {
      const metadata = parseProviderPackage(input.package);
      return { model_package: metadata === null ? null : encodePackage(metadata) };
    },
  },
  "parse-recommended-parameters": {
    "": ({ value }: { readonly value: unknown }) => ({ recommended_parameters: encodeRecommended(recommendedParameters.parse(value)) }),
  },
  "resolve-recommended-parameters": {
    "": (input: { readonly package_level: Recommended | null; readonly model_level: Recommended | null }) => {
      const read = (value: Recommended | null) => (value === null ? null : recommendedParameters.parse(value));
      return { recommended_parameters: encodeRecommended(read(input.package_level) ?? read(input.model_level)) };
    },
  },
  "provider-name-registrable": {
    "": (input: { readonly provider_name: string }) => {
      registerModelProvider(input.provider_name, () => Promise.reject(new Error("never asked")));
      unregisterModelProvider(input.provider_name);
      return { ok: true };
    },
  },
  "fetch-model-metadata": { "": fetchMetadata },
};
