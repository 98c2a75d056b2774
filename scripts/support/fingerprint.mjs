// Shipped with the package, because build-native.mjs is: nothing but Node's own modules here.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

function filesUnder(root, path) {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute)
    .sort()
    .flatMap((name) => filesUnder(root, `${path}/${name}`));
}

/**
 * Hash of the contents of files and folders, and of settings that matter as much. Contents rather than times: a checkout,
 * an unpacked tarball and a copied folder all change the times without changing anything.
 */
export function fingerprint(root, paths, settings = []) {
  const hash = createHash("sha256");
  for (const setting of settings) hash.update(`${setting}\0`);
  for (const file of paths.flatMap((path) => filesUnder(root, path)))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}
