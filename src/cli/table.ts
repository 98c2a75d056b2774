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
