/** Reads, waits and rewrites a number under a lock: increments are lost unless only one process does so at a time. */
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { withFileLock } from "../../../src/store/files/lock.js";

const [, , directory = "", counter = "", rounds = "1"] = process.argv;

for (let round = 0; round < Number(rounds); round++) {
  await withFileLock(directory, { timeoutSeconds: 20 }, async () => {
    const value = Number(await readFile(counter, "utf8"));
    await sleep(Math.random() * 4);
    await writeFile(counter, String(value + 1));
  });
}
