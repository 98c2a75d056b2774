export { AutoModelPipeline, type AutoModelPipelineOptions, type PipelineModel } from "./auto-pipeline.js";
export { TextReadingPipeline, type TextReadingModels, type TextReadingOptions } from "./text-reading.js";
