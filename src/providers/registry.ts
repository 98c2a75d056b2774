/** Weights providers by name, and the question to one or several of them. */
import { InvalidParameterError, InferenceModelsError, ModelNotFoundError, ModelRetrievalError } from "../errors.js";
import { closest, invalidOption, requireKnownOptions } from "../options.js";
import type { ModelMetadata } from "../packages/index.js";
import { BUILT_IN_PROVIDERS, effectiveApiKey, ROBOFLOW, ROBOFLOW_OFFLINE } from "./api-key.js";
import { completeMetadata } from "./metadata-input.js";
import { requireRemoteModelId } from "./model-id.js";
import { isOffline } from "./offline/mode.js";
import { offlineProvider } from "./offline/provider.js";
import { roboflowProvider } from "./roboflow/provider.js";
import type { ModelProvider, ProviderRequest } from "./types.js";

type Answer = (modelId: string, request: ProviderRequest) => Promise<ModelMetadata>;

const BUILT_IN: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  [ROBOFLOW, (modelId, request) => roboflowProvider(modelId, request)],
  [ROBOFLOW_OFFLINE, (modelId) => offlineProvider(modelId)],
]);

const custom = new Map<string, ModelProvider>();

/**
 * Makes a provider of one's own known by a name; an earlier one of that name is replaced.
 * @throws InvalidParameterError when the name is empty or that of a built-in provider, or the handler is no function
 */
export function registerModelProvider(name: string, handler: ModelProvider): void {
  const given: unknown = name;
  if (typeof given !== "string" || given.trim() === "" || BUILT_IN_PROVIDERS.includes(given.toLowerCase())) {
    throw new InvalidParameterError(
      `A weights provider cannot be called ${typeof given === "string" ? JSON.stringify(given) : String(given)}: the name is empty or reserved ` +
        `(${BUILT_IN_PROVIDERS.join(", ")}). Choose another.`,
      { parameter: "name" },
    );
  }
  if (typeof handler !== "function") {
    throw new InvalidParameterError(`The handler of the weights provider "${name}" is not a function of (modelId, request).`, {
      parameter: "handler",
    });
  }
  custom.set(name, handler);
}

/** Whether there was one. */
export function unregisterModelProvider(name: string): boolean {
  return custom.delete(name);
}

export interface ProviderOptions {
  /** Name of a provider, or several that are asked in turn until one knows the model. Default `roboflow`. */
  readonly provider?: string | readonly string[] | undefined;
  /** Default for Roboflow: that of ROBOFLOW_API_KEY. `local` means none. */
  readonly apiKey?: string | null | undefined;
  /** For the provider's own interface; a name may occur several times. */
  readonly extraQueryParams?: Iterable<readonly [name: string, value: string]> | null | undefined;
  readonly extraHeaders?: Readonly<Record<string, string>> | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS = ["provider", "apiKey", "extraQueryParams", "extraHeaders", "signal"] as const satisfies readonly (keyof ProviderOptions)[];

interface CheckedOptions {
  readonly providers: readonly string[];
  readonly apiKey: string | null | undefined;
  readonly request: Omit<ProviderRequest, "apiKey">;
}

function checkOptions(options: ProviderOptions): CheckedOptions {
  requireKnownOptions(options, OPTIONS, "getModelFromProvider");
  const { provider = ROBOFLOW, apiKey, extraQueryParams, extraHeaders, signal } = options;
  const providers = [provider].flat();
  if (providers.length === 0 || providers.some((name) => typeof name !== "string")) {
    throw invalidOption("provider", "the name of a provider, or a list of names", provider);
  }
  if (apiKey !== null && apiKey !== undefined && typeof apiKey !== "string") throw invalidOption("apiKey", "text", typeof apiKey);
  const pairs = [...(extraQueryParams ?? [])];
  if (!pairs.every(isPairOfTexts)) throw invalidOption("extraQueryParams", "pairs of texts", extraQueryParams);
  const headers = extraHeaders ?? {};
  if (Object.values(headers).some((value) => typeof value !== "string")) throw invalidOption("extraHeaders", "texts by name", extraHeaders);
  return { providers, apiKey, request: { extraQueryParams: pairs, extraHeaders: headers, signal } };
}

function isPairOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

/**
 * Asks a weights provider which packages a model has. In offline mode, `roboflow` stands for `roboflow-offline-weights`.
 *
 * Of several providers, the next is asked only when the one before does not know the model: an outage or a wrong key is an answer too, and
 * another provider's model of the same name would not be the same model.
 * @throws ModelNotFoundError when none knows it; UnauthorizedModelAccessError, PaymentRequiredModelAccessError, ForbiddenModelAccessError,
 * UsagePausedModelAccessError by what the provider says; RetryError when it cannot be reached; ModelRetrievalError for anything else that is
 * wrong with its answer or for an unknown provider; ModelMetadataConsistencyError when a custom provider's answer is malformed;
 * InvalidParameterError for the arguments; the signal's reason when it fires.
 */
export async function getModelFromProvider(modelId: string, options: ProviderOptions = {}): Promise<ModelMetadata> {
  const id = requireRemoteModelId(modelId);
  const { providers, apiKey, request } = checkOptions(options);
  const answers = providers.map((name) => [name, answerOf(name)] as const);
  const misses: { readonly provider: string; readonly error: ModelNotFoundError }[] = [];
  for (const [provider, answer] of answers) {
    request.signal?.throwIfAborted();
    try {
      return await answer(id, { ...request, apiKey: effectiveApiKey(provider, apiKey) });
    } catch (error) {
      if (!ModelNotFoundError.is(error)) throw error;
      misses.push({ provider, error });
    }
  }
  throw notFound(id, misses);
}

/** @throws ModelRetrievalError for an unknown name, before anybody is asked anything */
function answerOf(name: string): Answer {
  const builtIn = BUILT_IN.get(name === ROBOFLOW && isOffline() ? ROBOFLOW_OFFLINE : name);
  if (builtIn !== undefined) return builtIn;
  const handler = custom.get(name);
  if (handler !== undefined) return (modelId, request) => askCustom(name, handler, modelId, request);
  const known = [...BUILT_IN.keys(), ...custom.keys()];
  const suggestion = closest(name, known);
  throw new ModelRetrievalError(
    `There is no weights provider "${name}".${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Known: ${known.join(", ")}. ` +
      "Your own are made known with registerModelProvider.",
  );
}

async function askCustom(name: string, handler: ModelProvider, modelId: string, request: ProviderRequest): Promise<ModelMetadata> {
  let answer: unknown;
  try {
    answer = await handler(modelId, request);
  } catch (error) {
    request.signal?.throwIfAborted();
    if (InferenceModelsError.is(error)) throw error;
    throw new ModelRetrievalError(
      `The weights provider "${name}" failed when asked about model "${modelId}": ${error instanceof Error ? error.message : String(error)}`,
      { modelId, cause: error },
    );
  }
  return completeMetadata(answer, name, modelId);
}

function notFound(
  modelId: string,
  misses: readonly { readonly provider: string; readonly error: ModelNotFoundError }[],
): ModelNotFoundError {
  const [only] = misses;
  if (misses.length === 1 && only !== undefined) return only.error;
  const told = misses.map(({ provider, error }) => `${provider}: ${error.message}`).join(" ");
  return new ModelNotFoundError(`None of ${misses.length} weights providers knows model "${modelId}". ${told}`, {
    modelId,
    cause: new AggregateError(misses.map(({ error }) => error)),
  });
}
