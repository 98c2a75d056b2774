import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import {
  AutoModel,
  CorruptedModelPackageError,
  ForbiddenLocalCodePackageAccessError,
  type AnyModel,
  type AutoModelOptions,
} from "../../src/index.js";
import { writePackage } from "../support/packages.js";

const GREETER = `
export class Greeter {
  static async fromPretrained(directory, options) {
    if (options.fail) throw new RangeError("as the class says");
    return { task: "custom", directory, options };
  }
}
export const text = "no class";
`;

/** A folder whose model_config.json names a module, next to the files given. */
async function codePackage(config: object, files: Readonly<Record<string, string>> = { "model.mjs": GREETER }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "code-"));
  await writeFile(join(directory, "model_config.json"), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

const load = (directory: string, options: AutoModelOptions = {}): Promise<unknown> => AutoModel.fromPretrained(directory, options);

describe("packages that a folder links to", () => {
  const KEEPER = `
export class Keeper {
  static async fromPretrained(directory, { modelDependencies }) {
    return { modelDependencies, close: async () => {} };
  }
}`;

  async function parent(...names: readonly string[]): Promise<string> {
    const directory = await codePackage({ model_module: "model.mjs", model_class: "Keeper" }, { "model.mjs": KEEPER });
    await mkdir(join(directory, "model_dependencies"));
    for (const name of names) await symlink(await writePackage({}), join(directory, "model_dependencies", name));
    return directory;
  }

  it("are loaded first, handed over by name, and closed with it", async () => {
    const model = (await AutoModel.fromPath(await parent("eyes", "ears"), {
      dependencyModelsParams: { ears: { executor: "reference" } },
    })) as unknown as { readonly modelDependencies: Readonly<Record<string, AnyModel>>; close(): Promise<void> };
    expect(Object.keys(model.modelDependencies).sort()).toEqual(["ears", "eyes"]);
    expect(model.modelDependencies["ears"]?.info).toMatchObject({ architecture: "yolov8", decodeExecutor: "reference" });
    await model.close();
    expect(Object.values(model.modelDependencies).map(({ closed }) => closed)).toEqual([true, true]);
  });

  it("get those options of the code package that are forwarded", async () => {
    const directory = await parent();
    const linked = await codePackage({ model_module: "model.mjs", model_class: "Greeter" });
    await symlink(linked, join(directory, "model_dependencies", "greeter"));
    const model = (await AutoModel.fromPath(directory, {
      modelOptions: { greeting: "hello", secret: 1 },
      forwardedOptions: ["greeting", "absent"],
    })) as unknown as { readonly modelDependencies: Readonly<Record<string, { readonly options: object }>> };
    const { options } = model.modelDependencies["greeter"]!;
    expect(options).toMatchObject({ greeting: "hello" });
    expect(options).not.toHaveProperty("secret");
  });

  it("are refused when loading them is off, spoken to by a wrong name, nested, or forbidden to bring code", async () => {
    const directory = await parent("eyes");
    await expect(load(directory, { allowLoadingDependencyModels: false })).rejects.toThrow(/eyes/);
    await expect(load(directory, { dependencyModelsParams: { nose: {} } })).rejects.toThrow(/nose.*eyes/s);
    const grandparent = await parent();
    await symlink(directory, join(grandparent, "model_dependencies", "child"));
    await expect(load(grandparent)).rejects.toThrow(/itself a dependency/);
    const coded = await codePackage({ model_module: "model.mjs", model_class: "Greeter" });
    const detector = await writePackage({});
    await mkdir(join(detector, "model_dependencies"));
    await symlink(coded, join(detector, "model_dependencies", "code"));
    await expect(load(detector, { allowLocalCodePackages: false })).rejects.toThrow(ForbiddenLocalCodePackageAccessError);
  });
});

describe("a package with code of its own", () => {
  it("is loaded by its class, which gets the folder and the caller's options", async () => {
    const directory = await codePackage({ model_module: "model.mjs", model_class: "Greeter" });
    const model = await load(directory, { executor: "reference", modelOptions: { greeting: "hello" } });
    expect(model).toMatchObject({ task: "custom", directory, options: { executor: "reference", greeting: "hello" } });
  });

  it("may be CommonJS", async () => {
    const text = "module.exports.Plain = class { static fromPretrained(directory) { return { directory }; } };";
    const directory = await codePackage({ model_module: "model.cjs", model_class: "Plain" }, { "model.cjs": text });
    expect(await load(directory)).toMatchObject({ directory });
  });

  it("is not run when the gate is closed", async () => {
    const directory = await codePackage(
      { model_module: "model.mjs", model_class: "Greeter" },
      { "model.mjs": `globalThis.codeOfThePackageRan = true;${GREETER}` },
    );
    const failure: unknown = await load(directory, { allowLocalCodePackages: false }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ForbiddenLocalCodePackageAccessError);
    expect((failure as Error).message).toContain("allowLocalCodePackages: true");
    expect(globalThis).not.toHaveProperty("codeOfThePackageRan");
  });

  it("passes on what its class throws", async () => {
    const directory = await codePackage({ model_module: "model.mjs", model_class: "Greeter" });
    await expect(load(directory, { modelOptions: { fail: true } })).rejects.toThrow(new RangeError("as the class says"));
  });

  it.each([
    ["a class that is not there", { model_module: "model.mjs", model_class: "Greeting" }, /Greeting.*It exports Greeter, text/],
    ["something that is no class", { model_module: "model.mjs", model_class: "text" }, /without a class text/],
    ["a module that is not there", { model_module: "absent.mjs", model_class: "Greeter" }, /absent\.mjs, which does not exist/],
    ["a module of Python", { model_module: "model.py", model_class: "Greeter" }, /Python module model\.py.*port it/],
    ["a file that is no module", { model_module: "model_config.json", model_class: "Greeter" }, /expected a \.mjs, \.js or \.cjs/],
    ["no module", { model_class: "Greeter" }, /neither model_architecture/],
  ])("is refused when it names %s", async (_what, config, message) => {
    const failure: unknown = await load(await codePackage(config)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CorruptedModelPackageError);
    expect((failure as Error).message).toMatch(message);
  });

  it("is refused when its module cannot be read", async () => {
    const directory = await codePackage({ model_module: "model.mjs", model_class: "Greeter" }, { "model.mjs": "export class {" });
    const failure: unknown = await load(directory).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CorruptedModelPackageError);
    expect((failure as Error).cause).toBeInstanceOf(Error);
  });

  it("may not bring its module from outside, by its name or by a link", async () => {
    const outside = await codePackage({}, { "model.mjs": GREETER });
    const directory = await codePackage({ model_module: join(outside, "model.mjs"), model_class: "Greeter" }, {});
    await expect(load(directory)).rejects.toThrow(/outside of it/);
    const nested = join(directory, "nested");
    await mkdir(nested);
    await writeFile(join(directory, "model.mjs"), GREETER);
    await writeFile(join(nested, "model_config.json"), JSON.stringify({ model_module: "../model.mjs", model_class: "Greeter" }));
    await expect(load(nested)).rejects.toThrow(/outside of it/);
    const linked = await codePackage({ model_module: "model.mjs", model_class: "Greeter" }, {});
    await symlink(join(outside, "model.mjs"), join(linked, "model.mjs"));
    await expect(load(linked)).rejects.toThrow(/outside of it/);
  });
});
