/**
 * A weights provider of one's own: models that lie in a folder, a sub-folder each.
 * Run: npx tsx examples/provider-from-folder.ts <folder> <name of a model>
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { getModelFromProvider, ModelNotFoundError, registerModelProvider, type ModelProvider } from "inference-models";

/** What is read of `model_config.json`. */
interface Config {
  readonly model_architecture: string;
  readonly task_type: string;
  readonly backend_type: "onnx";
}

const md5Of = (content: Uint8Array | string): string => createHash("md5").update(content).digest("hex");

function providerFromFolder(root: string): ModelProvider {
  return async (modelId) => {
    // Ids come from callers: only a name that is listed leads into a folder.
    if (!(await readdir(root)).includes(modelId)) throw new ModelNotFoundError(`${root} has no model "${modelId}".`, { modelId });
    const folder = join(root, modelId);
    const config = JSON.parse(await readFile(join(folder, "model_config.json"), "utf8")) as Config;
    const files = (await readdir(folder)).filter((name) => name !== "model_config.json").sort();
    const packageArtefacts = await Promise.all(
      files.map(async (fileHandle) => {
        const md5Hash = md5Of(await readFile(join(folder, fileHandle)));
        return { fileHandle, md5Hash, downloadUrl: pathToFileURL(join(folder, fileHandle)).href };
      }),
    );
    return {
      modelId,
      modelArchitecture: config.model_architecture,
      taskType: config.task_type,
      modelPackages: [
        {
          // Letters and digits; other files are another package.
          packageId: md5Of(packageArtefacts.map(({ md5Hash }) => md5Hash).join()),
          backend: config.backend_type,
          packageArtefacts,
          quantization: "fp32",
          dynamicBatchSizeSupported: true,
          onnxPackageDetails: { opset: 17 },
          trustedSource: true,
        },
      ],
    };
  };
}

const [folder = "models", modelId = "yolov8n"] = process.argv.slice(2);
registerModelProvider("folder", providerFromFolder(resolve(folder)));

const { modelArchitecture, taskType, modelPackages } = await getModelFromProvider(modelId, { provider: "folder" });
console.log(`${modelId}: ${modelArchitecture} for ${taskType ?? "anything"}`);
for (const { backend, packageArtefacts } of modelPackages) {
  console.log(`  ${backend}:`, packageArtefacts.map(({ fileHandle }) => fileHandle).join(", "));
}
