/** Packages that bring code of their own: `model_config.json` names a module and a class in it. */
import { realpath } from "node:fs/promises";
import { extname, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

import { CorruptedModelPackageError, ForbiddenLocalCodePackageAccessError } from "../errors.js";
import type { AnyModel } from "../models/index.js";
import type { ModelConfig } from "../packages/index.js";

/** What the class named by `model_class` offers. */
interface ModelClass {
  fromPretrained(directory: string, options: Readonly<Record<string, unknown>>): AnyModel | Promise<AnyModel>;
}

const MODULE_ENDINGS = [".mjs", ".js", ".cjs"];

function corrupted(directory: string, problem: string, cause?: unknown): CorruptedModelPackageError {
  return new CorruptedModelPackageError(`The package in ${directory} ${problem}`, {
    path: directory,
    kind: "code",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The module's real place, which must be inside the package: neither `..` nor a link may lead out of it. */
async function modulePath(directory: string, name: string): Promise<string> {
  if (extname(name) === ".py") {
    throw corrupted(
      directory,
      `names the Python module ${name}. Code packages of this library are ES modules: port it, and name a .mjs file in model_module.`,
    );
  }
  if (!MODULE_ENDINGS.includes(extname(name))) throw corrupted(directory, `names the module ${name}; expected a .mjs, .js or .cjs file.`);
  const root = await realpath(directory);
  let path: string;
  try {
    path = await realpath(resolve(root, name));
  } catch (error) {
    throw corrupted(directory, `names the module ${name}, which does not exist.`, error);
  }
  if (!path.startsWith(root + sep))
    throw corrupted(directory, `names the module ${name}, which lies outside of it. Move it into the folder.`);
  return path;
}

/**
 * Imports the package's module and lets its class load the model. Errors of the class itself are passed on as they are.
 * @param allowed the gate: `allowLocalCodePackages`.
 */
export async function loadCodePackage(
  directory: string,
  { modelModule, modelClass }: ModelConfig,
  options: Readonly<Record<string, unknown>>,
  allowed: boolean,
): Promise<AnyModel> {
  if (!allowed) {
    throw new ForbiddenLocalCodePackageAccessError(
      `The package in ${directory} brings code of its own, and running it is not allowed here. ` +
        "Read the code, then pass allowLocalCodePackages: true if you trust it.",
    );
  }
  if (modelModule === null || modelClass === null) {
    throw corrupted(
      directory,
      "names neither model_architecture and backend_type (to be loaded with a class of this library) nor model_module and model_class (to bring its own).",
    );
  }
  const path = await modulePath(directory, modelModule);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw corrupted(directory, `has a module ${modelModule} that cannot be imported.`, error);
  }
  const found = module[modelClass];
  if (typeof found !== "function" || typeof (found as unknown as Partial<ModelClass>).fromPretrained !== "function") {
    const exported = Object.keys(module).join(", ") || "nothing";
    throw corrupted(
      directory,
      `has a module ${modelModule} without a class ${modelClass} that has a static fromPretrained(directory, options). It exports ${exported}.`,
    );
  }
  return (found as unknown as ModelClass).fromPretrained(directory, options);
}
