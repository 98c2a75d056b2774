const MEBIBYTE = 2 ** 20;

/** `12.5 MB`, above 512 MiB `1.15 GB`; binary units, two decimals at most. */
export function humanReadableSize(bytes: number): string {
  const [value, unit] = bytes <= 512 * MEBIBYTE ? [bytes / MEBIBYTE, "MB"] : [bytes / (1024 * MEBIBYTE), "GB"];
  const rounded = String(Number(value.toFixed(2)));
  return `${rounded.includes(".") ? rounded : `${rounded}.0`} ${unit}`;
}
