/** What the text given to `fromPretrained` means: a folder, a checkpoint file, a model that needs no download, or the id of a provider. */
import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { CorruptedModelPackageError, InvalidParameterError, MissingDependencyError } from "../errors.js";
import { packageRoot } from "../package-root.js";

/** Models that need no download, by id: where their folder is. */
const EMBEDDED: Readonly<Record<string, () => string>> = {
  "mediapipe/face-detector": () => join(packageRoot, "assets", "models", "mediapipe-face-detector"),
  "pp-ocr/det": () => companionFolder("inference-models-pp-ocr", "det"),
  "pp-ocr/rec-latin": () => companionFolder("inference-models-pp-ocr", "rec-latin"),
};

/** Of a package that holds weights and no code, installed beside this one. @throws MissingDependencyError */
function companionFolder(name: string, folder: string): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), folder);
  } catch (cause) {
    throw new MissingDependencyError(
      `This model is in a package of its own, which is not installed. Install it with "npm install ${name}".`,
      {
        dependency: name,
        cause,
      },
    );
  }
}

export type ModelSource =
  | { readonly kind: "embedded"; readonly id: string; readonly directory: string }
  | { readonly kind: "directory"; readonly id: string; readonly directory: string }
  | { readonly kind: "file"; readonly id: string; readonly path: string }
  | { readonly kind: "id"; readonly id: string };

/** Texts that no provider gets to see. A drive letter, because `C:models` is one too. */
function isPath(source: string): boolean {
  return isAbsolute(source) || /^(\.{1,2}([/\\]|$)|~|file:|[A-Za-z]:|.*\\)/.test(source);
}

function toPath(source: string): string {
  if (source.startsWith("file:")) {
    try {
      return fileURLToPath(source);
    } catch (error) {
      throw new InvalidParameterError(`"${source}" is not the address of a local file.`, { parameter: "modelIdOrPath", cause: error });
    }
  }
  if (source === "~" || source.startsWith("~/")) return join(homedir(), source.slice(1));
  return resolve(source);
}

async function kindOf(path: string): Promise<"directory" | "file" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "file";
  } catch {
    return "nothing";
  }
}

/**
 * Something on disk wins over an id of the same spelling, as in the Python library; a path is never taken for an id.
 * @param only `path` when the caller said that it is one.
 * @throws InvalidParameterError for text that can be neither, and for a path where there is nothing.
 */
export async function resolveSource(source: unknown, only: "path" | "anything" = "anything"): Promise<ModelSource> {
  const text = source instanceof URL ? source.href : source;
  if (typeof text !== "string" || text.trim() === "" || text.includes("\0")) {
    throw new InvalidParameterError(
      `Expected a model id or a path but received ${typeof text === "string" ? JSON.stringify(text) : String(text)}.`,
      { parameter: "modelIdOrPath" },
    );
  }
  const path = toPath(text);
  const kind = await kindOf(path);
  if (kind === "directory") return { kind, id: text, directory: path };
  if (kind === "file") return { kind, id: text, path };
  if (only === "path" || isPath(text)) {
    throw new InvalidParameterError(
      `There is no file or folder ${path}. Give a folder that holds model_config.json and the weights, or a checkpoint file.`,
      { parameter: "modelIdOrPath" },
    );
  }
  const embedded = Object.hasOwn(EMBEDDED, text) ? EMBEDDED[text] : undefined;
  if (embedded !== undefined) return { kind: "embedded", id: text, directory: embedded() };
  return { kind: "id", id: text };
}

/** A folder that only happens to be called like a model would otherwise be a riddle. */
export async function requireModelConfig(source: Extract<ModelSource, { readonly kind: "directory" }>): Promise<void> {
  if ((await kindOf(join(source.directory, "model_config.json"))) === "file") return;
  const meant = isPath(source.id)
    ? ""
    : ` If the model id "${source.id}" was meant: this folder has the same name and wins over it; rename it or start from another folder.`;
  throw new CorruptedModelPackageError(
    `${source.directory} holds no model_config.json, so it is not a model package. Add one that names model_architecture, task_type and backend_type.${meant}`,
    { path: source.directory, kind: "config" },
  );
}
