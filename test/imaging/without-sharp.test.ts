import { expect, it, vi } from "vitest";

import { MissingDependencyError } from "../../src/errors.js";
import { loadPicture } from "../../src/imaging/index.js";

vi.mock("sharp", () => {
  throw new Error("Cannot find package 'sharp'");
});

it("asks for sharp only when there is something to decode", async () => {
  const raw = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1, channels: 3, colorFormat: "rgb" } as const;
  expect([...(await loadPicture(raw)).data]).toEqual([1, 2, 3]);
  await expect(loadPicture(Uint8Array.of(1, 2, 3))).rejects.toThrow(MissingDependencyError);
  await expect(loadPicture(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ dependency: "sharp", code: "MISSING_DEPENDENCY" });
});
