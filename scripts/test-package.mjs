/**
 * npm run test:package: what is published, tried the way its users get it.
 *
 * Packs the package, installs the tarball without scripts into an empty folder, loads it by import and by require, lets
 * TypeScript resolve its types for both kinds of modules, and finds the face in the shipped photograph, given as file and as pixels:
 * by both kinds of modules, without the addon, and with the addon compiled inside the installed copy. The companion package likewise.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { missingBuildTools } from "./build-native.mjs";
import { buildTypeScript } from "./build-typescript.mjs";
import { isMain, root, spawnNpm, toolPath } from "./support/project.mjs";

// Reported through the warning that users see: whether the addon took part, which no number in the result tells.
const PREDICTION = `
  const warnings = [];
  process.on("warning", (warning) => warnings.push(warning.code));
  async function predict({ AutoModel }, directory) {
    const model = await AutoModel.fromPretrained("mediapipe/face-detector");
    const path = directory + "/assets/images/astronaut.jpg";
    const fromFile = await model.predict(path);
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    const fromPixels = await model.predict({ data, width: info.width, height: info.height, channels: 3, colorFormat: "rgb" });
    await model[Symbol.asyncDispose]?.();
    await new Promise((resolve) => setImmediate(resolve)); // warnings are emitted one turn later
    const addon = !warnings.includes("INFERENCE_MODELS_NO_ADDON");
    process.stdout.write(JSON.stringify({ fromFile: fromFile.length, fromPixels: fromPixels.length, addon }));
  }`;
/** Reads with the companion's networks, or says which dependency is missing. */
const READING = `
  import { AutoModelPipeline } from "inference-models";
  const [, , picture] = process.argv;
  try {
    const reader = await AutoModelPipeline.fromPretrained("pp-ocr-latin");
    const { text } = await reader.predict(picture);
    await reader.close();
    process.stdout.write(text.split("\\n")[0]);
  } catch (error) {
    const { code, dependency } = error.cause ?? error;
    process.stdout.write([code, dependency].join(" "));
  }`;

const CONSUMER_FILES = {
  "package.json": '{ "name": "consumer", "version": "1.0.0", "private": true }\n',
  "predict.cjs": `${PREDICTION}
    const sharp = require("sharp");
    const directory = require("node:path").dirname(require.resolve("inference-models/package.json"));
    require("inference-models/drawing");
    predict(require("inference-models"), directory);`,
  "predict.mjs": `${PREDICTION}
    import * as inferenceModels from "inference-models";
    import "inference-models/drawing";
    import { createRequire } from "node:module";
    import { dirname } from "node:path";
    import sharp from "sharp";
    await predict(inferenceModels, dirname(createRequire(import.meta.url).resolve("inference-models/package.json")));`,
  ...Object.fromEntries(
    ["cts", "mts"].map((extension) => [
      `types.${extension}`,
      `import { AutoModel } from "inference-models";
       import * as drawing from "inference-models/drawing";
       export async function count(path: string): Promise<number> {
         const model = await AutoModel.fromPretrained("mediapipe/face-detector");
         const anything = await model.predict(path); // callable before the task is known
         if (model.task !== "keypoint-detection") return Object.keys(anything).length;
         const faces = await model.predict(path);
         // @ts-expect-error: were everything "any", this line would be fine
         faces.noSuchThing;
         return faces.length;
       }
       export { drawing };`,
    ]),
  ),
  "read.mjs": READING,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      module: "NodeNext",
      target: "ES2022",
      lib: ["ES2023", "ESNext.Disposable"],
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: ["types.cts", "types.mts"],
  }),
};

class Checks {
  counts = { passed: 0, failed: 0, skipped: 0 };

