/** Where the package's messages go. A library must not choose a logger: give it yours with {@link setLogger}. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const ignore = (): void => undefined;

/** Silent but for what a user should act on, which goes the way of Node's own warnings (stderr, `process.on("warning")`). */
const standard: Logger = {
  debug: ignore,
  info: ignore,
  warn: (message) => {
    process.emitWarning(message, { type: "InferenceModelsWarning", code: "INFERENCE_MODELS" });
  },
  error: (message) => {
    process.emitWarning(message, { type: "InferenceModelsError", code: "INFERENCE_MODELS" });
  },
};

let current: Logger = standard;

export function logger(): Logger {
  return current;
}

/** null brings the standard one back. */
export function setLogger(replacement: Logger | null): void {
  current = replacement ?? standard;
}
