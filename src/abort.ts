interface Waiting {
  readonly acts: Set<() => void>;
  readonly fire: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function listen(signal: AbortSignal): Waiting {
  const acts = new Set<() => void>();
  const fire = (): void => {
    waitingFor.delete(signal);
    for (const act of acts) act();
  };
  const waiting = { acts, fire };
  signal.addEventListener("abort", fire, { once: true });
  waitingFor.set(signal, waiting);
  return waiting;
}

/**
 * Calls `act` once when the signal fires. One listener serves all who wait for a signal: many runs at once may share one, which Node takes
 * for a leak when each has a listener.
 * @param act must not throw.
 * @returns takes it back.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const { acts, fire } = waitingFor.get(signal) ?? listen(signal);
  acts.add(act);
  return () => {
    if (!acts.delete(act) || acts.size > 0) return;
    signal.removeEventListener("abort", fire);
    waitingFor.delete(signal);
  };
}

/**
 * Settles like `work`, or rejects with the signal's own reason as soon as it fires. `cancel` is called then, and `work` ends
 * unobserved.
 */
export async function raceAbort<T>(signal: AbortSignal | undefined, work: Promise<T>, cancel: () => void = () => undefined): Promise<T> {
  if (signal === undefined) return work;
  // The loser of the race may reject too; nobody else listens to it.
  work.catch(() => undefined);
  let takeBack = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else takeBack = onAbort(signal, abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    takeBack();
  }
}
