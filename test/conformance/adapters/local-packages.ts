import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { cacheLayout } from "../../../src/packages/index.js";
import { discoverLocalTrtPackages, listOfflineModels, recordOfflineLoad, type OfflineSource } from "../../../src/providers/index.js";
import { deserializePackage, serializePackage } from "../../../src/providers/offline/package-record.js";
import { verifyRecord } from "../../../src/providers/offline/presence.js";
import { offlineProvider } from "../../../src/providers/offline/provider.js";
import { deserializeRecord, recordToMetadata } from "../../../src/providers/offline/record.js";
import { findOfflineRecord } from "../../../src/providers/offline/registry.js";
import { readLocalTrtManifest } from "../../../src/providers/roboflow/manifests/trt.js";
import { NotCovered, type AdapterTable } from "../adapter.js";
import {
  decodeMetadata,
  decodePackage,
  encodeMetadata,
  encodePackage,
  encodeRequirements,
  type VectorMetadata,
  type VectorPackage,
} from "./metadata-values.js";

type Entry = { readonly text: string } | { readonly base64: string } | { readonly symlink_to: string } | { readonly directory: true };

type Tree = Readonly<Record<string, Entry>>;

async function create(path: string, root: string, entry: Entry): Promise<void> {
  await mkdir("directory" in entry ? path : dirname(path), { recursive: true });
  if ("text" in entry) await writeFile(path, entry.text);
  else if ("base64" in entry) await writeFile(path, Buffer.from(entry.base64, "base64"));
  else if ("symlink_to" in entry) await symlink(join(root, entry.symlink_to), path);
}

