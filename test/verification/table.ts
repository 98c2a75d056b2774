/** Rows of the table of families: what can be loaded, and what shows that it works. */
import type { RegistryEntry } from "../../src/models/index.js";
import type { Recorded } from "./recorded.js";
import { FAMILY_TESTS } from "./tests.js";

const NETWORKS = { own: "own small network", exported: "exported network", real: "real network" } as const;
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** @returns phrases, the strongest evidence first; none where nothing is known. */
export function verifiedBy({ architecture, task, backend }: RegistryEntry, recorded: Recorded): readonly string[] {
  // Engines are run by stand-ins for NVIDIA's libraries; what is done with their outputs is that of the onnx row.
  if (backend === "trt") return ["stand-ins only"];
  const family = `${architecture} ${task}`;
  const tests = FAMILY_TESTS.filter((test) => test.task === task && test.architectures.includes(architecture));
  const [packages, vectors] = [recorded.packages[family] ?? 0, recorded.vectors[family] ?? 0];
  return [
    ...(packages > 0 ? [`parity (${plural(packages, "package")})`] : []),
    ...(vectors > 0 ? [`conformance (${plural(vectors, "vector")})`] : []),
    ...tests.map(({ network, file }) => `[${NETWORKS[network]}](../${file})`),
  ];
}

/** @param registry in the order of the table. */
export function familyRows(registry: readonly RegistryEntry[], recorded: Recorded): readonly string[] {
  return registry.map((entry) => {
    const { architecture, task, backend } = entry;
    return `| \`${architecture}\` | ${task} | ${backend} | ${verifiedBy(entry, recorded).join(", ")} |`;
  });
}
