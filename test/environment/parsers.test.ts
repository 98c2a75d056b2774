/** What recorded cases do not show: texts that are long, foreign or malformed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { jetsonTypeFromDeviceTree, jetsonTypeFromHardwareListing, l4tVersionFromRelease } from "../../src/environment/parsers/jetson.js";
import { withoutLocalVersion } from "../../src/environment/parsers/library-version.js";
import { driverVersionFromFile, exceedsDriver, usableCudaVersion } from "../../src/environment/parsers/nvidia.js";
import { osVersionFromRelease } from "../../src/environment/parsers/os-release.js";
import { cudaVersionFromPackageList, tensorRtVersionFromPackageList } from "../../src/environment/parsers/package-list.js";
import { normalizeVersion } from "../../src/versions.js";

const TO_VERSION = [
  driverVersionFromFile,
  l4tVersionFromRelease,
  cudaVersionFromPackageList,
  tensorRtVersionFromPackageList,
  withoutLocalVersion,
];
const TO_NAME = [osVersionFromRelease, jetsonTypeFromDeviceTree, jetsonTypeFromHardwareListing];

describe("parsers", () => {
  it("give a version in normal form or null for every text", () => {
    const pieces = fc.array(fc.constantFrom("R36", "REVISION: ", "1.2", ".", "+", "\n", " ", "ii", "x", "-1", "٣"), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join("")),
        ),
        (text) => {
          for (const parse of TO_VERSION) {
            const version = parse(text);
            if (version !== null) expect(normalizeVersion(version)).toBe(version);
          }
          for (const parse of TO_NAME) expect(parse(text)).toSatisfy((name) => name === null || typeof name === "string");
        },
      ),
    );
  });

  it("read files with the line ends of other systems", () => {
    expect(osVersionFromRelease('NAME="Ubuntu"\r\nVERSION_ID="24.04"\r\n')).toBe("ubuntu-24.04");
    expect(driverVersionFromFile("Kernel Module  550.54.15  Release\r\nGCC version: 12.2.0")).toBe("550.54.15");
  });

  it("look at the beginning of an endless line only", () => {
    expect(l4tVersionFromRelease(`${"R1".repeat(200_000)} REVISION: 4`)).toBeNull();
  });
});

describe("the CUDA version that counts", () => {
  it("is not decided by patch releases", () => {
    expect(exceedsDriver("12.4.127", "12.4")).toBe(false);
    expect(exceedsDriver("12.10", "12.9")).toBe(true);
    expect(exceedsDriver("11.8", "12.0")).toBe(false);
    expect(exceedsDriver("unknown", "12.0")).toBe(false);
    expect(usableCudaVersion(null, null)).toBeNull();
  });
});