async function withTree<T>(tree: Tree, work: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "vectors-"));
  try {
    for (const [path, entry] of Object.entries(tree)) await create(join(home, path), home, entry);
    return await work(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

interface InHome {
  readonly inference_home: Tree;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Kind = "string" | "boolean" | "number" | "object";

/** The reference passes values of a wrong kind through to whoever uses them; here they count as absent. */
function requireKinds(value: unknown, kinds: Readonly<Record<string, Kind>>): void {
  if (!isObject(value)) return;
  for (const [name, kind] of Object.entries(kinds)) {
    const field = value[name] ?? null;
    const fits = kind === "object" ? isObject(field) : typeof field === kind;
    if (field !== null && !fits) throw new NotCovered(`${name} of a wrong kind is not passed through`);
  }
}

const PACKAGE_KINDS = {
  package_id: "string",
  dynamic_batch_size_supported: "boolean",
  static_batch_size: "number",
  model_features: "object",
  cache_model_id: "string",
} as const;

function requirePackageKinds(value: unknown): void {
  requireKinds(value, PACKAGE_KINDS);
  if (isObject(value) && (value["package_id"] ?? null) === null && "backend" in value)
    throw new NotCovered("a package without an id is not passed through");
}

function requirePackagesOfRecord(record: unknown): void {
  const packages = isObject(record) ? record["packages"] : null;
  if (Array.isArray(packages)) packages.forEach(requirePackageKinds);
}

/** Records in a tree, as far as they can be read. */
function requireTree(tree: Tree): void {
  for (const entry of Object.values(tree)) {
    if (!("text" in entry) || !entry.text.startsWith("{")) continue;
    try {
      requirePackagesOfRecord(JSON.parse(entry.text));
    } catch (error) {
      if (error instanceof NotCovered) throw error;
    }
  }
}

interface Load {
  readonly model_metadata: VectorMetadata;
  readonly requested_model_id: string;
  readonly proven_package_id: string;
  readonly source?: OfflineSource;
}

async function record(input: InHome & { readonly loads: readonly Load[] }): Promise<unknown> {
  return withTree(input.inference_home, async (home) => {
    const registered: boolean[] = [];
    for (const load of input.loads) {
      const { source } = load;
      const given = {
        metadata: decodeMetadata(load.model_metadata),
        requestedModelId: load.requested_model_id,
        packageId: load.proven_package_id,
        ...(source === undefined ? {} : { source }),
      };
      registered.push(await recordOfflineLoad(given, { home }));
    }
    const directory = cacheLayout(home).offlineRegistry;
    const files = (await readdir(directory)).filter((name) => name.endsWith(".json")).sort();
    const records = await Promise.all(
      files.map(async (file) => {
        const { recorded_at: _recordedAt, proven, ...content } = JSON.parse(await readFile(join(directory, file), "utf8"));
        return { file, content: { ...content, proven: Object.keys(proven as object).sort() } };
      }),
    );
    return { registered, records };
  });
}

export const adapters: AdapterTable = {
  "discover-local-trt-packages": {
    "": (input: InHome & { readonly model_id: string }) =>
      withTree(input.inference_home, async (home) => ({
        model_packages: (await discoverLocalTrtPackages(input.model_id, home)).map(encodePackage),
      })),
  },
  "parse-trt-manifest-environment": {
    "": ({ manifest }: { readonly manifest: unknown }) => {
      try {
        return { environment_requirements: encodeRequirements(readLocalTrtManifest(manifest).environmentRequirements) };
      } catch {
        return { environment_requirements: null };
      }
    },
  },
  "serialize-offline-package": {
    "": (input: { readonly model_package: VectorPackage }) => ({ payload: serializePackage(decodePackage(input.model_package)) }),
  },
  "deserialize-offline-package": {
    "": ({ payload }: { readonly payload: unknown }) => {
      requirePackageKinds(payload);
      const metadata = deserializePackage(payload);
      return { model_package: metadata === null ? null : encodePackage(metadata) };
    },
  },
  "offline-record-to-metadata": {
    "": (input: { readonly record: unknown }) => {
      if (isObject(input.record)) {
        requireKinds(input.record, { canonical_model_id: "string" });
        requireKinds(input.record["model"], { task_type: "string", model_variant: "string" });
      }
      requirePackagesOfRecord(input.record);
      const read = deserializeRecord(input.record);
      const metadata = read === null ? null : recordToMetadata(read);
      return { model_metadata: metadata === null ? null : encodeMetadata(metadata) };
    },
  },
  "load-offline-record": {
    "": (input: InHome & { readonly model_id: string }) =>
      withTree(input.inference_home, async (home) => {
        const found = await findOfflineRecord(input.model_id, home);
        const metadata = found === null ? null : recordToMetadata(found);
        return { model_metadata: metadata === null ? null : encodeMetadata(metadata) };
      }),
  },
  "load-offline-model": {
    "": (input: InHome & { readonly model_id: string }) =>
      withTree(input.inference_home, async (home) => ({ model_metadata: encodeMetadata(await offlineProvider(input.model_id, home)) })),
  },
  "list-offline-records": {
    "": (input: InHome) => {
      requireTree(input.inference_home);
      return withTree(input.inference_home, async (home) => ({
        records: (await listOfflineModels({ home })).map((model) => ({
          canonical_model_id: model.canonicalModelId,
          requested_aliases: model.requestedAliases,
          source: model.source,
          recorded_at: model.recordedAt,
          proven: model.proven,
          packages: model.packages.map(({ packageId, trustedSource, presence, missingFiles }) => ({
            package_id: packageId,
            trusted_source: trustedSource,
            presence,
            missing_files: missingFiles,
          })),
        })),
      }));
    },
  },
  "verify-offline-record": {
    "": (input: InHome & { readonly record: unknown; readonly check_hashes: boolean }) => {
      requirePackagesOfRecord(input.record);
      return withTree(input.inference_home, async (home) => {
        const read = deserializeRecord(input.record);
        const statuses = read === null ? [] : await verifyRecord(read, { checkHashes: input.check_hashes, home });
        return {
          artefacts: statuses.map(({ canonicalModelId, packageId, fileHandle, status }) => ({
            canonical_model_id: canonicalModelId,
            package_id: packageId,
            file_handle: fileHandle,
            status,
          })),
        };
      });
    },
  },
  "record-offline-load": { "": record },
};
