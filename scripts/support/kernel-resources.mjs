/** What ptxas says about the kernels that it has made machine code of. */

/**
 * @param {string} said of `ptxas -v`, for one source file and any number of generations
 * @returns {Map<string, Map<string, { registers: number, local: number, shared: number }>>} by function and generation; bytes
 */
export function readResources(said) {
  const functions = new Map();
  let current = null;
  for (const line of said.split("\n")) {
    const [, name, generation] = /Compiling entry function '([^']+)' for '([^']+)'/.exec(line) ?? [];
    if (name !== undefined) {
      current = { registers: 0, local: 0, shared: 0 };
      if (!functions.has(name)) functions.set(name, new Map());
      functions.get(name).set(generation, current);
    }
    if (current === null) continue;
    const stack = /(\d+) bytes stack frame/.exec(line);
    if (stack !== null) current.local = Number(stack[1]);
    const used = /Used (\d+) registers/.exec(line);
    if (used === null) continue;
    current.registers = Number(used[1]);
    current.shared = Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
    current = null;
  }
  return functions;
}

/** Rows of Markdown: registers, bytes of local memory behind a plus where there are any, bytes of shared memory. */
export function resourceRows(functions, generations) {
  return [...functions].map(([name, byGeneration]) => {
    const cells = generations.map((generation) => {
      const { registers, local } = byGeneration.get(generation) ?? { registers: "?", local: 0 };
      return local === 0 ? `${registers}` : `${registers} + ${local} B`;
    });
    const shared = Math.max(...[...byGeneration.values()].map((one) => one.shared));
    return `| \`${name}\` | ${cells.join(" | ")} | ${shared} |`;
  });
}
