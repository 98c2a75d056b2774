import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { REGISTRY } from "../../src/models/index.js";
import { packageRoot } from "../../src/package-root.js";
import { keptRecorded, readRecorded } from "./recorded.js";
import { familyRows, verifiedBy } from "./table.js";
import { FAMILY_TESTS } from "./tests.js";

const textOf = (file: string): string => readFileSync(join(packageRoot, file), "utf8");

describe("the table of families", () => {
  it('is what "npm run docs:tables" writes', () => {
    const rows = textOf("docs/families.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows).toEqual(familyRows(REGISTRY, keptRecorded()));
  });

  it.each(REGISTRY.map((entry) => [`${entry.architecture} / ${entry.task} / ${entry.backend}`, entry] as const))(
    "says what verifies %s",
    (_, entry) => {
      expect(verifiedBy(entry, keptRecorded())).not.toEqual([]);
    },
  );

  it.each(FAMILY_TESTS.map((test) => [test.file, test] as const))("names tests that are there: %s", (file, { architectures, network }) => {
    const text = textOf(file);
    // Published networks are loaded by the name of their folder or pipeline, which has no part for what the network does.
    const nameIn = (name: string): string => (network !== "real" ? name : name.split("-").slice(0, 2).join("-"));
    expect(architectures.filter((name) => !text.includes(nameIn(name)))).toEqual([]);
  });

  it("knows only families that can be loaded", () => {
    const known = new Set(REGISTRY.map(({ architecture, task }) => `${architecture} ${task}`));
    const named = FAMILY_TESTS.flatMap(({ task, architectures }) => architectures.map((name) => `${name} ${task}`));
    expect(named.filter((family) => !known.has(family))).toEqual([]);
  });

  it("has the recorded answers that there are", async (context) => {
    const found = await readRecorded();
    context.skip(found === null, "The recorded answers are not at hand.");
    expect(keptRecorded()).toEqual(found);
  });
});
