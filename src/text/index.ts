export type * from "./types.js";
export { loadClipTokenizer } from "./clip-tokenizer.js";
