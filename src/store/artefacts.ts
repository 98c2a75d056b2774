/** What a package is announced to consist of, and what the cache knows about the files it has. */
import * as z from "zod";

import { CorruptedModelPackageError } from "../errors.js";
import { isMd5, requireArtefactHandles, type ArtefactSpecs } from "../packages/index.js";
import { sourceHash } from "./download-source.js";

interface Declared {
  readonly fileHandle: string;
  /** `shared_blob`: stored once under its hash, and linked into the package; `package_file`: in the package itself. */
  readonly storage: "shared_blob" | "package_file";
}

/** Before the files are there. */
export type ArtefactDeclaration = Declared &
  ({ readonly md5Hash: string; readonly sourceHash: null } | { readonly md5Hash: null; readonly sourceHash: string });

/** What a file was when it was verified. Without a published hash it is known by its own and by where it came from. */
export type ArtefactIdentity = Declared &
  (
    | { readonly md5Hash: string; readonly sourceHash: null; readonly sha256Hash: null }
    | { readonly md5Hash: null; readonly sourceHash: string; readonly sha256Hash: string }
  );

/** Handles are ASCII; upper and lower case count as the same. */
export function byHandle(a: { readonly fileHandle: string }, b: { readonly fileHandle: string }): number {
  const [left, right] = [a.fileHandle.toLowerCase(), b.fileHandle.toLowerCase()];
  return left < right ? -1 : Number(left > right);
}

function declare(artefact: ArtefactSpecs): ArtefactDeclaration {
  const { kind, fileHandle, md5Hash } = artefact;
  if (kind === "download" && md5Hash === null) {
    return { fileHandle, md5Hash: null, sourceHash: sourceHash(artefact.downloadUrl), storage: "package_file" };
  }
  if (isMd5(md5Hash)) return { fileHandle, md5Hash, sourceHash: null, storage: kind === "local" ? "package_file" : "shared_blob" };
  throw new CorruptedModelPackageError(
    `The file "${fileHandle}" is announced with an MD5 that is none: it must be 32 lower-case hexadecimal digits. The provider has to correct it.`,
    { kind: "artefact" },
  );
}

/** Sorted by handle. @throws CorruptedModelPackageError for unsafe or clashing handles and malformed hashes. */
export function declareArtefacts(artefacts: readonly ArtefactSpecs[]): readonly ArtefactDeclaration[] {
  requireArtefactHandles(artefacts.map(({ fileHandle }) => fileHandle));
  return artefacts.map(declare).sort(byHandle);
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const hashed = z.strictObject({
  file_handle: z.string(),
  md5_hash: z.string().refine(isMd5),
  unhashed: z.literal(false),
  sha256_hash: z.null(),
  source_hash: z.null(),
  storage: z.enum(["shared_blob", "package_file"]),
});
const unhashed = z.strictObject({
  file_handle: z.string(),
  md5_hash: z.null(),
  unhashed: z.literal(true),
  sha256_hash: sha256,
  source_hash: sha256,
  storage: z.literal("package_file"),
});
const list = z.array(z.discriminatedUnion("unhashed", [hashed, unhashed]));

/** As `package_artifacts` of model_config.json holds them: complete, safe and sorted. @throws CorruptedModelPackageError */
export function parseArtefactIdentities(value: unknown): readonly ArtefactIdentity[] {
  const parsed = list.safeParse(value);
  if (!parsed.success) {
    throw new CorruptedModelPackageError("The record of the package's files is malformed.", { kind: "manifest", cause: parsed.error });
  }
  const identities = parsed.data.map(({ file_handle: fileHandle, storage, ...rest }): ArtefactIdentity => {
    if (rest.unhashed) return { fileHandle, storage, md5Hash: null, sha256Hash: rest.sha256_hash, sourceHash: rest.source_hash };
    return { fileHandle, storage, md5Hash: rest.md5_hash, sha256Hash: null, sourceHash: null };
  });
  requireArtefactHandles(identities.map(({ fileHandle }) => fileHandle));
  if (identities.some((identity, index) => index > 0 && byHandle(identities[index - 1] ?? identity, identity) > 0)) {
    throw new CorruptedModelPackageError("The record of the package's files is not sorted.", { kind: "manifest" });
  }
  return identities;
}

export function formatArtefactIdentities(identities: readonly ArtefactIdentity[]): readonly object[] {
  return identities.map(({ fileHandle, md5Hash, sha256Hash, sourceHash: source, storage }) => ({
    file_handle: fileHandle,
    md5_hash: md5Hash,
    unhashed: md5Hash === null,
    sha256_hash: sha256Hash,
    source_hash: source,
    storage,
  }));
}

/** Whether a file on record is the announced one. */
export function isSameArtefact(declaration: ArtefactDeclaration, identity: ArtefactIdentity): boolean {
  return (
    declaration.fileHandle === identity.fileHandle &&
    declaration.md5Hash === identity.md5Hash &&
    declaration.sourceHash === identity.sourceHash &&
    declaration.storage === identity.storage
  );
}
