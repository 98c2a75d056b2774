/** What a build will take, for people. */
import type { BuildSeconds, CompilationPlan, TensorRtBuildEstimate } from "../compilation/index.js";
import { humanReadableSize } from "../store/human-readable-size.js";
import type { Style } from "./terminal.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** `3.2 million`, `850 thousand`; small numbers as they are. */
function largeNumber(value: number): string {
  const [divisor, unit] = (
    [
      [1e9, " billion"],
      [1e6, " million"],
      [1e4, " thousand"],
    ] as const
  ).find(([least]) => value >= least) ?? [1, ""];
  return `${Number((value / (unit === " thousand" ? 1000 : divisor)).toFixed(1))}${unit}`;
}

type Unit = "second" | "minute" | "hour";

const SECONDS_OF: Readonly<Record<Unit, number>> = { second: 1, minute: MINUTE, hour: HOUR };

const unitOf = (seconds: number): Unit => (seconds < 90 ? "second" : seconds < 90 * MINUTE ? "minute" : "hour");

/** Rounded as far as anybody would say it. */
function amountOf(seconds: number, unit: Unit): number {
  const amount = seconds / SECONDS_OF[unit];
  return Math.max(1, unit === "hour" ? Number(amount.toFixed(1)) : Math.round(amount));
}

/** `1 to 2 minutes`, `50 seconds to 2 minutes`, `3 minutes`. Seconds, the lowest first. */
export function durationRange(lowest: number, highest: number): string {
  const unit = unitOf(highest);
  const own = lowest >= SECONDS_OF[unit] ? unit : unitOf(lowest);
  const [from, to] = [amountOf(lowest, own), amountOf(highest, unit)];
  if (own !== unit) return `${counted(from, own)} to ${counted(to, unit)}`;
  return from === to ? counted(to, unit) : `${from} to ${counted(to, unit)}`;
}

const timeText = ({ lowest, highest, builds }: BuildSeconds): string =>
  `${counted(builds, "earlier build")} on this GPU suggest${builds === 1 ? "s" : ""} ${durationRange(lowest, highest)}`;

const networkText = ({ heavyOperators, parameters }: TensorRtBuildEstimate): string =>
  `${counted(heavyOperators, "convolution or matrix product", "convolutions and matrix products")}, ${largeNumber(parameters)} parameters`;

/** One line, before a build. */
export function estimateLine(estimate: TensorRtBuildEstimate): string {
  const { leastEngineBytes, seconds, weightsFit } = estimate;
  const parts = [
    `${networkText(estimate)}, engine at least ${humanReadableSize(leastEngineBytes)}`,
    ...(weightsFit === "when-freed" ? ["more than is free on the GPU at the moment"] : []),
    ...(seconds === null ? [] : [timeText(seconds)]),
  ];
  return parts.join("; ");
}

/** What is left of the time that earlier builds suggest; null where they say nothing, or nothing more. */
export function timeLeft(estimate: TensorRtBuildEstimate | null, elapsedSeconds: number): string | null {
  const seconds = estimate?.seconds ?? null;
  if (seconds === null || elapsedSeconds >= seconds.highest) return null;
  const [lowest, highest] = [seconds.lowest - elapsedSeconds, seconds.highest - elapsedSeconds];
  return lowest <= 0 ? `at most ${durationRange(highest, highest)} left` : `${durationRange(lowest, highest)} left`;
}

const FITS: Readonly<Record<NonNullable<TensorRtBuildEstimate["weightsFit"]>, string>> = {
  now: "the weights fit",
  "when-freed": "the weights do not fit until others give some of it back",
  never: "the weights alone are more than that: it would be refused",
};

export function formatCompilationPlan({ modelId, quantization, sourceDirectory, estimate }: CompilationPlan, style: Style): string[] {
  const { operators, parameterBytes, leastEngineBytes, multiplyAdds, gpu, tensorRtVersion, weightsFit, seconds } = estimate;
  const rows: [string, string][] = [
    ["model", modelId],
    ["network", `${counted(operators, "operator")}, of them ${networkText(estimate)} (${humanReadableSize(parameterBytes)})`],
    [
      "work",
      multiplyAdds === null ? "not known: the graph does not tell all sizes" : `${largeNumber(multiplyAdds)} multiply-adds for a run`,
    ],
    ["engine", `at least ${humanReadableSize(leastEngineBytes)}, ${quantization}`],
  ];
  if (gpu === null) rows.push(["GPU", "none was found"]);
  else {
    const free = gpu.freeBytes === null ? "" : `${humanReadableSize(gpu.freeBytes)} free of `;
    const fits = weightsFit === null ? "" : `; ${FITS[weightsFit]}`;
    rows.push(["GPU", `cuda:${gpu.ordinal} (${gpu.name}), ${free}${humanReadableSize(gpu.totalBytes)}${fits}`]);
  }
  rows.push(["builder", tensorRtVersion === null ? "no TensorRT that builds was found" : `TensorRT ${tensorRtVersion}`]);
  rows.push(["time", seconds === null ? "not known: nothing like it was built here before" : timeText(seconds)]);
  rows.push(["from", sourceDirectory]);
  return rows.map(([name, text]) => `${style("dim", name.padEnd(8))}  ${text}`);
}
