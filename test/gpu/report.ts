/** What a check found: lines as they come, and a page at the end. */
import { writeFileSync } from "node:fs";

export interface Figure {
  readonly what: string;
  readonly value: string;
  /** What it should be; null where nothing was set. */
  readonly target: string | null;
}

export class Report {
  readonly #checks: { readonly holds: boolean; readonly what: string }[] = [];
  readonly #figures: Figure[] = [];
  readonly #notes: string[] = [];

  get failed(): boolean {
    return this.#checks.some(({ holds }) => !holds);
  }

  readonly say = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };

  /** Also for the page. */
  readonly note = (text: string): void => {
    this.say(text);
    this.#notes.push(text);
  };

  readonly expectThat = (holds: boolean, what: string): void => {
    this.say(`${holds ? "ok    " : "FAILED"} ${what}`);
    this.#checks.push({ holds, what });
  };

  readonly figure = (what: string, value: string, target: string | null = null): void => {
    this.say(`${what}: ${value}${target === null ? "" : ` (wanted: ${target})`}`);
    this.#figures.push({ what, value, target });
  };

  /** As a page of Markdown. */
  write(path: string, title: string): void {
    const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
    const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
    const lines = [
      `# ${title}`,
      "",
      ...this.#notes.flatMap((note) => [`- ${note}`]),
      "",
      "## Figures",
      "",
      ...(this.#figures.length === 0 ? ["None."] : [row("what", "measured", "wanted"), row("---", "---", "---")]),
      ...this.#figures.map(({ what, value, target }) => row(what, value, target ?? "")),
      "",
      "## Checks",
      "",
      row("holds", "what"),
      row("---", "---"),
      ...this.#checks.map(({ holds, what }) => row(holds ? "yes" : "**no**", what)),
      "",
    ];
    writeFileSync(path, lines.join("\n"));
  }
}
