/** Counts the bytes of all files of one call, and tells the caller about them at a pace that costs nothing. */
import type { DownloadTotals, ProgressListener } from "../types.js";

const INTERVAL_MILLISECONDS = 100;

export interface FileProgress {
  started(resumedFrom: number): void;
  received(bytes: number, totalBytes: number | null): void;
  retrying(waitSeconds: number, reason: string): void;
  finished(bytes: number): void;
}

export interface CallProgress {
  file(name: string): FileProgress;
}

interface Counter {
  bytes: number;
  totalBytes: number | null;
  finished: boolean;
}

/** `files`: how many the call fetches; their sizes become known one after another. */
export function callProgress(files: number, listener: ProgressListener | undefined): CallProgress {
  const counters: Counter[] = [];
  let lastEvent = -Infinity;

  function totals(file: string, counter: Counter): DownloadTotals {
    const areKnown = counters.length === files && counters.every(({ totalBytes }) => totalBytes !== null);
    return {
      file,
      bytes: counter.bytes,
      totalBytes: counter.totalBytes,
      overall: {
        bytes: counters.reduce((sum, { bytes }) => sum + bytes, 0),
        totalBytes: areKnown ? counters.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0) : null,
        files,
        finishedFiles: counters.filter(({ finished }) => finished).length,
      },
    };
  }

  return {
    file(name) {
      const counter: Counter = { bytes: 0, totalBytes: null, finished: false };
      counters.push(counter);
      return {
        started(resumedFrom) {
          counter.bytes = resumedFrom;
          counter.finished = false;
          listener?.({ type: "download-started", resumedFrom, ...totals(name, counter) });
        },
        received(bytes, totalBytes) {
          counter.bytes = bytes;
          counter.totalBytes = totalBytes;
          if (listener === undefined || performance.now() - lastEvent < INTERVAL_MILLISECONDS) return;
          lastEvent = performance.now();
          listener({ type: "download-progress", ...totals(name, counter) });
        },
        retrying(waitSeconds, reason) {
          listener?.({ type: "download-retry", file: name, waitSeconds, reason });
        },
        finished(bytes) {
          counter.bytes = bytes;
          counter.totalBytes = bytes;
          counter.finished = true;
          listener?.({ type: "download-finished", ...totals(name, counter) });
        },
      };
    },
  };
}
