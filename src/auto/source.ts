import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";

import { InvalidParameterError, ModelNotFoundError } from "../errors.js";
import { closest } from "../options.js";
import { packageRoot } from "../package-root.js";

/** Models inside this package: id -> folder below assets/models. */
const EMBEDDED: Readonly<Record<string, string>> = { "mediapipe/face-detector": "mediapipe-face-detector" };

export interface ResolvedSource {
  readonly id: string;
  /** Folder of the package, absolute. */
  readonly directory: string;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** What a user named: a folder, or an embedded model. A folder wins over an id of the same spelling. */
export async function resolveSource(source: unknown): Promise<ResolvedSource> {
  if (typeof source !== "string" || source.trim() === "" || source.includes("\0")) {
    throw new InvalidParameterError(
      `Expected a model id or a folder but received ${typeof source === "string" ? JSON.stringify(source) : String(source)}.`,
      { parameter: "source" },
    );
  }
  if (await isDirectory(source)) return { id: source, directory: resolve(source) };
  const embedded = Object.hasOwn(EMBEDDED, source) ? EMBEDDED[source] : undefined;
  if (embedded !== undefined) return { id: source, directory: join(packageRoot, "assets", "models", embedded) };
  const known = Object.keys(EMBEDDED);
  const suggestion = closest(source, known);
  const looksLikePath = isAbsolute(source) || source.startsWith(".") || source.includes("\\");
  throw new ModelNotFoundError(
    looksLikePath
      ? `There is no folder ${resolve(source)}. Give the folder that holds model_config.json and the weights.`
      : `No model is called "${source}" here, and there is no such folder.${suggestion === null ? "" : ` Did you mean "${suggestion}"?`} Models inside this package: ${known.join(", ")}. Models of a weights provider cannot be fetched yet: download the package and give its folder.`,
    { modelId: source },
  );
}
