import { existsSync } from "node:fs";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";

import { RetryError } from "../../../src/errors.js";
import type { HttpExchange } from "../../../src/http/index.js";
import type { ArtefactSpecs } from "../../../src/packages/index.js";
import {
  FileResolutionCache,
  backoffSeconds,
  canonicalDownloadSource,
  canonicalizeUnorderedValues,
  credentialHash,
  declareArtefacts,
  formatArtefactIdentities,
  formatDependencyPaths,
  hashContent,
  humanReadableSize,
  parseArtefactIdentities,
  parseDependencyPaths,
  probeFile,
  resolutionCachePath,
  targetPaths,
  verifyFileMd5,
  type NameAfter,
} from "../../../src/store/index.js";
import { formatEntry } from "../../../src/store/resolution/entry.js";
import type { AdapterTable, Json } from "../adapter.js";

interface VectorArtefact {
  readonly type: "download" | "local";
  readonly download_url?: string;
  readonly file_handle: string;
  readonly md5_hash: string | null;
}

function artefactOf({ type, download_url = "", file_handle: fileHandle, md5_hash: md5Hash }: VectorArtefact): ArtefactSpecs {
  return type === "local"
    ? { kind: "local", fileHandle, md5Hash: md5Hash as string }
    : { kind: "download", fileHandle, md5Hash, downloadUrl: download_url };
}

type Tree = Readonly<
  Record<string, { readonly text?: string; readonly base64?: string; readonly symlink_to?: string; readonly directory?: true }>
>;

async function plant(tree: Tree): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "conformance-"));
  for (const [name, { text, base64, symlink_to: target, directory }] of Object.entries(tree)) {
    const path = join(home, name);
    await mkdir(directory === true ? path : dirname(path), { recursive: true });
    if (text !== undefined) await writeFile(path, text);
    if (base64 !== undefined) await writeFile(path, Buffer.from(base64, "base64"));
    if (target !== undefined) await symlink(join(home, target), path);
  }
  return home;
}

const at = (seconds: number) => () => new Date(seconds * 1000);

interface ScriptedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connection_error?: true;
}

/** A server that answers as written. */
function scripted(responses: readonly ScriptedResponse[]): HttpExchange {
  const left = [...responses];
  return async ({ url }) => {
    const next = left.shift();
    if (next?.status === undefined) throw new RetryError("The connection failed.", { isRetryable: true });
    const headers = Object.fromEntries(Object.entries(next.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    return { status: next.status, headers, body: Readable.from([]), url };
  };
}

export const adapters: AdapterTable = {
  "hash-dict-content": { "": (input: { readonly json: string }) => ({ sha256: hashContent(JSON.parse(input.json)) }) },
  "credential-hash": { "": (input: { readonly api_key: string | null }) => ({ sha256: credentialHash(input.api_key) }) },
  "canonicalize-unordered-values": {
    "": (input: { readonly value: string | readonly string[] | null; readonly case_insensitive: boolean }) => ({
      values: canonicalizeUnorderedValues(input.value, { ignoreCase: input.case_insensitive }),
    }),
  },
  "canonical-download-source": { "": (input: { readonly url: string }) => ({ source: canonicalDownloadSource(input.url) }) },
  "declare-package-artefacts": {
    "": (input: { readonly package_artefacts: readonly VectorArtefact[] }) => ({
      declarations: declareArtefacts(input.package_artefacts.map(artefactOf)).map(({ fileHandle, md5Hash, sourceHash, storage }) => ({
        file_handle: fileHandle,
        md5_hash: md5Hash,
        unhashed: md5Hash === null,
        source_hash: sourceHash,
        storage,
      })),
    }),
  },
  "parse-artefact-identities": {
    "": (input: { readonly value: Json }) => ({ identities: formatArtefactIdentities(parseArtefactIdentities(input.value)) }),
  },
  "parse-dependency-path-identities": {
    "": (input: { readonly value: Json }) => ({ identities: formatDependencyPaths(parseDependencyPaths(input.value)) }),
  },
  "auto-resolution-cache-path": {
    "": (input: { readonly inference_home: string; readonly hash: string }) => ({
      path: resolutionCachePath(input.inference_home, input.hash),
    }),
  },
  "read-resolution-cache": {
    "": async (input: { readonly inference_home: Tree; readonly hash: string; readonly now: number; readonly offline_mode?: boolean }) => {
      const home = await plant(input.inference_home);
      const cache = new FileResolutionCache({ home, offline: input.offline_mode ?? false, now: at(input.now) });
      const entry = await cache.retrieve(input.hash);
      return {
        entry: entry === null ? null : pythonTimes(formatEntry(entry)),
        file_kept: existsSync(resolutionCachePath(home, input.hash)),
      };
    },
  },
  "find-resolution-cache-candidates": {
    "": async (input: {
      readonly inference_home: Tree;
      readonly model_id: string;
      readonly now: number;
      readonly credential_hash?: string;
    }) => {
      const cache = new FileResolutionCache({ home: await plant(input.inference_home), now: at(input.now) });
      return { hashes: await cache.findModelCandidates(input.model_id, input.credential_hash) };
    },
  },
  "download-backoff-seconds": { "": (input: { readonly attempt_index: number }) => ({ seconds: backoffSeconds(input.attempt_index) }) },
  "download-range-support": {
    "": async (input: { readonly responses: readonly ScriptedResponse[] }) => {
      const options = { exchange: scripted(input.responses), sleep: async () => undefined };
      const { length, acceptsRanges } = await probeFile("https://files.example/x", options);
      return { content_length: acceptsRanges ? length : null };
    },
  },
  "download-target-paths": {
    "": (input: { readonly target_dir: string; readonly files: readonly VectorArtefact[]; readonly name_after: NameAfter }) => {
      const files = input.files.map(({ file_handle: fileHandle, download_url: downloadUrl = "", md5_hash: md5Hash }) => ({
        fileHandle,
        downloadUrl,
        md5Hash,
      }));
      return { paths: targetPaths(input.target_dir, files, input.name_after) };
    },
  },
  "human-readable-size": { "": (input: { readonly size: number }) => ({ text: humanReadableSize(input.size) }) },
  "verify-file-md5": {
    "": async (input: { readonly file: string; readonly md5_hash: string }) => {
      const home = await plant({ file: { text: input.file } });
      await verifyFileMd5(join(home, "file"), input.md5_hash);
      return { ok: true };
    },
  },
};

/** The vectors write times as Python does. */
function pythonTimes(text: string): unknown {
  const entry = JSON.parse(text) as { readonly created_at: string };
  const created = entry.created_at.replace(/Z$/, "+00:00").replace(/\.\d+/, (fraction) => fraction.padEnd(7, "0"));
  return { ...entry, created_at: created };
}
