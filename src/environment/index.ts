export { describeEnvironment, type EnvironmentReport, type Finding } from "./report.js";
