/**
 * `work` for every index below `count`, in order of their start, at most `workers` of them at once: a long list does not fill the queue
 * that it shares with other calls. After a failure nothing more is started.
 */
export async function fewAtATime<T>(workers: number, count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const workThrough = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      try {
        results[index] = await work(index);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, count) }, workThrough));
  return results;
}
