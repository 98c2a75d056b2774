export type * from "./types.js";
export { describeEnvironment, type EnvironmentReport, type Finding } from "./report.js";
