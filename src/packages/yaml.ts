/**
 * The part of YAML that configuration files are written in: block and flow mappings and sequences, plain and quoted scalars,
 * comments; JSON therefore, too. Anchors, tags, block scalars and several documents are refused: nothing is looked up, nothing is
 * run, and no text grows larger than it is.
 */

export type YamlValue = null | boolean | number | string | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** What cannot be read, and where. */
export class YamlSyntaxError extends Error {
  constructor(
    readonly line: number,
    reason: string,
  ) {
    super(`line ${line}: ${reason}`);
  }
}

const MAXIMUM_DEPTH = 64;
const MAXIMUM_CHARACTERS = 4_000_000;

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** Lines with something on them. */
function significantLines(source: string): Line[] {
  const lines: Line[] = [];
  for (const [index, raw] of source
    .replace(/^\uFEFF/, "")
    .split(/\r\n|[\r\n]/)
    .entries()) {
    const text = raw.trimEnd();
    const indent = text.length - text.trimStart().length;
    const content = text.slice(indent);
    if (content === "" || content.startsWith("#")) continue;
    if (content === "---" && lines.length === 0) continue;
    if (content === "---" || content === "...") throw new YamlSyntaxError(index + 1, "there is a second document.");
    if (text.slice(0, indent).includes("\t")) throw new YamlSyntaxError(index + 1, "it is indented with tabs.");
    lines.push({ number: index + 1, indent, text: content });
  }
  return lines;
}

/** Reads plain scalars like YAML 1.1, which the files' writers follow. */
function resolvePlain(text: string): YamlValue {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(true|True|TRUE|yes|Yes|YES|on|On|ON)$/.test(text)) return true;
  if (/^(false|False|FALSE|no|No|NO|off|Off|OFF)$/.test(text)) return false;
  if (/^[-+]?(0|[1-9][0-9]*)$/.test(text)) return Number(text);
  if (/^[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$|^[-+]?[0-9]+[eE][-+]?[0-9]+$/.test(text)) return Number(text);
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "/": "/",
  "\\": "\\",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};

/** One pass over the lines; `#position` is the column in the current line's text. */
class Parser {
  readonly #lines: readonly Line[];
  #index = 0;
  #position = 0;

  constructor(source: string) {
    this.#lines = significantLines(source);
  }