  /** Runs one check: `test` returns what is wrong, or null. */
  check(name, test) {
    const start = Date.now();
    const problem = test();
    this.counts[problem === null ? "passed" : "failed"] += 1;
    process.stdout.write(`  ${problem === null ? "ok  " : "FAIL"} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    if (problem !== null) process.stdout.write(`${problem.trimEnd().replace(/^/gm, "       ")}\n`);
    return problem === null;
  }

  skip(name, reason) {
    this.counts.skipped += 1;
    process.stdout.write(`  skip ${name}: ${reason}\n`);
  }
}

/** null, or everything that the finished process printed. */
const problemIn = ({ status, stdout, stderr, error }) =>
  status === 0 ? null : `exit code ${status}\n${error?.message ?? ""}${stdout}${stderr}`;

const problemOf = (command, args, options = {}) =>
  problemIn(spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...options }));

function problemOfPrediction(folder, file, { addon, environment = {} }) {
  const options = { cwd: folder, encoding: "utf8", env: { ...process.env, ...environment } };
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], options);
  const wanted = JSON.stringify({ fromFile: 1, fromPixels: 1, addon });
  return status === 0 && stdout === wanted
    ? null
    : `expected ${wanted} but received ${stdout || "nothing"} (exit code ${status})\n${stderr}`;
}

function problemOfReading(folder, wanted) {
  const picture = join(root, "companions", "pp-ocr", "images", "notice.png");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["read.mjs", picture], { cwd: folder, encoding: "utf8" });
  return status === 0 && stdout === wanted ? null : `expected "${wanted}" but received "${stdout}" (exit code ${status})\n${stderr}`;
}

/** A package of weights that is published by itself: what needs it says so when it is not installed, and works when it is. */
function testCompanion(checks, scratch, consumer) {
  const name = "inference-models-pp-ocr";
  checks.check(`without ${name}`, () => problemOfReading(consumer, `MISSING_DEPENDENCY ${name}`));
  const packed = spawnNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", scratch, "--workspace", name]);
  if (!checks.check(`npm pack of ${name}`, () => problemIn(packed))) return;
  const answer = JSON.parse(packed.stdout);
  const { filename, files } = Array.isArray(answer) ? answer[0] : Object.values(answer)[0];
  const wanted = ["LICENSE", "PROVENANCE.md", "README.md", "det/inference.onnx", "rec-latin/inference.onnx"];
  checks.check(`contents of ${name}`, () => {
    const missing = wanted.filter((file) => !files.some(({ path }) => path === file));
    return missing.length === 0 ? null : `missing: ${missing.join(", ")}`;
  });
  const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", join(scratch, filename)];
  if (!checks.check(`npm install of ${name}`, () => problemIn(spawnNpm(install, { cwd: consumer })))) return;
  checks.check(`with ${name}`, () => problemOfReading(consumer, "Open daily until 6 pm"));
}

function problemOfContents(files) {
  const missing = [
    "dist/esm/index.js",
    "dist/esm/index.d.ts",
    "dist/cjs/index.js",
    "dist/cjs/index.d.ts",
    "dist/cjs/package.json",
    "dist/esm/cli/main.js",
  ]
    .concat(["CMakeLists.txt", "binding.gyp", "native/addon.cc", "scripts/build-native.mjs", "scripts/support/fingerprint.mjs"])
    .concat([
      "LICENSE",
      "NOTICE",
      "README.md",
      "assets/models/mediapipe-face-detector/LICENSE",
      "assets/models/mediapipe-face-detector/weights.onnx",
      "assets/text/LICENSE-CLIP",
      "assets/text/LICENSE-HTML",
      "assets/text/clip-merges.txt.gz",
      "assets/text/html-entities.txt.gz",
    ])
    .concat(prebuiltBinaries())
    .filter((file) => !files.includes(file));
  const unwanted = files.filter((file) => /(^|\/)(node_modules|tests?|fixtures|conformance|bench|build|src)\/|\.tgz$|^build/.test(file));
  const lines = [...missing.map((file) => `missing: ${file}`), ...unwanted.map((file) => `does not belong there: ${file}`)];
  return lines.length === 0 ? null : lines.join("\n");
}

function prebuiltBinaries() {
  const folder = join(root, "prebuilds");
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .filter((file) => file.endsWith(".node"))
        .map((file) => `prebuilds/${file.replaceAll("\\", "/")}`)
    : [];
}

/** @returns counts of checks */
export async function testPackage() {
  const checks = new Checks();
  if ((await buildTypeScript()) === "failed") return { passed: 0, failed: 1, skipped: 0 };
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-package-"));
  try {
    const packed = spawnNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", scratch]);
    if (!checks.check("npm pack", () => problemIn(packed))) return checks.counts;
    const answer = JSON.parse(packed.stdout);
    const { filename, files, size } = Array.isArray(answer) ? answer[0] : Object.values(answer)[0];
    const tarball = join(scratch, filename);
    checks.check(`contents: ${files.length} files, ${(size / 1e6).toFixed(2)} MB`, () => problemOfContents(files.map(({ path }) => path)));
    checks.check("publint", () => problemOf(process.execPath, [toolPath("publint"), "run", tarball, "--strict"]));
    // node10: resolution of TypeScript before "exports" existed, which cannot find "./drawing" and need not.
    checks.check("are the types wrong", () =>
      problemOf(process.execPath, [toolPath("@arethetypeswrong/cli", "attw"), tarball, "--profile", "node16", "--no-definitely-typed"]),
    );

    const consumer = join(scratch, "consumer");
    mkdirSync(consumer);
    for (const [name, text] of Object.entries(CONSUMER_FILES)) writeFileSync(join(consumer, name), text);
    const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", tarball];
    if (!checks.check("npm install of the tarball", () => problemIn(spawnNpm(install, { cwd: consumer })))) return checks.counts;
    const installed = join(consumer, "node_modules", "inference-models");
    checks.check("types by import and by require", () =>
      problemOf(process.execPath, [toolPath("typescript", "tsc"), "-p", consumer], { cwd: consumer }),
    );
    checks.check("the command", () =>
      problemOf(join(consumer, "node_modules", ".bin", "inference-models"), ["--version"], {
        cwd: consumer,
        shell: process.platform === "win32",
      }),
    );

    const shipped = prebuiltBinaries().some((file) => file.startsWith(`prebuilds/${process.platform}-${process.arch}/`));
    const as = `with ${shipped ? "the shipped addon" : "no addon shipped"}`;
    checks.check(`prediction by import, ${as}`, () => problemOfPrediction(consumer, "predict.mjs", { addon: shipped }));
    checks.check(`prediction by require, ${as}`, () => problemOfPrediction(consumer, "predict.cjs", { addon: shipped }));
    const off = { INFERENCE_MODELS_NATIVE: "off" };
    checks.check("prediction with INFERENCE_MODELS_NATIVE=off", () =>
      problemOfPrediction(consumer, "predict.mjs", { addon: false, environment: off }),
    );

    testCompanion(checks, scratch, consumer);

    const missing = missingBuildTools();
    if (missing.length > 0) {
      checks.skip("addon compiled in the installed package", `${missing.join(" and ")} not found`);
    } else if (
      checks.check("addon compiled in the installed package", () =>
        problemOf(process.execPath, [join(installed, "scripts", "build-native.mjs")], { cwd: consumer }),
      )
    ) {
      const built = { INFERENCE_MODELS_NATIVE: join(installed, "build", "Release", "inference-models.node") };
      checks.check("prediction with the compiled addon by import", () =>
        problemOfPrediction(consumer, "predict.mjs", { addon: true, environment: built }),
      );
      checks.check("prediction with the compiled addon by require", () => problemOfPrediction(consumer, "predict.cjs", { addon: true }));
    }
    return checks.counts;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const { passed, failed, skipped } = await testPackage();
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
