/**
 * Settles like `work`, or rejects with the signal's own reason as soon as it fires. `cancel` is called then, and `work` ends
 * unobserved.
 */
export async function raceAbort<T>(signal: AbortSignal | undefined, work: Promise<T>, cancel: () => void = () => undefined): Promise<T> {
  if (signal === undefined) return work;
  // The loser of the race may reject too; nobody else listens to it.
  work.catch(() => undefined);
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      cancel();
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
