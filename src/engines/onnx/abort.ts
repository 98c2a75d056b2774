/**
 * Settles like `work`, or rejects with the signal's reason as soon as it aborts. `cancel` is called then, and `work`
 * ends unobserved.
 */
export async function raceAbort<T>(signal: AbortSignal | undefined, work: Promise<T>, cancel: () => void): Promise<T> {
  if (signal === undefined) return work;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
