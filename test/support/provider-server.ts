/** The Roboflow API as far as this library knows it, on loopback: models, pages, files, and failures on demand. */
import { createHash } from "node:crypto";

import { startServer, text, type Answer, type LocalServer } from "./local-server.js";

type Json = Readonly<Record<string, unknown>>;

export interface ProviderServer extends LocalServer {
  /** What the API says about a model, a page after the other. */
  readonly models: Map<string, readonly Json[]>;
  /** What lies under `<origin>/files/<name>`. */
  readonly files: Map<string, Uint8Array>;
  /** The next requests are answered by these, whatever they ask for; later ones as usual. */
  answerNext(...answers: readonly Answer[]): void;
  /** An entry of `packageFiles`, with its hash. */
  packageFile(name: string): { readonly fileHandle: string; readonly downloadUrl: string; readonly md5Hash: string };
}

const json = (value: unknown, code = 200): Answer => text(JSON.stringify(value), { "content-type": "application/json" }, code);

export async function startProviderServer(): Promise<ProviderServer> {
  const models = new Map<string, readonly Json[]>();
  const files = new Map<string, Uint8Array>();
  const next: Answer[] = [];

  const usual: Answer = (response, request) => {
    const { pathname, searchParams } = request.url;
    if (pathname.startsWith("/files/")) {
      const content = files.get(decodeURIComponent(pathname.slice("/files/".length)));
      (content === undefined ? text("no such file", {}, 404) : text(content))(response, request);
      return;
    }
    // As a gateway would: what it wraps decides.
    const target = pathname.endsWith("/proxy") ? new URL(searchParams.get("url") ?? "") : request.url;
    const pages = models.get(target.searchParams.get("modelId") ?? "");
    const page = pages?.[Number(target.searchParams.get("startAfter") ?? 0)];
    (page === undefined ? json({ error: "no such model" }, 404) : json({ modelMetadata: page }))(response, request);
  };

  const server = await startServer((response, request) => (next.shift() ?? usual)(response, request));
  return {
    ...server,
    models,
    files,
    answerNext: (...answers) => void next.push(...answers),
    packageFile: (name) => {
      const content = files.get(name) ?? new Uint8Array();
      const md5Hash = createHash("md5").update(content).digest("hex");
      return { fileHandle: name, downloadUrl: `${server.origin}/files/${encodeURIComponent(name)}`, md5Hash };
    },
  };
}

/** A page of an answer; `nextPage` is the number of the following one. */
export function page(modelPackages: readonly unknown[], more: Json = {}): Json {
  return {
    type: "external-model-metadata-v1",
    modelId: "workspace/bolts/3",
    modelArchitecture: "yolov8",
    taskType: "object-detection",
    modelPackages,
    ...more,
  };
}

/** An ONNX package of an answer. */
export function onnxPackage(packageId: string, more: Json = {}): Json {
  return {
    type: "external-model-package-v1",
    packageId,
    trustedSource: true,
    packageFiles: [
      { fileHandle: "weights.onnx", downloadUrl: "https://files.example/weights.onnx?X-Goog-Signature=secret", md5Hash: "0".repeat(32) },
    ],
    packageManifest: { type: "onnx-model-package-v1", backendType: "onnx", dynamicBatchSize: true, quantization: "fp32", opset: 17 },
    ...more,
  };
}
