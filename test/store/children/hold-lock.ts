/** Takes a lock, says so, and keeps it until its input ends; "exit" as third argument leaves with process.exit while holding it. */
import { withFileLock } from "../../../src/store/files/lock.js";

const [, , directory = "", how = "wait"] = process.argv;

await withFileLock(directory, { timeoutSeconds: 20 }, async () => {
  process.stdout.write("held\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  if (how === "exit") process.exit(0);
});
process.exit(0);
