import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

function find(): { readonly directory: string; readonly manifest: Manifest } {
  // The compiled file lies two levels deeper than the source, so the manifest is looked for rather than assumed.
  let directory = dirname(fileURLToPath(import.meta.url));
  while (true) {
    const path = join(directory, "package.json");
    if (existsSync(path)) {
      const manifest = JSON.parse(readFileSync(path, "utf8")) as Partial<Manifest>;
      if (manifest.name === "inference-models") return { directory, manifest: manifest as Manifest };
    }
    const parent = dirname(directory);
    if (parent === directory) throw new Error("inference-models: the package's own package.json was not found.");
    directory = parent;
  }
}

const found = find();

/** Directory of this package: assets, prebuilt binaries and the manifest lie below it. */
export const packageRoot: string = found.directory;
export const packageVersion: string = found.manifest.version;
