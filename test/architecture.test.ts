/** Rules of the house that no other tool holds; the layers of src/ are held by .dependency-cruiser.cjs. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const slashes = (path: string): string => path.split(sep).join("/");

function filesUnder(folder: string, ...endings: readonly string[]): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .map((file) => slashes(join(folder, file)))
    .sort();
}

const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

/** What a C++ file includes: system headers as written, own headers as paths from the root. */
function includesOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")/gm)].map(([, system, own]) => {
    if (own === undefined) return system ?? "";
    const beside = join(root, dirname(file), own);
    return slashes(relative(root, existsSync(beside) ? beside : join(root, "native", own)));
  });
}

describe("native", () => {
  const sources = filesUnder("native", ".cc", ".h", ".cu");
  const belowTheSkin = sources.filter((file) => file !== "native/addon.cc" && !file.startsWith("native/napi/"));

  it("is looked at", () => {
    expect(sources).toContain("native/addon.cc");
    expect(belowTheSkin).toContain("native/base/status.h");
  });

  it.each(belowTheSkin)("%s does not know Node", (file) => {
    expect(
      includesOf(file).filter(
        (header) => /^(napi\.h|node_api\.h|js_native_api\.h|uv\.h|v8\.h)$/.test(header) || header.startsWith("native/napi/"),
      ),
    ).toEqual([]);
  });

  it.each(sources.filter((file) => file.endsWith(".h")))("%s has its include guard", (file) => {
    expect(textOf(file)).toMatch(/^#pragma once$/m);
  });

  it("compiles every folder by both build descriptions", () => {
    const folders = [...new Set(filesUnder("native", ".cc").map((file) => dirname(file)))].filter((folder) => folder !== "native");
    const cmake = textOf("CMakeLists.txt");
    const gyp = /"folders": "([^"]+)"/.exec(textOf("binding.gyp"))?.[1]?.split(" ") ?? [];
    expect(folders).toContain("native/napi");
    expect(folders.filter((folder) => !cmake.includes(`${folder}/*.cc`))).toEqual([]);
    expect(folders.filter((folder) => !gyp.includes(folder.replace("native/", "")))).toEqual([]);
  });

  it("says the same interface version on both sides", () => {
    const native = /kInterfaceVersion = (\d+);/.exec(textOf("native/addon.cc"))?.[1];
    const typescript = /ADDON_INTERFACE_VERSION = (\d+);/.exec(textOf("src/native/addon.ts"))?.[1];
    expect(native).toBeDefined();
    expect(typescript).toBe(native);
  });
});

describe("src", () => {
  const sources = filesUnder("src", ".ts");
  const rooms = readdirSync(join(root, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  // The command line is a program: nobody imports it.
  it.each(rooms.filter((room) => room !== "cli"))("%s has a door", (room) => {
    expect(sources).toContain(`src/${room}/index.ts`);
  });

  it.each(sources)("%s enters other rooms by their doors", (file) => {
    const room = file.split("/")[1] ?? "";
    if (room === "cli") return;
    const pastTheDoor = [...textOf(file).matchAll(/(import|export)\s+(type\s)?[^;]*?from\s+"(\.[^"]+)"/g)]
      .map(([, , type, specifier]) => ({ type: type !== undefined, target: slashes(join(dirname(file), specifier ?? "")) }))
      .filter(({ target }) => target.split("/").length > 2 && !target.startsWith(`src/${room}/`))
      .filter(
        ({ type, target }) =>
          !/^src\/[^/]+\/index\.js$/.test(target) &&
          target !== "src/results/drawing/index.js" &&
          !(type && /^src\/[^/]+\/types\.js$/.test(target)),
      );
    expect(pastTheDoor).toEqual([]);
  });

  it.each(sources)("%s exports by name", (file) => {
    expect(textOf(file)).not.toMatch(/^export default\b/m);
  });
});

describe("docs/architecture.md", () => {
  const page = textOf("docs/architecture.md");
  const folders = ["src", "native"].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${parent}/${name}/`),
  );

  it.each(folders)("describes %s as built", (folder) => {
    expect(page).toContain(`\`${folder}\` |`);
  });

  it("links to pages that exist", () => {
    const targets = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? "");
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !existsSync(join(root, "docs", target)))).toEqual([]);
  });
});
