import type { Style } from "./terminal.js";

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Lines of a table whose columns are as wide as their widest cell; the first line holds the titles. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string[] {
  const widths = columns.map(({ title }, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (columns[column]?.align === "right" ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [style("dim", line(columns.map(({ title }) => title))), ...rows.map(line)];
}

/** Phrases side by side, broken into lines of at most `width` characters; a phrase is never cut. */
export function wrapPhrases(phrases: readonly string[], width: number, indent: string): string[] {
  const lines: string[] = [];
  for (const phrase of phrases) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + phrase.length <= width) lines[lines.length - 1] = `${last}  ${phrase}`;
    else lines.push(indent + phrase);
  }
  return lines;
}

/** Nested plain data as indented lines, names aligned; for people, not for machines. */
export function formatTree(value: unknown, style: Style, indent = ""): string[] {
  if (!isRecord(value) && !Array.isArray(value)) return [indent + formatScalar(value, style)];
  const entries: [string, unknown][] = Array.isArray(value) ? value.map((item) => ["-", item]) : Object.entries(value);
  const width = Math.max(0, ...entries.filter(([, item]) => isFlat(item)).map(([name]) => name.length));
  return entries.flatMap(([name, item]) =>
    isFlat(item)
      ? [`${indent}${style("dim", name.padEnd(width))}  ${formatScalar(item, style)}`]
      : [`${indent}${style("bold", name)}`, ...formatTree(item, style, `${indent}  `)],
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value fits on the line of its name. */
function isFlat(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => !isRecord(item) && !Array.isArray(item));
  return !isRecord(value) || Object.keys(value).length === 0;
}

function formatScalar(value: unknown, style: Style): string {
  switch (typeof value) {
    case "boolean":
      return value ? "yes" : "no";
    case "string":
      return value;
    case "number":
    case "bigint":
      return String(value);
    default:
      return Array.isArray(value) && value.length > 0 ? value.map((item) => formatScalar(item, style)).join(", ") : style("dim", "none");
  }
}
