/** What holds for any packages on any machine. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RuntimeXRay } from "../../src/environment/index.js";
import { ModelPackageNegotiationError, NoModelPackagesAvailableError } from "../../src/errors.js";
import { negotiateModelPackages, rankModelPackages, type NegotiationInput, type NegotiationRequest } from "../../src/negotiation/index.js";
import type { ModelPackageMetadata } from "../../src/packages/index.js";
import { CPU, L4, L4_NEWER, ORIN, TWO_GPUS, fusedNms, inputOf, onnx, trt } from "./support.js";

const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const oneOf = <const T extends readonly unknown[]>(...values: T): fc.Arbitrary<T[number]> => fc.constantFrom(...values);

const versions = orNull(oneOf("10.3.0", "10.3", "10.3.0.26", "10.8.0", "12.4", "12.4.0", "12.2", "36.4.0", "36.4.3"));
const sizes = orNull(oneOf(1, 2, 8, 16, 32));
const providers = oneOf("CUDAExecutionProvider", "CPUExecutionProvider", "TensorrtExecutionProvider");
const gpu = { cudaDeviceName: oneOf("nvidia-l4", "nvidia-t4", "orin"), cudaDeviceCc: oneOf("8.9", "7.5", "8.7", "8.9.0") };
const built = { ...gpu, driverVersion: orNull(oneOf("550.54.15", "540.4.0")), cudaVersion: versions, trtVersion: versions };
const ids = fc.string({ unit: "grapheme", maxLength: 4 });

interface Values {
  readonly size: fc.Arbitrary<number | null>;
  readonly opset: fc.Arbitrary<number>;
  readonly threshold: fc.Arbitrary<unknown>;
  readonly text: fc.Arbitrary<string>;
}

const PLAUSIBLE: Values = {
  size: sizes,
  opset: oneOf(16, 17, 19, 21),
  threshold: oneOf(0.25, 0.4, 0.7),
  text: oneOf("ubuntu-22.04", "debian-12"),
};

/** What no honest provider announces. */
const numbers = fc.oneof(fc.double(), fc.integer(), oneOf(Number.NaN, Infinity, -Infinity, -0, 2 ** 53, 1e308));
const HOSTILE: Values = {
  size: orNull(numbers),
  opset: numbers,
  threshold: fc.oneof(numbers, fc.string(), fc.constant(null)),
  text: fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), oneOf("1".repeat(300), "__proto__", "9".repeat(40))),
};

const packagesOf = ({ size, opset, threshold, text }: Values): fc.Arbitrary<ModelPackageMetadata> =>
  fc.record({
    packageId: ids,
    backend: oneOf("onnx", "trt", "trt", "torch-script", "torch", "custom"),
    packageArtefacts: fc.constant([]),
    packageSource: fc.constant("platform"),
    quantization: orNull(oneOf("fp32", "fp16", "int8", "bf16", "unknown")),
    dynamicBatchSizeSupported: orNull(fc.boolean()),
    staticBatchSize: size,
    trtPackageDetails: orNull(
      fc.record({
        minDynamicBatchSize: size,
        optDynamicBatchSize: size,
        maxDynamicBatchSize: size,
        sameCcCompatible: fc.boolean(),
        trtForwardCompatible: fc.boolean(),
        trtLeanRuntimeExcluded: fc.boolean(),
      }),
    ),
    onnxPackageDetails: orNull(fc.record({ opset, incompatibleProviders: orNull(fc.array(providers, { maxLength: 2 })) })),
    torchScriptPackageDetails: fc.constant(null),
    trustedSource: fc.boolean(),
    environmentRequirements: orNull(
      fc.oneof(
        fc.record({ kind: fc.constant("gpu-server" as const), ...built, osVersion: orNull(text) }),
        fc.record({
          kind: fc.constant("jetson" as const),
          ...built,
          l4tVersion: fc.oneof(text, oneOf("36.4.0")),
          jetsonProductName: orNull(text),
        }),
      ),
    ),
    modelFeatures: orNull(
      fc.oneof(
        fc.record({
          nms_fused: fc.record({
            max_detections: threshold,
            confidence_threshold: threshold,
            iou_threshold: threshold,
            class_agnostic: fc.boolean(),
          }),
        }),
        fc.dictionary(text, threshold, { maxKeys: 1 }),
      ),
    ),
    recommendedParameters: fc.constant(null),
    cacheModelId: fc.constant(null),
  });

const listOf = (values: Values) =>
  fc.uniqueArray(packagesOf(values), { selector: ({ packageId }) => packageId, minLength: 1, maxLength: 8 });

const machines: fc.Arbitrary<RuntimeXRay> = oneOf(CPU, L4, L4_NEWER, TWO_GPUS, ORIN);

const requests: fc.Arbitrary<Partial<NegotiationRequest>> = fc.record({
  device: orNull(oneOf("cpu", "cuda", "cuda:0", "mps")),
  quantization: orNull(oneOf([], "fp32" as const, ["int8", "fp16"] as const)),
  batchSize: orNull(oneOf(1, 8, [1, 16] as const)),
  allowUntrustedPackages: fc.boolean(),
  nmsFusionPreferences: orNull(oneOf(true, {}, { confidenceThreshold: [0.2, 0.5] as const })),
});

const inputs = (values: Values): fc.Arbitrary<NegotiationInput> =>
  fc
    .record({ environment: machines, packages: listOf(values), request: requests, existing: oneOf("registry", "all") })
    .map(({ existing, ...given }) => ({ ...inputOf(given), ...(existing === "all" ? { implementationExists: () => true } : {}) }));

