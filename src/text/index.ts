export type * from "./types.js";
export { loadClipTokenizer, loadOwlTokenizer } from "./clip-tokenizer.js";
