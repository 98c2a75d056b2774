/** A value of any type in an error message: short, and without running code of its own. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(describe).join(", ")}${value.length > 4 ? ", ..." : ""}]`;
  if (typeof value === "object" && value !== null) return `an object of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
  return typeof value === "function" ? "a function" : String(value);
}
