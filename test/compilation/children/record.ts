/** A process that remembers builds, beside another one that does the same. */
import { recordBuild } from "../../../src/compilation/build-history.js";
import { kindOfBuild } from "../history.js";

const [path = "", first = "0", count = "0"] = process.argv.slice(2);
for (let index = 0; index < Number(count); index += 1)
  await recordBuild({ ...kindOfBuild, heavyOperators: 7, seconds: Number(first) + index }, path);
