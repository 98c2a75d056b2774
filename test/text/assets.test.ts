import { expect, it } from "vitest";

import { MissingDependencyError } from "../../src/errors.js";
import { readAssetLines } from "../../src/text/assets.js";

it("says what to do when a file of the package is gone", async () => {
  await expect(readAssetLines("no-such-list.txt.gz")).rejects.toThrow(MissingDependencyError);
  await expect(readAssetLines("no-such-list.txt.gz")).rejects.toThrow(/install the package again/);
});
