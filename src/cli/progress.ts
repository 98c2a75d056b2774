/** Progress of a load as one line for people. */
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

/** null for events that change nothing on the line. */
export function progressLine(event: ProgressEvent, width = 100): string | null {
  switch (event.type) {
    case "download-started":
    case "download-progress":
    case "download-finished":
      return downloadLine(event.overall, width);
    case "download-retry":
      return `${event.file}: ${event.reason}; again in ${event.waitSeconds.toFixed(0)} s`;
    case "waiting-for-lock":
      return `Waiting for ${event.pid === null ? "another process" : `process ${event.pid}`}, which is downloading the same files`;
    case "verifying":
      return `Verifying ${event.file}`;
  }
}
