import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareVersions, formatVersion, normalizeVersion, parseVersion, releaseOf, versionsMatchMajorMinor } from "../src/versions.js";

/** Every form that PEP 440 writes, already normal. */
const versions = fc
  .record({
    epoch: fc.constantFrom("", "", "1!"),
    release: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
    pre: fc.constantFrom("", "a0", "a1", "b2", "rc1"),
    post: fc.constantFrom("", ".post0", ".post3"),
    dev: fc.constantFrom("", ".dev0", ".dev4"),
    local: fc.constantFrom("", "+1", "+abc", "+abc.1", "+abc.x"),
  })
  .map(({ epoch, release, pre, post, dev, local }) => epoch + release.join(".") + pre + post + dev + local);

describe("parseVersion", () => {
  it.each([
    ["12.4", "12.4"],
    [" v1.2\n", "1.2"],
    ["535.104.05", "535.104.5"],
    ["2!1.0", "2!1.0"],
    ["1.0.ALPHA2", "1.0a2"],
    ["1.0-preview_3", "1.0rc3"],
    ["1.0-1", "1.0.post1"],
    ["1.0r4", "1.0.post4"],
    ["1.0.dev", "1.0.dev0"],
    ["1.0RC1.post2-dev3+CU-124_x", "1.0rc1.post2.dev3+cu.124.x"],
  ])("%j is %s", (text, normal) => {
    expect(normalizeVersion(text)).toBe(normal);
  });

  it.each(["", "abc", "1..0", "1.0-", "1.0+", "10.8.x", ">=1.0", "1.0-1-2", "1.0 1", "R36", "1".repeat(16), "1.".repeat(200) + "1"])(
    "%j is no version",
    (text) => {
      expect(parseVersion(text)).toBeNull();
      expect(releaseOf(text, 2)).toBeNull();
    },
  );

  it("finds what the normal form of a version says", () => {
    fc.assert(
      fc.property(versions, (text) => {
        expect(normalizeVersion(text)).toBe(text);
        expect(formatVersion(parseVersion(text)!)).toBe(text);
      }),
    );
  });

  it("never throws, nor takes long, whatever it is given", () => {
    const pieces = fc.array(fc.constantFrom("1", "0", ".", "-", "_", "+", "a", "rc", "post", "dev", "!", " ", "v", "\n"), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          pieces.map((list) => list.join("")),
        ),
        (text) => {
          const normal = normalizeVersion(text);
          if (normal !== null) expect(normalizeVersion(normal)).toBe(normal);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("compareVersions", () => {
  it("orders as PEP 440 does", () => {
    const ascending = [
      "1.0.dev1",
      "1.0a1.dev2",
      "1.0a1",
      "1.0a1.post1",
      "1.0b1",
      "1.0rc1",
      "1.0",
      "1.0+abc",
      "1.0+abc.x",
      "1.0+abc.1",
      "1.0+5",
      "1.0.post1.dev1",
      "1.0.post1",
      "1.0.0.1",
      "1.2",
      "1.10",
      "1!0.1",
    ];
    expect(ascending.toReversed().sort(compareVersions)).toEqual(ascending);
  });

  it("takes missing numbers for zeros", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
        (release) => compareVersions(release.join("."), [...release, 0].join(".")) === 0,
      ),
    );
  });

  it("puts texts that are no versions first", () => {
    expect(["1.0", "zzz", "0.1", "abc"].sort(compareVersions)).toEqual(["abc", "zzz", "0.1", "1.0"]);
  });

  it("is a total order", () => {
    const any = fc.oneof(versions, fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(compareVersions(a, b) + compareVersions(b, a)).toBe(0);
        const [x, y, z] = [a, b, c].sort(compareVersions) as [string, string, string];
        expect(compareVersions(x, z)).toBe(Math.min(compareVersions(x, y), compareVersions(y, z)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("parts of versions", () => {
  it("cuts or fills the release", () => {
    expect(releaseOf("10.3.0.26.post1", 3)).toBe("10.3.0");
    expect(releaseOf("10", 3)).toBe("10.0.0");
  });

  it.each([
    ["36.4.3", "36.4", true],
    ["36.4rc1", "36.4.post1", true],
    ["36", "36.0.9", true],
    ["36.4", "36.3", false],
    ["36.4", "3.64", false],
    ["nothing", "0.0", false],
    ["nothing", "nothing", false],
  ])("%s and %s agree in major and minor: %s", (a, b, expected) => {
    expect(versionsMatchMajorMinor(a, b)).toBe(expected);
  });
});
