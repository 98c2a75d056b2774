/** Names that came from outside, in messages for people. */

const LONGEST = 60;

/** In quotation marks, cut when long, with control characters spelled out: ids and features are somebody else's text. */
export function quote(text: string): string {
  // JSON leaves the C1 range as it is, and terminals obey it.
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    escape,
  );
}

const SHOWN = 20;

/** The first so many, and how many more there are. */
export function quotedList(texts: readonly string[]): string {
  if (texts.length === 0) return "none";
  const rest = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more` : "";
  return texts.slice(0, SHOWN).map(quote).join(", ") + rest;
}
