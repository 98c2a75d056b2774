/**
 * npm run check:tensorrt [-- --full] [-- --folder FOLDER]: NVIDIA's own libraries as far as they go without a GPU, on Linux on x86-64.
 *
 * Fetches the lean and the dispatch libraries of TensorRT 10 and 11 (95 MB of Python packages, into build-tensorrt/), with --full also the full
 * library with its parser as Maven artifacts (530 MB and more for each major; needs mvn and unzip). Shows for each that it is found and its
 * version read, and that engines which cannot load there are refused before anything of the library is created: without a driver
 * TensorRT's factories answer with pointers to nowhere. --folder checks libraries that are somewhere already.
 * Exit code: 0 all holds, 1 something does not, 3 the libraries could not be fetched.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { buildNative } from "./build-native.mjs";
import { installPinned } from "./support/pinned-packages.mjs";
import { root, succeeds } from "./support/project.mjs";

const PARENT = "build-tensorrt";
const REQUIREMENTS = ["scripts/tensorrt-10-requirements.txt", "scripts/tensorrt-11-requirements.txt"];
const ARTIFACTS = ["10.15-1.5.13", "11.2-1.5.14"];
const NOT_FETCHED = 3;
const LIBRARY = /^libnvinfer(?:_lean|_dispatch)?\.so\.\d+$/;

const { values } = parseArgs({
  options: { full: { type: "boolean", default: false }, folder: { type: "string", multiple: true, default: [] } },
});
const say = (text) => process.stdout.write(`${text}\n`);

/** Folders below `folder` that hold a library of TensorRT. */
const foldersIn = (folder) => [
  ...new Set(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(({ name }) => LIBRARY.test(name))
      .map(({ parentPath }) => parentPath),
  ),
];

function fetchFull(version) {
  const folder = join(root, PARENT, `full-${version}`);
  if (existsSync(folder)) return folder;
  const scratch = `${folder}.tmp`;
  mkdirSync(scratch, { recursive: true });
  const artifact = `org.bytedeco:tensorrt:${version}:jar:linux-x86_64-redist`;
  const fetched =
    succeeds("mvn", ["-q", "dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${scratch}`]) &&
    // Not what is only for building engines.
    succeeds("unzip", [
      "-q",
      join(scratch, `tensorrt-${version}-linux-x86_64-redist.jar`),
      "*libnvinfer.so.*",
      "*libnvonnxparser.so.*",
      "-d",
      folder,
    ]);
  rmSync(scratch, { recursive: true, force: true });
  return fetched ? folder : null;
}

/** What a child sees; with the loader's record of every function that was bound. */
function look(folder, environment) {
  const scratch = mkdtempSync(join(tmpdir(), "inference-models-"));
  try {
    const child = join(root, "test", "gpu", "children", "real-library.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", import.meta.resolve("tsx"), child, folder], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, ...environment, LD_DEBUG: "bindings", LD_DEBUG_OUTPUT: join(scratch, "bound") },
    });
    if (status !== 0) return { problem: stderr };
    const bound = readdirSync(scratch).map((file) => readFileSync(join(scratch, file), "latin1"));
    const names = bound.flatMap((text) =>
      [...text.matchAll(/to \S*\/libnvinfer\S* \[0\]: normal symbol `(create\w+|getInfer\w+)'/g)].map(([, name]) => name),
    );
    return { ...JSON.parse(stdout), bound: [...new Set(names)] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function check(folder) {
  const failures = [];
  const expectThat = (holds, what) => {
    say(`${holds ? "ok    " : "FAILED"} ${what}`);
    if (!holds) failures.push(what);
  };
  say(basename(folder));
  const { problem, found, parser, driver, refusals, bound } = look(folder, { INFERENCE_MODELS_TENSORRT_LIBRARY_PATH: folder });
  if (problem !== undefined) {
    expectThat(false, problem);
    return failures;
  }
  for (const { kind, version } of found)
    expectThat(/^1[01]\.\d+\.\d+\.\d+$/.test(version ?? ""), `the ${kind} library is TensorRT ${version}`);
  expectThat(found.length > 0, `${found.length} libraries found`);
  if (parser !== null) expectThat(/^\d+\.\d+\.\d+$/.test(parser), `its ONNX parser is ${parser}`);
  for (const { what, error, message } of refusals) expectThat(error !== null, `${what}: ${error ?? "not refused"}: ${message}`);
  expectThat(
    bound.includes("getInferLibVersion"),
    `asked for their versions: ${bound.filter((name) => name.startsWith("get")).join(", ")}`,
  );
  expectThat(!bound.some((name) => name.startsWith("create")), `nothing was created (${driver})`);
  return failures;
}

buildNative();
const folders = [...values.folder];
for (const requirements of REQUIREMENTS) {
  say(`Fetching what ${requirements} names, 48 MB, unless it is there ...`);
  const folder = installPinned(PARENT, requirements);
  if (folder === null) process.exit(NOT_FETCHED);
  folders.push(...foldersIn(folder));
}
for (const version of values.full ? ARTIFACTS : []) {
  say(`Fetching TensorRT ${version}, 530 MB or more, unless it is there ...`);
  const folder = fetchFull(version);
  if (folder === null) process.exit(NOT_FETCHED);
  folders.push(...foldersIn(folder));
}
process.exitCode = folders.flatMap(check).length > 0 ? 1 : 0;