/** Ids of the chosen and of the refused; null when the named GPU does not exist. */
function outcome(input: NegotiationInput): { readonly ranked: readonly string[]; readonly discarded: readonly string[] } | null {
  try {
    const { ranked, discarded } = negotiateModelPackages(input);
    return {
      ranked: ranked.map((one) => one.package.packageId),
      discarded: discarded.map(({ packageId, code }) => `${packageId} ${code}`),
    };
  } catch (error) {
    if (error instanceof NoModelPackagesAvailableError) {
      return { ranked: [], discarded: (error.discarded ?? []).map(({ packageId, code }) => `${packageId} ${code}`) };
    }
    if (error instanceof ModelPackageNegotiationError) return null;
    throw error;
  }
}

const shuffled = <T>(values: readonly T[], seed: number): T[] =>
  values
    .map((value, index) => ({ value, order: Math.sin(seed + index * 7919) }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

describe.each([
  ["plausible", PLAUSIBLE],
  ["hostile", HOSTILE],
])("negotiation, %s packages", (_, values) => {
  it("puts every package into exactly one of ranked and discarded", () => {
    fc.assert(
      fc.property(inputs(values), (input) => {
        const { ranked, discarded } = outcome(input) ?? { ranked: null, discarded: [] };
        if (ranked === null) return;
        const found = [...ranked, ...discarded.map((text) => text.slice(0, text.lastIndexOf(" ")))];
        expect(found.sort()).toEqual(input.packages.map(({ packageId }) => packageId).sort());
      }),
    );
  });

  it("does not depend on the order of the packages", () => {
    fc.assert(
      fc.property(inputs(values), fc.nat(), (input, seed) => {
        const [first, second] = [outcome(input), outcome({ ...input, packages: shuffled(input.packages, seed) })];
        expect(second?.ranked).toEqual(first?.ranked);
        expect(second?.discarded.toSorted()).toEqual(first?.discarded.toSorted());
      }),
    );
  });

  it("leaves its input alone, and says the same of the same", () => {
    fc.assert(
      fc.property(inputs(values), (input) => {
        const frozen = deepFreeze(input);
        expect(outcome(frozen)).toEqual(outcome(frozen));
      }),
    );
  });

  it("judges a package by itself: another one changes neither its reason nor its place among the rest", () => {
    fc.assert(
      fc.property(inputs(values), ({ packages: [added, ...rest], ...input }) => {
        if (rest.length === 0 || added === undefined) return;
        const [without, withIt] = [outcome({ ...input, packages: rest }), outcome({ ...input, packages: [added, ...rest] })];
        if (without === null || withIt === null) return;
        const others = (list: readonly string[]) =>
          list.filter((text) => text !== added.packageId && !text.startsWith(`${added.packageId} `));
        const restIds = rest.map(({ packageId }) => packageId);
        if (restIds.some((id) => id.startsWith(`${added.packageId} `))) return;
        expect(withIt.ranked.filter((id) => id !== added.packageId)).toEqual(without.ranked);
        expect(others(withIt.discarded)).toEqual(without.discarded);
      }),
    );
  });
});

describe("ranking", () => {
  const context = { environment: L4, device: null, nmsFusionPreferences: true } as const;

  it("orders by the keys it shows: twenty values, the first that differs decides", () => {
    fc.assert(
      fc.property(listOf(HOSTILE), (packages) => {
        const ranked = rankModelPackages(packages, context);
        for (const [index, { key, why }] of ranked.entries()) {
          expect(key).toHaveLength(20);
          expect(key.map(({ name }) => name)).toEqual(ranked[0]?.key.map(({ name }) => name));
          const next = ranked[index + 1]?.key;
          if (next === undefined) continue;
          const place = key.findIndex(({ value }, at) => value !== next[at]?.value);
          expect(why).toContain(`by ${key[place]?.name ?? ""}:`);
          if (place < 19) expect(key[place]!.value > next[place]!.value).toBe(true);
        }
      }),
    );
  });

  it("lets other packages change only the values for the age of CUDA and TensorRT", () => {
    fc.assert(
      fc.property(listOf(PLAUSIBLE), (packages) => {
        const together = rankModelPackages(packages, context);
        for (const { package: one, key } of together) {
          const [alone] = rankModelPackages([one], context);
          const differing = key.filter(({ value }, index) => !Object.is(value, alone?.key[index]?.value)).map(({ name }) => name);
          expect(["cudaVersion", "trtVersion"]).toEqual(expect.arrayContaining(differing));
        }
      }),
    );
  });

  it("tells ids apart by code points, greatest first", () => {
    // In UTF-16 the emoji begins with D83D, which is before FFEE.
    const ranked = rankModelPackages(
      ["a", "\uffee", "😀", "", "aa", "B"].map((id) => onnx(id)),
      context,
    );
    expect(ranked.map((one) => one.package.packageId)).toEqual(["😀", "\uffee", "aa", "a", "B", ""]);
  });

  it("takes 12.4 and 12.4.0 for one version", () => {
    const on = (cudaVersion: string | null) => trt(String(cudaVersion), { on: { cudaVersion } });
    const ranked = rankModelPackages(["12.8", "12.4", "12.4.0", null, "12.2"].map(on), context);
    expect(ranked.map(({ package: one, key }) => [one.packageId, key.find(({ name }) => name === "cudaVersion")?.value])).toEqual([
      ["12.2", 0],
      ["12.4.0", -1],
      ["12.4", -1],
      ["12.8", -2],
      ["null", -4],
    ]);
  });

  it("counts a class-agnostic NMS where it is preferred", () => {
    const packages = [onnx("b", fusedNms()), onnx("a", fusedNms({ class_agnostic: true })), onnx("c")];
    const ranked = rankModelPackages(packages, { ...context, nmsFusionPreferences: { classAgnostic: true } });
    expect(ranked.map((one) => one.package.packageId)).toEqual(["a", "c", "b"]);
  });
});
