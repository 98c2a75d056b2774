export type * from "./types.js";
export type { BertTokenizer } from "./bert-tokenizer.js";
export { bertTokenizerOfJson, bertTokenizerOfLines } from "./bert-vocabulary.js";
export { loadClipTokenizer, loadOwlTokenizer } from "./clip-tokenizer.js";
