/** One kind of build, for tests of what is remembered of builds. */
import type { BuildKind } from "../../src/compilation/build-history.js";

export const kindOfBuild: BuildKind = {
  gpu: "NVIDIA L4",
  computeCapability: "8.9",
  tensorRtVersion: "10.15.1.29",
  precision: "fp16",
  profiles: 1,
  timingCacheUsed: false,
};
