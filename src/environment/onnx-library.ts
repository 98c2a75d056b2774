/** Where the ONNX Runtime library of this process lies, and opening it. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { configuration } from "../configuration.js";
import { EnvironmentConfigurationError, MissingDependencyError } from "../errors.js";
import type { NativeAddon, NativeFailure, NativeOnnxRuntimeInfo } from "../native/index.js";

/** Names another library file than the one inside onnxruntime-node. */
export const LIBRARY_VARIABLE = "INFERENCE_MODELS_ONNXRUNTIME";

const INSTALL = '"npm install --ignore-scripts onnxruntime-node"';

export interface OpenedRuntime extends NativeOnnxRuntimeInfo {
  readonly libraryPath: string;
}

/** Directory of the installed onnxruntime-node. @throws MissingDependencyError */
export function onnxRuntimeNodeDirectory(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  } catch (cause) {
    throw new MissingDependencyError(`ONNX Runtime is not installed, and ONNX models run on it. Install it with ${INSTALL}.`, {
      dependency: "onnxruntime-node",
      cause,
    });
  }
}

/** The library that the addon is to open: the one named by the environment, else onnxruntime-node's. @throws MissingDependencyError */
export function resolveLibrary(named: string = configuration().native.onnxRuntime): string {
  if (named !== "") {
    if (existsSync(named)) return realpathSync(named);
    throw new MissingDependencyError(
      `${LIBRARY_VARIABLE} names ${named}, which does not exist. Correct it, or unset it to use onnxruntime-node's library.`,
      {
        dependency: named,
      },
    );
  }
  const directory = onnxRuntimeNodeDirectory();
  const library = findLibrary(directory);
  if (library !== null) return library;
  throw new MissingDependencyError(
    `onnxruntime-node in ${directory} has no library for ${process.platform}-${process.arch}. Set ${LIBRARY_VARIABLE} to a libonnxruntime of release 1.20 or newer.`,
    { dependency: "onnxruntime-node" },
  );
}

/** bin/napi-v<n>/<platform>/<architecture>/ holds the library under a name that differs by platform and release. */
function findLibrary(directory: string): string | null {
  const name =
    /^(libonnxruntime\.so\.1|libonnxruntime\.1\.dylib|onnxruntime\.dll|libonnxruntime\.so\.1\.[\d.]+|libonnxruntime\.1\.[\d.]+\.dylib)$/;
  for (const version of list(join(directory, "bin"))) {
    const folder = join(directory, "bin", version, process.platform, process.arch);
    const found = list(folder).find((file) => name.test(file));
    if (found !== undefined) return realpathSync(join(folder, found));
  }
  return null;
}

function list(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

/** Opens the library, once per process. @throws MissingDependencyError, EnvironmentConfigurationError */
export function openRuntime(addon: NativeAddon): OpenedRuntime {
  const libraryPath = resolveLibrary();
  try {
    return { libraryPath, ...addon.openOnnxRuntime(libraryPath) };
  } catch (cause) {
    const { nativeCode, message } = cause as NativeFailure;
    if (nativeCode === "invalid-argument") {
      throw new EnvironmentConfigurationError(
        `Two ONNX Runtime releases in one process cannot work. ${message} Keep ${LIBRARY_VARIABLE} unchanged while the process runs.`,
        {
          cause,
        },
      );
    }
    throw new MissingDependencyError(`${message} Install it with ${INSTALL}, or name another library with ${LIBRARY_VARIABLE}.`, {
      dependency: libraryPath,
      cause,
    });
  }
}