  document(): YamlValue {
    const value = this.#current === undefined ? null : this.#block(0, 0);
    if (this.#current !== undefined) this.#fail("it does not belong to what stands above it.");
    return value;
  }

  get #current(): Line | undefined {
    return this.#lines[this.#index];
  }
  get #rest(): string {
    return this.#current?.text.slice(this.#position) ?? "";
  }
  /** Column of the position, as an indentation. */
  get #column(): number {
    return (this.#current?.indent ?? 0) + this.#position;
  }

  #fail(reason: string): never {
    throw new YamlSyntaxError(this.#current?.number ?? this.#lines.at(-1)?.number ?? 1, reason);
  }

  #nextLine(): void {
    this.#index++;
    this.#position = 0;
  }

  /** To the next line, if nothing but a comment follows on this one. */
  #endLine(): void {
    const rest = this.#rest;
    if (!/^\s*(#.*)?$/.test(rest) || (rest.startsWith("#") && this.#position > 0))
      this.#fail(`"${rest.trim()}" follows where nothing may.`);
    this.#nextLine();
  }

  /** A mapping, sequence or scalar whose lines are indented by at least `indent`. */
  #block(indent: number, depth: number): YamlValue {
    if (depth > MAXIMUM_DEPTH) this.#fail(`there are more than ${MAXIMUM_DEPTH} levels.`);
    const column = this.#column;
    if (column < indent) return null;
    if (/^-(\s|$)/.test(this.#rest)) return this.#sequence(column, depth);
    if (this.#keyAhead() !== null) return this.#mapping(column, depth);
    const value = this.#inline(depth);
    this.#endLine();
    return value;
  }

  #sequence(column: number, depth: number): YamlValue {
    const items: YamlValue[] = [];
    while (this.#current !== undefined && this.#column === column && /^-(\s|$)/.test(this.#rest)) {
      this.#position++;
      items.push(this.#afterIndicator(column + 1, depth));
    }
    return items;
  }

  #mapping(column: number, depth: number): YamlValue {
    const entries: [string, YamlValue][] = [];
    while (this.#current !== undefined && this.#column === column) {
      const key = this.#keyAhead();
      if (key === null) this.#fail("expected a key and a colon.");
      this.#position += key.length;
      // A sequence may stand as far left as its key.
      entries.push([key.name, this.#afterIndicator(this.#nextIsSequenceAt(column) ? column : column + 1, depth)]);
    }
    return Object.fromEntries(entries);
  }

  #nextIsSequenceAt(column: number): boolean {
    const next = this.#lines[this.#index + 1];
    return /^\s*(#.*)?$/.test(this.#rest) && next?.indent === column && /^-(\s|$)/.test(next.text);
  }

  /** What follows a dash or a colon: on the same line, or below it and further right. */
  #afterIndicator(indent: number, depth: number): YamlValue {
    const blank = /^\s*/.exec(this.#rest)?.[0].length ?? 0;
    this.#position += blank;
    const rest = this.#rest;
    if (rest === "" || (rest.startsWith("#") && blank > 0)) {
      this.#nextLine();
      return this.#current !== undefined && this.#column >= indent ? this.#block(indent, depth + 1) : null;
    }
    return this.#block(indent, depth + 1);
  }

  /** The key at the position and its length, colon included; null when there is none. */
  #keyAhead(): { readonly name: string; readonly length: number } | null {
    const rest = this.#rest;
    const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*:(?=\s|$)/.exec(rest);
    if (quoted !== null) {
      const start = this.#position;
      const name = this.#quoted();
      this.#position = start;
      return { name, length: quoted[0].length };
    }
    const plain =
      /^([^\s"'[\]{}#&*!|>%@`,?:-](?:[^:#]|:(?!\s|$)|(?<!\s)#){0,255}?|[-?:](?:[^\s:#])(?:[^:#]|:(?!\s|$)|(?<!\s)#){0,255}?)\s{0,16}:(?=\s|$)/.exec(
        rest,
      );
    return plain === null ? null : { name: plain[1] ?? "", length: plain[0].length };
  }

  /** A flow collection, or a scalar up to the end of the line. */
  #inline(depth: number): YamlValue {
    const first = this.#rest[0] ?? "";
    if (first === "[" || first === "{") return this.#flow(depth);
    if (first === '"' || first === "'") return this.#quoted();
    this.#refuseIndicator(first);
    const comment = this.#rest.search(/\s#/);
    const text = (comment < 0 ? this.#rest : this.#rest.slice(0, comment)).trimEnd();
    this.#position += text.length;
    return resolvePlain(text);
  }

  #refuseIndicator(first: string): void {
    if ("&*!|>%@`".includes(first) && first !== "")
      this.#fail(`"${first}" begins something that is not read here; quote it if it is text.`);
  }

  #quoted(): string {
    const quote = this.#rest[0];
    const match = quote === '"' ? /^"((?:[^"\\]|\\.)*)"/.exec(this.#rest) : /^'((?:[^']|'')*)'/.exec(this.#rest);
    if (match === null) this.#fail("a quoted text does not end on its line.");
    this.#position += match[0].length;
    const [, content = ""] = match;
    if (quote === "'") return content.replaceAll("''", "'");
    return content.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gu, (_, code: string) => this.#escape(code));
  }

  #escape(code: string): string {
    if (/^[xuU]./.test(code)) {
      const point = parseInt(code.slice(1), 16);
      if (point > 0x10ffff) this.#fail(`"\\${code}" is no character.`);
      return String.fromCodePoint(point);
    }
    return ESCAPES[code] ?? this.#fail(`"\\${code}" is no escape.`);
  }

  /** To the next character of a flow collection, over line ends and comments. */
  #skipBlank(): string {
    for (;;) {
      const blank = /^\s*/.exec(this.#rest)?.[0].length ?? 0;
      this.#position += blank;
      const next = this.#rest[0];
      if (next !== undefined && !(next === "#" && (blank > 0 || this.#position === 0))) return next;
      this.#nextLine();
      if (this.#current === undefined) this.#fail("a bracket is not closed.");
    }
  }

  #flow(depth: number): YamlValue {
    if (depth > MAXIMUM_DEPTH) this.#fail(`there are more than ${MAXIMUM_DEPTH} levels.`);
    const isList = this.#rest.startsWith("[");
    const close = isList ? "]" : "}";
    const items: YamlValue[] = [];
    const entries: [string, YamlValue][] = [];
    this.#position++;
    while (this.#skipBlank() !== close) {
      const value = this.#flowValue(depth);
      if (isList) items.push(value);
      else {
        let entry: YamlValue = null;
        if (this.#skipBlank() === ":") {
          this.#position++;
          const next = this.#skipBlank();
          if (next !== "," && next !== close) entry = this.#flowValue(depth);
        }
        if (typeof value === "object") this.#fail("a key must be text.");
        entries.push([String(value), entry]);
      }
      const separator = this.#skipBlank();
      if (separator === ",") this.#position++;
      else if (separator !== close) this.#fail(`expected "," or "${close}".`);
    }
    this.#position++;
    return isList ? items : Object.fromEntries(entries);
  }

  #flowValue(depth: number): YamlValue {
    const first = this.#skipBlank();
    if (first === "[" || first === "{") return this.#flow(depth + 1);
    if (first === '"' || first === "'") return this.#quoted();
    this.#refuseIndicator(first);
    const [text = ""] = /^(?:[^,[\]{}:#\s]|:(?![\s,[\]{}]|$)|(?<!\s)#|\s+(?![#\s]))*/.exec(this.#rest) ?? [];
    if (text.trim() === "") this.#fail(`"${first}" stands where a value was expected.`);
    this.#position += text.length;
    return resolvePlain(text.trim());
  }
}

/** @throws YamlSyntaxError, also for texts of more than 4 million characters. */
export function parseYaml(source: string): YamlValue {
  if (source.length > MAXIMUM_CHARACTERS)
    throw new YamlSyntaxError(1, `the text has ${source.length} characters; at most ${MAXIMUM_CHARACTERS} are read.`);
  return new Parser(source).document();
}
