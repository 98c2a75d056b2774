/**
 * Repairs that CLIP's texts went through before its tokenizer (those of ftfy 6, and html.unescape), so that a text from a page gives
 * the tokens that the network learned. Left out is the guessing of wrongly decoded text ("Ã©" for "é"): it rests on statistics, and
 * texts decoded in Node are UTF-8.
 */
import { WINDOWS_1252, type HtmlEntities } from "./html-entities.js";

/** Ligatures and digraphs of Latin letters, which are of typography and not of spelling. */
const LIGATURES = /[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb04\ufb06]/g;
const FULL_AND_HALF_WIDTH = /[\u3000\uff01-\uffef]/g;

const TERMINAL_ESCAPES = /\u001b\[[\p{Nd};]*[a-zA-Z]/gu;

const INVISIBLE = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

function repairOnce(text: string): string {
  return text
    .replaceAll(/[\u0080-\u009f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] ?? byte)
    .replaceAll(LIGATURES, (ligature) => ligature.normalize("NFKC"))
    .replaceAll("\ufb05", "\u017ft")
    .replaceAll(FULL_AND_HALF_WIDTH, (character) => character.normalize("NFKC"))
    .replaceAll(/[\u201c-\u201f]/g, '"')
    .replaceAll(/[\u02bc\u2018-\u201b]/g, "'")
    .replaceAll(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replaceAll(/\p{Surrogate}/gu, "\ufffd")
    .replaceAll(TERMINAL_ESCAPES, "")
    .replaceAll(INVISIBLE, "")
    .normalize("NFC");
}

/** One line; what a repair brings to light may need another. */
function repairLine(line: string, unescape: (text: string) => string): string {
  let before = line;
  for (;;) {
    const after = repairOnce(unescape(before));
    if (after === before) return after;
    before = after;
  }
}

function repair(text: string, entities: HtmlEntities): string {
  // From the first line with a tag on, the text is taken for HTML whose references are meant as they stand.
  let html = false;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      html ||= line.includes("<");
      return repairLine(line, (part) => (html ? part : entities.unescapeWhole(part)));
    })
    .join("");
}

/** White space as Python has it: with the next line, without the byte order mark. */
const WHITE_SPACE = /[^\S\ufeff]+|\u0085+/g;

/** A text as CLIP's tokenizer cuts it into words: repaired, single spaces, lower case. */
export function cleanText(text: string, entities: HtmlEntities): string {
  return entities
    .unescape(entities.unescape(repair(text, entities)))
    .replaceAll(WHITE_SPACE, " ")
    .trim()
    .toLowerCase();
}
