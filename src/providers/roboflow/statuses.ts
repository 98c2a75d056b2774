import {
  ForbiddenModelAccessError,
  ModelNotFoundError,
  ModelRetrievalError,
  PaymentRequiredModelAccessError,
  RetryError,
  UnauthorizedModelAccessError,
  UsagePausedModelAccessError,
} from "../../errors.js";

export interface Refusal {
  readonly modelId: string;
  /** Whether a key was sent. */
  readonly withKey: boolean;
  /** Beginning of what the server said. */
  readonly excerpt: string;
  readonly retryAfterSeconds: number | null;
  /** Statuses that are worth another attempt. */
  readonly retryStatuses: readonly number[];
}

/** What an HTTP status of the API means for the caller; null when the answer can be read. */
export function errorForStatus(status: number, refusal: Refusal): ModelRetrievalError | RetryError | null {
  const { modelId, withKey, excerpt, retryAfterSeconds, retryStatuses } = refusal;
  const fields = { status, modelId };
  const model = `model "${modelId}"`;
  switch (status) {
    case 401:
      return new UnauthorizedModelAccessError(
        withKey
          ? `The Roboflow API refused the API key for ${model}. Check that it is complete and belongs to the model's workspace.`
          : `${capitalized(model)} needs an API key, and none was given. Pass the option apiKey, or set ROBOFLOW_API_KEY.`,
        fields,
      );
    case 402:
      return new PaymentRequiredModelAccessError(
        `The workspace's plan does not cover ${model}. Check the plan in the workspace's settings.`,
        {
          ...fields,
          statusCode: status,
        },
      );
    case 403:
      return new ForbiddenModelAccessError(`The API key may not read ${model}. Check the key's permissions in the workspace's settings.`, {
        ...fields,
        statusCode: status,
      });
    case 404:
      return new ModelNotFoundError(
        `The Roboflow API knows no ${model}. Check the spelling${withKey ? "" : "; a private model is only found with its workspace's API key"}.`,
        fields,
      );
    case 423:
      return new UsagePausedModelAccessError(
        `Usage of the workspace is paused, so ${model} cannot be had. Resume it in the workspace's settings.`,
        {
          ...fields,
          statusCode: status,
        },
      );
  }
  if (retryStatuses.includes(status)) {
    return new RetryError(`The Roboflow API answered ${status} when asked about ${model}.`, {
      status,
      isRetryable: true,
      ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
    });
  }
  if (status < 400) return null;
  const said = excerpt === "" ? "" : ` It said: ${excerpt}`;
  return new ModelRetrievalError(
    `The Roboflow API answered ${status} when asked about ${model}. Try again later, or report it.${said}`,
    fields,
  );
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
