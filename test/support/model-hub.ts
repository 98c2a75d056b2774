/** A real server that speaks the provider's API and serves the files of its packages. */
import { createHash } from "node:crypto";

import { constantNetwork, inferenceConfig, YOLO_HEAD } from "./packages.js";
import { startServer, type Answer, type LocalServer } from "./local-server.js";

export interface HubPackage {
  readonly packageId: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Fields of an ONNX manifest that differ from fp32, batch 1, opset 13; or another manifest as a whole. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly trustedSource?: boolean;
  readonly recommendedParameters?: Readonly<Record<string, unknown>>;
  /** The hash that is announced, where it is to be another than the file's. */
  readonly announcedMd5?: Readonly<Record<string, string | null>>;
}

export interface HubModel {
  readonly modelId: string;
  readonly aliases?: readonly string[];
  readonly modelArchitecture?: string;
  readonly taskType?: string;
  readonly packages: readonly HubPackage[];
  readonly dependencies?: readonly { readonly name: string; readonly modelId: string; readonly modelPackageId?: string }[];
}

export interface ModelHub extends LocalServer {
  /** How often metadata was asked for. */
  metadataRequests(): number;
  /** GET requests for files, by path. */
  fileRequests(): Readonly<Record<string, number>>;
  /** Answers the next metadata requests, before the hub does again. */
  answerMetadata(...answers: readonly Answer[]): void;
  /** Answers the next requests for files of this name. */
  answerFile(name: string, ...answers: readonly Answer[]): void;
}

const md5 = (content: Uint8Array | string): string => createHash("md5").update(content).digest("hex");

/** The files of a package that sees a dog in the upper left and a cat in the lower right of every picture. */
export function detectorFiles(names: readonly string[] = ["cat", "dog"]): Readonly<Record<string, Uint8Array | string>> {
  return {
    "weights.onnx": constantNetwork([YOLO_HEAD], { width: 64, height: 64 }),
    "inference_config.json": JSON.stringify(inferenceConfig()),
    "class_names.txt": names.join("\n"),
  };
}

function wirePackage(origin: string, modelId: string, hubPackage: HubPackage): object {
  const { packageId, files, manifest, trustedSource = true, recommendedParameters, announcedMd5 = {} } = hubPackage;
  const onnx = { type: "onnx-model-package-v1", backendType: "onnx", staticBatchSize: 1, quantization: "fp32", opset: 13 };
  return {
    type: "external-model-package-v1",
    packageId,
    trustedSource,
    ...(recommendedParameters === undefined ? {} : { recommendedParameters }),
    packageManifest: manifest !== undefined && "type" in manifest ? manifest : { ...onnx, ...manifest },
    packageFiles: Object.entries(files).map(([fileHandle, content]) => {
      const announced = announcedMd5[fileHandle];
      return {
        fileHandle,
        downloadUrl: `${origin}/files/${encodeURIComponent(modelId)}/${packageId}/${fileHandle}?X-Amz-Expires=60&X-Amz-Signature=0123`,
        ...(announced === null ? {} : { md5Hash: announced ?? md5(content) }),
      };
    }),
  };
}

export async function startModelHub(models: readonly HubModel[]): Promise<ModelHub> {
  const metadataAnswers: Answer[] = [];
  const fileAnswers = new Map<string, Answer[]>();
  const json =
    (value: unknown, status = 200): Answer =>
    (response) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

  const server = await startServer((response, request) => {
    const { pathname, searchParams } = request.url;
    if (pathname === "/models/v1/external/weights") {
      const asked = searchParams.get("modelId") ?? "";
      const model = models.find(({ modelId, aliases = [] }) => modelId === asked || aliases.includes(asked));
      const answer = metadataAnswers.shift() ?? (model === undefined ? json({ error: "unknown model" }, 404) : json(metadataOf(model)));
      answer(response, request);
      return;
    }
    const [, , id = "", packageId, ...handle] = pathname.split("/").map(decodeURIComponent);
    const name = handle.join("/");
    const content = models.find(({ modelId }) => modelId === id)?.packages.find((one) => one.packageId === packageId)?.files[name];
    const special = request.method === "GET" ? fileAnswers.get(name)?.shift() : undefined;
    if (special !== undefined) special(response, request);
    else if (content === undefined) response.writeHead(404).end();
    else sendFile(Buffer.from(content))(response, request);
  });

  function metadataOf({
    modelId,
    modelArchitecture = "yolov8",
    taskType = "object-detection",
    packages,
    dependencies = [],
  }: HubModel): object {
    const modelDependencies = dependencies.map((one) => ({ type: "model-dependency-v1", ...one }));
    const modelPackages = packages.map((one) => wirePackage(server.origin, modelId, one));
    return {
      modelMetadata: { type: "external-model-metadata-v1", modelId, modelArchitecture, taskType, modelPackages, modelDependencies },
    };
  }

  const isMetadata = ({ url }: { readonly url: URL }): boolean => url.pathname === "/models/v1/external/weights";
  return {
    ...server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    metadataRequests: () => server.requests.filter(isMetadata).length,
    fileRequests: () => {
      const counts: Record<string, number> = {};
      for (const { url, method } of server.requests.filter((request) => !isMetadata(request))) {
        if (method === "GET") counts[url.pathname] = (counts[url.pathname] ?? 0) + 1;
      }
      return counts;
    },
    answerMetadata: (...answers) => void metadataAnswers.push(...answers),
    answerFile: (name, ...answers) => void fileAnswers.set(name, [...(fileAnswers.get(name) ?? []), ...answers]),
  };
}

/** With ranges and an entity tag, as object stores answer. */
function sendFile(content: Buffer): Answer {
  const etag = `"${md5(content)}"`;
  return (response, { method, headers }) => {
    const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? "") ?? [];
    const start = from !== undefined && (headers["if-range"] ?? etag) === etag ? Number(from) : 0;
    const body = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      "accept-ranges": "bytes",
      "content-length": String(body.length),
      ...(start > 0 ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    response.end(method === "HEAD" ? undefined : body);
  };
}
