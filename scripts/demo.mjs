/**
 * npm run demo: finds the face in the shipped photograph and reads the notice of the companion package, with networks that need no
 * download, and draws both into demo-output/.
 */
import { buildNative } from "./build-native.mjs";
import { buildTypeScript } from "./build-typescript.mjs";
import { succeeds } from "./support/project.mjs";

const COMMANDS = [
  ["predict", "mediapipe/face-detector", "assets/images/astronaut.jpg"],
  ["read", "companions/pp-ocr/images/notice.png"],
];

buildNative();
let ok = (await buildTypeScript()) !== "failed";
for (const words of ok ? COMMANDS : []) {
  const command = ["dist/esm/cli/main.js", ...words, "--save", "demo-output"];
  process.stderr.write(`\n$ node ${command.join(" ")}\n`);
  ok = succeeds(process.execPath, [...command, ...process.argv.slice(2)]) && ok;
}
process.exitCode = ok ? 0 : 1;
