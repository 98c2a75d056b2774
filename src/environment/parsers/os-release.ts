/**
 * Name and version of a Linux distribution out of the text of `os-release`: `NAME="Ubuntu"` and `VERSION_ID="22.04"` become
 * `ubuntu-22.04`. null when one of the two is missing.
 *
 * Other quotes than double ones stay: model packages were registered under the names that this rule makes.
 */
export function osVersionFromRelease(text: string): string | null {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r\n|\r|\n/)) {
    const separator = line.indexOf("=");
    if (separator >= 0) fields.set(line.slice(0, separator).trim(), unquote(line.slice(separator + 1).trim()));
  }
  const name = fields.get("NAME");
  const version = fields.get("VERSION_ID");
  return name === undefined || version === undefined ? null : `${name}-${version}`.toLowerCase();
}

function unquote(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === '"') start++;
  while (end > start && text[end - 1] === '"') end--;
  return text.slice(start, end);
}
