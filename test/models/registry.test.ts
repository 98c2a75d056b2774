import { describe, expect, it } from "vitest";

import { findImplementation, REGISTRY } from "../../src/models/index.js";

describe("registry", () => {
  it.each(REGISTRY.map((entry) => [`${entry.architecture} / ${entry.task} / ${entry.backend}`, entry] as const))(
    "%s loads a family of its task",
    async (_, entry) => {
      const { family } = await entry.load();
      expect(family.task).toBe(entry.task);
    },
  );

  it("has no two entries for one key", () => {
    const keys = REGISTRY.map(({ architecture, task, backend }) => `${architecture}/${task}/${backend}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("says of what needs PyTorch that it does", () => {
    const query = { architecture: "florence-2", task: "vlm", backend: "hugging-face", features: [] } as const;
    expect(() => findImplementation(query)).toThrow(/needs PyTorch/);
    expect(() => findImplementation({ ...query, architecture: "yolov88" })).toThrow(/Did you mean "yolov8"/);
  });

  it("refuses features that an implementation does not know", () => {
    const query = { architecture: "yolov8", task: "object-detection", backend: "onnx", features: ["nms_fused"] } as const;
    expect(findImplementation(query).architecture).toBe("yolov8");
    expect(() => findImplementation({ ...query, features: ["telepathy"] })).toThrow(/telepathy/);
  });
});
