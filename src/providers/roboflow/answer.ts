import * as z from "zod";

import { ModelRetrievalError } from "../../errors.js";
import { optional, parseJson, recommendedParameters } from "../../wire.js";
import { describeIssues } from "../issues.js";

const text = optional(z.string());

const schema = z.object({
  modelMetadata: z.object({
    type: z.literal("external-model-metadata-v1"),
    modelId: z.string(),
    modelArchitecture: z.string(),
    modelVariant: text,
    taskType: text,
    nextPage: text,
    modelPackages: z.array(z.unknown()),
    modelDependencies: optional(
      z.array(z.object({ type: z.literal("model-dependency-v1"), name: z.string(), modelId: z.string(), modelPackageId: text })),
    ),
    recommendedParameters: optional(recommendedParameters),
  }),
});

/** One page of what the API says about a model; packages are not looked into yet. */
export type Page = z.output<typeof schema>["modelMetadata"];

/** @throws ModelRetrievalError when the body is not what the interface promises */
export function parseAnswer(body: string, modelId: string): Page {
  const outcome = schema.safeParse(parse(body, modelId));
  if (outcome.success) return outcome.data.modelMetadata;
  throw malformed(modelId, describeIssues(outcome.error), outcome.error);
}

function parse(body: string, modelId: string): unknown {
  try {
    return parseJson(body, { path: "the answer" });
  } catch (error) {
    throw malformed(modelId, error instanceof Error ? error.message : String(error), error);
  }
}

function malformed(modelId: string, problem: string, cause: unknown): ModelRetrievalError {
  return new ModelRetrievalError(
    `The Roboflow API did not answer about model "${modelId}" as its interface promises: ${problem} ` +
      "Check ROBOFLOW_API_HOST and proxies on the way; otherwise report it.",
    { modelId, cause },
  );
}
