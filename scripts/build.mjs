/** Builds everything that runs: the addon where this machine can compile it, then TypeScript. */
import { buildNative } from "./build-native.mjs";
import { buildTypeScript } from "./build-typescript.mjs";

const addon = buildNative();
const typeScript = addon === "failed" ? "failed" : await buildTypeScript();
if (typeScript === "failed") process.exitCode = 1;
else
  process.stderr.write(
    `Addon: ${{ current: "up to date", built: "built", "no-tools": "not built" }[addon]}. TypeScript: ${typeScript === "built" ? "built" : "up to date"}.\n`,
  );
