import type { AnyModel } from "../models/index.js";

/**
 * Lets `release` happen after the model is closed: its package may be evicted then, and the models it was given are closed too. Works
 * on any model, also on one whose class came with its package.
 */
export function closingWith<Model extends AnyModel>(model: Model, release: () => void | Promise<void>): Model {
  const close = model.close.bind(model);
  let closing: Promise<void> | null = null;
  // asyncDispose of the base class calls close; a class of somebody else's may not.
  const both = (): Promise<void> => (closing ??= close().finally(release));
  return Object.defineProperties(model, {
    close: { value: both, configurable: true, writable: true },
    [Symbol.asyncDispose]: { value: both, configurable: true, writable: true },
  });
}

/** All of them, in order; when one fails, those that did not are closed again. @throws the first failure, in that order */
export async function allOrNone<T>(opening: readonly Promise<T>[], close: (opened: T) => Promise<void>): Promise<readonly T[]> {
  const settled = await Promise.allSettled(opening);
  const opened = settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = settled.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return opened;
  await Promise.all(opened.map(close));
  throw failed.reason;
}
