import type * as z from "zod";

const MAXIMUM_ISSUES = 3;
const MAXIMUM_LENGTH = 160;

/** What is wrong with a value from outside, as one bounded line: names and texts in it are of somebody else's choosing. */
export function describeIssues({ issues }: z.ZodError): string {
  const named = issues
    .slice(0, MAXIMUM_ISSUES)
    .map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`.slice(0, MAXIMUM_LENGTH));
  const more = issues.length - named.length;
  return named.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
