export { AutoModel, type AutoModelOptions } from "./auto-model.js";
