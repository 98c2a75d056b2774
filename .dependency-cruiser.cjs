// The layers of docs/architecture.md: imports go down, and enter a room by its door.

/** From the top to the bottom. Rooms of one layer are neighbours: they may use each other, but never in a circle. */
const LAYERS = [
  ["cli"],
  ["index.ts"],
  ["pipelines", "compilation"],
  ["auto"],
  ["providers", "negotiation", "store", "models"],
  ["checkpoints", "imaging", "text", "engines", "packages", "results"],
  ["environment", "http"],
  ["native"],
  ["error-base.ts", "errors.ts", "configuration.ts", "logger.ts", "abort.ts", "options.ts", "package-root.ts", "versions.ts", "wire.ts"],
];

const pattern = (names) => `^src/(${names.map((name) => (name.endsWith(".ts") ? `${name.replace(".", "\\.")}$` : `${name}/`)).join("|")})`;

/**
 * Type-only imports that point upwards, each with its reason.
 * - native/addon.ts: what the binary takes and gives is described in the words of the rooms that use it. The types vanish when
 *   compiled; declaring them twice would let them drift apart.
 */
const DESCRIBED_FROM_BELOW = { from: "^src/native/addon\\.ts$", to: "^src/(imaging|engines)/types\\.ts$" };

const upward = LAYERS.slice(1).flatMap((layer, index) => {
  const above = pattern(LAYERS.slice(0, index + 1).flat());
  const name = layer.map((room) => room.replace(/\.ts$/, "")).join("-");
  const comment = `${layer.join(", ")}: only layers below may be imported.`;
  return [
    {
      name: `upward-from-${name}`,
      severity: "error",
      comment,
      from: { path: pattern(layer) },
      to: { path: above, dependencyTypesNot: ["type-only"] },
    },
    {
      name: `upward-type-from-${name}`,
      severity: "error",
      comment,
      from: { path: pattern(layer), pathNot: DESCRIBED_FROM_BELOW.from },
      to: { path: above, dependencyTypes: ["type-only"] },
    },
  ];
});

module.exports = {
  forbidden: [
    ...upward,
    {
      name: "upward-type-from-addon-description",
      severity: "error",
      comment: "The description of the addon may name the contract types of two rooms, and nothing else above it.",
      from: { path: DESCRIBED_FROM_BELOW.from },
      to: { path: pattern(LAYERS.slice(0, 7).flat()), pathNot: DESCRIBED_FROM_BELOW.to },
    },
    {
      name: "through-the-door",
      severity: "error",
      comment: "Another room is entered by its index.ts.",
      from: { path: "^src/([^/]+)/", pathNot: "^src/cli/" },
      // results/drawing has a door of its own: it is an entry point of the package. Types may come from a room's types.ts.
      to: {
        path: "^src/([^/]+)/",
        pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$", "^src/results/drawing/index\\.ts$", "^src/[^/]+/types\\.ts$"],
      },
    },
    {
      name: "contract-types-as-types",
      severity: "error",
      comment: "Another room's types.ts may be imported past its door for types only.",
      from: { path: "^src/([^/]+)/" },
      to: { path: "^src/[^/]+/types\\.ts$", pathNot: "^src/$1/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "public-surface-through-doors",
      severity: "error",
      comment: "index.ts shows what rooms show.",
      from: { path: "^src/index\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: "^src/[^/]+/(index|types)\\.ts$" },
    },
    {
      name: "no-circles",
      severity: "error",
      comment: "Circles of types alone are allowed: nothing of them is left when the modules are loaded.",
      from: { path: "^src" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "every-file-has-a-layer",
      severity: "error",
      comment: "A new room is put into the list of layers here, and into docs/architecture.md.",
      from: { path: "^src" },
      to: { path: "^src", pathNot: pattern(LAYERS.flat()) },
    },
    {
      name: "no-development-dependencies",
      severity: "error",
      comment: "What src/ imports is installed with the package, or one of the few that the build takes into the bundle.",
      from: { path: "^src" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["type-only"],
        pathNot: "^node_modules/(zod|p-limit)/",
      },
    },
    { name: "resolvable", severity: "error", from: { path: "^src" }, to: { couldNotResolve: true, dependencyTypesNot: ["type-only"] } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true, // type-only imports are edges too
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] },
  },
};
