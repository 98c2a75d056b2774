/**
 * What all errors of this package have in common: a stable `code` to branch on, the `cause`, the address of the class's page,
 * recognition across copies of the package, and a form for logs that holds no secrets.
 *
 * `instanceof` works across copies of the package in one process (two versions, ESM beside CommonJS): classes recognise
 * each other by a symbol, not by identity.
 */

const MARKER = Symbol.for("inference-models.error");
const DOCUMENTATION = "https://github.com/roboflow/inference-models-node/blob/main/docs/errors";

/** Page of the documentation that describes a class; `docs/errors/<page>.md` exists for each. */
export type ErrorPage =
  | "input-validation"
  | "runtime-environment"
  | "models-runtime"
  | "file-download"
  | "model-retrieval"
  | "package-negotiation"
  | "model-loading"
  | "gpu-and-tensorrt";

/** Address of a section of a page. */
export function helpUrl(page: ErrorPage, section: string): string {
  return `${DOCUMENTATION}/${page}.md#${section}`;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Address of a help page, when another than the class's own fits better. */
  readonly helpUrl?: string;
  /** Whether the same call may succeed later without any change. */
  readonly isRetryable?: boolean;
}

/** The root: `catch (error) { if (InferenceModelsError.is(error)) ... error.code ... }`. */
export class InferenceModelsError extends Error {
  /** @internal */ static readonly code: string = "INFERENCE_MODELS";
  /** @internal */ static readonly page: ErrorPage = "models-runtime";
  /** @internal */ static readonly className: string = "InferenceModelsError";

  readonly code: string;
  readonly helpUrl: string;
  readonly isRetryable: boolean;

  constructor(message: string, options: ErrorOptions = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    const { className, code, page } = new.target;
    this.name = className;
    this.code = code;
    this.helpUrl = options.helpUrl ?? helpUrl(page, className.toLowerCase());
    this.isRetryable = options.isRetryable ?? false;
    const { cause: _cause, helpUrl: _helpUrl, isRetryable: _isRetryable, ...fields } = options;
    Object.assign(this, fields);
  }

  /** Class names from the most specific to the root, for recognition across copies of the package. */
  private get [MARKER](): readonly string[] {
    return lineage(this.constructor);
  }

  /** Whether a value is an error of this class or a subclass, whichever copy of the package made it. */
  static is<T extends typeof InferenceModelsError>(this: T, value: unknown): value is InstanceType<T> {
    // A class derived elsewhere inherits the name of its parent, and only itself can tell who its instances are.
    if (!Object.hasOwn(this, "className")) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== "object" || value === null) return false;
    const names = (value as { readonly [MARKER]?: readonly string[] })[MARKER];
    return Array.isArray(names) && names.includes(this.className);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return InferenceModelsError.is.call(this, value);
  }

  override toString(): string {
    return `${this.name}: ${this.message} (see ${this.helpUrl})`;
  }

  /** Plain data for logs: errors inside are described, secrets removed, and it can always be written as JSON. */
  toJSON(): Record<string, unknown> {
    return describeError(this, []);
  }
}

/** The reference's name of the root. */
export { InferenceModelsError as BaseInferenceModelsError };

function lineage(constructor: unknown): readonly string[] {
  const names: string[] = [];
  for (let current = constructor; typeof current === "function"; current = Object.getPrototypeOf(current)) {
    const { className } = current as { readonly className?: string };
    if (className !== undefined && names.at(-1) !== className) names.push(className);
  }
  return names;
}

const MAXIMUM_DEPTH = 8;

function describeError(error: Error, above: readonly object[]): Record<string, unknown> {
  const { name, message, cause } = error;
  const own: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(error));
  const { code, helpUrl, isRetryable, ...fields } = own;
  // Name first: it is an own property of our errors, so the fields repeat it with the same value.
  const all = { name, code, message, helpUrl, isRetryable, ...fields, cause };
  return describe(all, [...above, error]) as Record<string, unknown>;
}

/** Values as JSON can hold them, whatever somebody put into a field. */
function describe(value: unknown, above: readonly object[]): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) return "[circular]";
  if (above.length > MAXIMUM_DEPTH) return "[...]";
  if (value instanceof Error) return describeError(value, above);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const inside = [...above, value];
  if (Array.isArray(value)) return value.map((element: unknown) => describe(element, inside));
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, describe(element, inside)]));
}

const SECRET_PARAMETER =
  /([?&](?:api_?key|key|token|access_token|signature|sig|x-(?:amz|goog)-(?:signature|credential|security-token))=)[^&#\s"']+/gi;
const SECRET_HEADER = /(authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token)\s+)?|\bbearer\s+(?=[\w.~+/=-]{12}))[^\s"',;]+/gi;

/** Keys, tokens and signatures of addresses and headers give way to `***`: messages end up in logs and bug reports. */
function withoutSecrets(text: string): string {
  return text.replace(SECRET_PARAMETER, "$1***").replace(SECRET_HEADER, "$1***");
}
