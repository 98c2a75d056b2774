/** The pages that the addresses in errors lead to. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { packageRoot } from "../../src/package-root.js";

/** Text of the section that an error's `helpUrl` leads to; throws where there is none. */
export function sectionOf(helpUrl: string): string {
  const [, page = "", anchor = ""] = /\/(docs\/errors\/[a-z-]+\.md)#([a-z-]+)$/.exec(helpUrl) ?? [];
  const sections = readFileSync(join(packageRoot, page), "utf8").split(/^## /m).slice(1);
  const found = sections.find((section) => section.split("\n", 1)[0]?.toLowerCase() === anchor);
  if (found === undefined) throw new Error(`${page} has no section ${anchor}`);
  return found;
}
