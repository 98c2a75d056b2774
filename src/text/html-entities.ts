/** Character references of HTML in texts that were scraped from pages. */
import { readAssetLines } from "./assets.js";

/** What the bytes 80 to 9F mean in windows-1252, which is what they mean in HTML. Five mean nothing and stay themselves. */
export const WINDOWS_1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

interface EntityTable {
  /** By name without semicolon. */
  readonly characters: ReadonlyMap<string, string>;
  /** Names that HTML also knows without a semicolon. */
  readonly loose: ReadonlySet<string>;
}

const isNoncharacter = (code: number): boolean => (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
const isControl = (code: number): boolean => (code < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(code)) || (code >= 0x7f && code <= 0x9f);

/** The character that a number stands for; "" for what HTML does not allow. */
function numbered(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return WINDOWS_1252[code - 0x80] ?? "";
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\ufffd";
  return isControl(code) || isNoncharacter(code) ? "" : String.fromCodePoint(code);
}

/** @param digits without `&#` and semicolon: decimal, or hexadecimal after an x. */
function codeOf(digits: string): number {
  return /^x/i.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
}

/** Decodes references in the two ways in which CLIP's texts were cleaned. */
export class HtmlEntities {
  readonly #table: EntityTable;

  private constructor(table: EntityTable) {
    this.#table = table;
  }

  static async load(): Promise<HtmlEntities> {
    const characters = new Map<string, string>();
    const loose = new Set<string>();
    for (const line of await readAssetLines("html-entities.txt.gz")) {
      const [marked = "", ...codes] = line.split(" ");
      const name = marked.replace("?", "");
      characters.set(name, String.fromCodePoint(...codes.map((code) => Number.parseInt(code, 16))));
      if (name !== marked) loose.add(name);
    }
    return new HtmlEntities({ characters, loose });
  }

  /** As browsers do: semicolons may be missing after old names, and more letters may follow them. */
  unescape(text: string): string {
    if (!text.includes("&")) return text;
    return text.replaceAll(/&(?:#([0-9]+|[xX][0-9a-fA-F]+);?|([^\t\n\f <&#;]{1,32};?))/gu, (whole, digits?: string, name = "") =>
      digits === undefined ? this.#named(name as string) : numbered(codeOf(digits)),
    );
  }

  #named(found: string): string {
    const { characters, loose } = this.#table;
    const exact = found.endsWith(";") ? characters.get(found.slice(0, -1)) : undefined;
    if (exact !== undefined) return exact;
    for (let length = found.length; length >= 2; length--) {
      const beginning = found.slice(0, length);
      if (loose.has(beginning)) return `${characters.get(beginning) ?? ""}${found.slice(length)}`;
    }
    return `&${found}`;
  }

  /** Only what is unmistakable: whole references with their semicolon; names of letters also in capitals, as in P&EACUTE;REZ. */
  unescapeWhole(text: string): string {
    if (!text.includes("&")) return text;
    return text.replaceAll(/&(?:#([0-9A-Za-z]{1,24})|([0-9A-Za-z]{1,24}));/g, (whole, digits?: string, name = "") => {
      if (digits === undefined) return this.#wholeName(name as string) ?? whole;
      return /^([0-9]+|x[0-9a-f]+)$/i.test(digits) ? numbered(codeOf(digits)) : whole;
    });
  }

  #wholeName(name: string): string | undefined {
    const { characters, loose } = this.#table;
    const exact = characters.get(name);
    if (exact !== undefined || name !== name.toUpperCase()) return exact;
    // A loose name at the beginning would already mean something to a browser.
    const ambiguous = Array.from(name, (_, index) => name.slice(0, index + 1)).some((beginning) => loose.has(beginning));
    return ambiguous ? undefined : characters.get(name.toLowerCase())?.toUpperCase();
  }
}
