/**
 * A weights provider of one's own: models in a bucket, each with a description that says what it is and which files it has. Models that the
 * bucket does not have are looked for at Roboflow.
 * Run: npx tsx examples/provider-from-bucket.ts <address of the bucket> <id of a model>
 */
import { getModelFromProvider, ModelNotFoundError, registerModelProvider, RetryError, type ModelProvider } from "inference-models";

/** `<bucket>/<model id>/model.json` */
interface Description {
  readonly architecture: string;
  readonly task: string;
  readonly opset: number;
  readonly files: readonly { readonly name: string; readonly md5: string }[];
}

function providerFromBucket(bucket: string): ModelProvider {
  return async (modelId, { apiKey, extraHeaders, signal }) => {
    const base = `${bucket}/${modelId.split("/").map(encodeURIComponent).join("/")}`;
    const response = await fetch(`${base}/model.json`, {
      headers: { ...extraHeaders, ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }) },
      ...(signal === undefined ? {} : { signal }),
    });
    // Only this error leads on to the next provider: an outage must not turn into another model of the same name.
    if (response.status === 404) throw new ModelNotFoundError(`The bucket has no model "${modelId}".`, { modelId, status: 404 });
    if (!response.ok) throw new RetryError(`The bucket answered ${response.status}.`, { status: response.status, isRetryable: true });
    const { architecture, task, opset, files } = (await response.json()) as Description;
    return {
      modelId,
      modelArchitecture: architecture,
      taskType: task,
      modelPackages: [
        {
          packageId: "onnx",
          backend: "onnx",
          packageArtefacts: files.map(({ name, md5 }) => ({
            fileHandle: name,
            md5Hash: md5,
            downloadUrl: `${base}/${encodeURIComponent(name)}`,
          })),
          quantization: "fp32",
          dynamicBatchSizeSupported: true,
          onnxPackageDetails: { opset },
          trustedSource: true,
        },
      ],
    };
  };
}

const [bucket = "https://models.example", modelId = "bolts/3"] = process.argv.slice(2);
registerModelProvider("bucket", providerFromBucket(bucket));

const { modelArchitecture, modelPackages } = await getModelFromProvider(modelId, {
  provider: ["bucket", "roboflow"],
  signal: AbortSignal.timeout(30_000),
});
console.log(`${modelId}: ${modelArchitecture}`);
for (const artefact of modelPackages.flatMap(({ packageArtefacts }) => packageArtefacts)) {
  if (artefact.kind === "download") console.log(`  ${artefact.fileHandle} from ${artefact.downloadUrl}`);
}
