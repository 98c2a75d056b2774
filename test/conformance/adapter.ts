/** What the conformance runner asks of an adapter: convert, call the implementation, convert back. No logic of its own. */

/** Thrown by an adapter for a case that this implementation does not offer on purpose; counted as not covered. */
export class NotCovered extends Error {}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `input` is the vector's input; the result is compared with its output. May throw the implementation's errors. */
export type Adapter = (input: never, context: { readonly tags: readonly string[] }) => unknown;

/** Implementation name ("cpu", "reference", or "" when there is one only) -> adapter. */
export type AdapterVariants = Readonly<Record<string, Adapter>>;

/** Function name of the vectors -> adapters to run. */
export type AdapterTable = Readonly<Record<string, AdapterVariants>>;
