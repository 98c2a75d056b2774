/** npm run demo: finds the face in the shipped photograph with the shipped model, and draws it into demo-output/. */
import { buildNative } from "./build-native.mjs";
import { buildTypeScript } from "./build-typescript.mjs";
import { succeeds } from "./support/project.mjs";

buildNative();
const ready = (await buildTypeScript()) !== "failed";
const command = ["dist/esm/cli/main.js", "predict", "mediapipe/face-detector", "assets/images/astronaut.jpg", "--save", "demo-output"];
if (ready) process.stderr.write(`\n$ node ${command.join(" ")}\n`);
process.exitCode = ready && succeeds(process.execPath, [...command, ...process.argv.slice(2)]) ? 0 : 1;
