/** Progress of a load or a build as one line for people. */
import type { CompileProgress } from "../compilation/index.js";
import type { ProgressEvent } from "../store/types.js";

const MEBIBYTE = 1024 * 1024;

const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(1);

function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
}

function downloadLine({ bytes, totalBytes, files, finishedFiles }: DownloadState, width: number): string {
  const counts = `${finishedFiles} of ${files} file${files === 1 ? "" : "s"}`;
  if (totalBytes === null || totalBytes === 0) return `Downloading ${mebibytes(bytes)} MB, ${counts}`;
  const fraction = bytes / totalBytes;
  const text = `${Math.floor(Math.min(1, fraction) * 100)} %  ${mebibytes(bytes)} of ${mebibytes(totalBytes)} MB, ${counts}`;
  const room = Math.min(30, width - text.length - 16);
  return room < 8 ? `Downloading ${text}` : `Downloading ${bar(fraction, room)} ${text}`;
}

type DownloadState = Extract<ProgressEvent, { readonly overall: unknown }>["overall"];

/** With what is done at the moment, in the builder's words. */
function buildingLine(
  { fraction, phases }: Extract<CompileProgress, { readonly type: "building" }>,
  width: number,
  timeLeft: string | null,
): string {
  const innermost = phases.at(-1);
  const percent = `${Math.floor(fraction * 100)} %${timeLeft === null ? "" : `, ${timeLeft}`}`;
  const doing = innermost === undefined ? "" : `  ${innermost.name} (${innermost.done} of ${innermost.steps})`;
  const room = Math.min(30, width - percent.length - doing.length - 14);
  const text = room < 8 ? `Building ${percent}${doing}` : `Building ${bar(fraction, room)} ${percent}${doing}`;
  return text.slice(0, Math.max(width - 1, 20));
}

/** null for events that change nothing on the line. `timeLeft`: of a build, where that is known. */
export function progressLine(event: ProgressEvent | CompileProgress, width = 100, timeLeft: string | null = null): string | null {
  switch (event.type) {
    case "download-started":
    case "download-progress":
    case "download-finished":
      return downloadLine(event.overall, width);
    case "download-retry":
      return `${event.file}: ${event.reason}; again in ${event.waitSeconds.toFixed(0)} s`;
    case "waiting-for-lock":
      return `Waiting for ${event.pid === null ? "another process" : `process ${event.pid}`}, which is downloading the same files`;
    case "building":
      return buildingLine(event, width, timeLeft);
    case "estimated":
      return null;
    case "verifying":
      return `Verifying ${event.file}`;
  }
}
