export { FaceAndGazePipeline, type FaceAndGazeModels, type FaceAndGazeOptions, type FacesAndGazes } from "./face-and-gaze.js";
export type { PipelineCallOptions } from "./call-options.js";
export { AutoModelPipeline, type AutoModelPipelineOptions, type PipelineModel } from "./auto-pipeline.js";
export type { Pipelines } from "./registry.js";
export { TextReadingPipeline, type TextReadingModels, type TextReadingOptions } from "./text-reading.js";
