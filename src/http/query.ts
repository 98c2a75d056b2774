import { AssumptionError } from "../errors.js";

/** Encoding of forms, as Python's urllib does it: other than URLSearchParams, `~` stays and `*` does not. */
function formEncoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}

/**
 * Adds parameters to an address; a list gives a parameter several times. Parameters of the address without a value are dropped.
 * @throws AssumptionError when the address has one of them already
 */
export function addQueryParameters(url: string, parameters: Readonly<Record<string, string | readonly string[]>>): string {
  const [, base = "", query = "", fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(url) ?? [];
  const all = new Map<string, readonly string[]>();
  for (const [name, value] of new URLSearchParams(query)) if (value !== "") all.set(name, [...(all.get(name) ?? []), value]);
  for (const [name, value] of Object.entries(parameters)) {
    if (all.has(name))
      throw new AssumptionError(`The address has a parameter "${name}" already, which this library sets itself. Remove it.`);
    all.set(name, [value].flat());
  }
  const pairs = [...all].flatMap(([name, values]) => values.map((value) => `${formEncoded(name)}=${formEncoded(value)}`));
  return base + (pairs.length === 0 ? "" : `?${pairs.join("&")}`) + fragment;
}
