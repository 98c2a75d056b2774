import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { packageServices } from "../../src/cli/services.js";
import { packageRoot } from "../../src/package-root.js";
import { runCli } from "./support.js";

const NOTICE = join(packageRoot, "companions", "pp-ocr", "images", "notice.png");
const TEXT = [
  "Open daily until 6 pm",
  "Order number: 20418",
  "2 x Espresso 5.60",
  "1 x Croissant 3.25",
  "Total: 8.85 EUR",
  "Thank you for your visit!",
  "Platform 4",
];

const services = { loadReader: packageServices.loadReader };

describe("read", { timeout: 60_000 }, () => {
  it("prints the text of a picture, with networks that need no download", async () => {
    const { code, stdout, stderr } = await runCli(["read", NOTICE], { services });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(expect.arrayContaining(TEXT));
  });

  it("prints one JSON document, also when a picture cannot be read", async () => {
    const { code, stdout, stderr } = await runCli(["read", "--json", NOTICE, "absent.png"], { services });
    expect(code).toBe(1);
    expect(stderr).toContain("absent.png");
    expect(JSON.parse(stdout)).toMatchObject({
      pipeline: "pp-ocr-latin",
      results: [
        { input: NOTICE, text: TEXT.join("\n") },
        { input: "absent.png", error: { code: "IMAGE_DECODING" } },
      ],
    });
  });

  it("names the pipelines that there are when asked for another", async () => {
    const { code, stdout, stderr } = await runCli(["read", "--pipeline", "pp-ocr-latn", NOTICE], { services });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/Did you mean "pp-ocr-latin"\?/);
  });
});
