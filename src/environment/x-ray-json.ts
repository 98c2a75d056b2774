/** Saved x-rays and reports, read back: what another machine can run, judged here. */
import * as z from "zod";

import { InvalidParameterError } from "../errors.js";
import { parseVersion } from "../versions.js";
import type { RuntimeXRay } from "./types.js";
import { toRuntimeXRay } from "./x-ray.js";

const MAXIMUM_CHARACTERS = 1024 * 1024;

const version = z.string().refine((text) => parseVersion(text) !== null, "a version is expected");
const versionOrNull = version.nullable();

const xRay = z.object({
  gpuAvailable: z.boolean(),
  gpuDevices: z.array(z.string()),
  gpuDevicesCc: z.array(version),
  driverVersion: versionOrNull,
  cudaVersion: versionOrNull,
  trtVersion: versionOrNull,
  jetsonType: z.string().nullable(),
  l4tVersion: versionOrNull,
  osVersion: z.string().nullable(),
  onnxruntimeVersion: versionOrNull,
  availableOnnxExecutionProviders: z.array(z.string()).nullable(),
  trtBindingAvailable: z.boolean(),
  torchAvailable: z.boolean(),
  torchVersion: versionOrNull,
  torchvisionVersion: versionOrNull,
  hfTransformersAvailable: z.boolean(),
}) satisfies z.ZodType<RuntimeXRay>;

const finding = z.discriminatedUnion("found", [
  z.object({ found: z.literal(true), path: z.string().nullable(), version: z.string().nullable(), problem: z.string().nullable() }),
  z.object({ found: z.literal(false), reason: z.string() }),
]);

const gpu = z.object({
  name: z.string(),
  computeCapability: versionOrNull,
  memoryBytes: z.number().nullable(),
  multiprocessors: z.number().nullable(),
  uuid: z.string().nullable(),
});

/** What the x-ray takes of a report; the rest may be there. */
const report = z.object({
  osVersion: z.string(),
  addon: finding,
  nvidia: z.object({
    source: z.enum(["addon", "files"]),
    problem: z.string().nullable(),
    driver: finding,
    cudaDriver: finding,
    cudaRuntime: finding,
    cudaVersion: versionOrNull,
    gpus: z.array(gpu),
    tensorRt: z.object({ full: finding, lean: finding, dispatch: finding }),
    onnxParser: finding,
  }),
  jetson: z.object({
    detected: z.boolean(),
    type: z.string().nullable(),
    typeSource: z.enum(["JETSON_MODULE", "device tree", "lshw"]).nullable(),
    l4t: finding,
  }),
  onnxRuntime: z.object({
    library: finding,
    executionProviders: z.array(z.object({ name: z.string(), available: z.boolean(), reason: z.string().nullable() })),
  }),
});

/**
 * @param json text of `JSON.stringify` of an x-ray or of a whole report ("inference-models environment --json"), or the value
 *   parsed from it. Unknown fields are ignored.
 * @throws InvalidParameterError naming the fields that are wrong
 * @throws RuntimeIntrospectionError when a report contradicts itself
 */
export function parseRuntimeXRay(json: unknown): RuntimeXRay {
  const value = typeof json === "string" ? parseText(json) : json;
  if (typeof value === "object" && value !== null && "nvidia" in value) return toRuntimeXRay(check(report, value));
  const parsed = check(xRay, value);
  if (parsed.gpuDevices.length === parsed.gpuDevicesCc.length) return parsed;
  throw invalid(`it has ${parsed.gpuDevices.length} gpuDevices and ${parsed.gpuDevicesCc.length} gpuDevicesCc`);
}

function parseText(text: string): unknown {
  if (text.length > MAXIMUM_CHARACTERS) throw invalid(`it has ${text.length} characters, more than ${MAXIMUM_CHARACTERS}`);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const problems = outcome.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".") || "the root"}: ${message}`);
  throw invalid(problems.join("; "), outcome.error);
}

function invalid(problem: string, cause?: unknown): InvalidParameterError {
  return new InvalidParameterError(
    `The text is no saved x-ray or report of a machine: ${problem.slice(0, 500)}. Save one with "inference-models environment --json".`,
    { parameter: "json", ...(cause === undefined ? {} : { cause }) },
  );
}
