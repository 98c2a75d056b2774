/** Asks the address given, one that only a proxy could know, and one that no proxy is asked for; prints the answers or the errors' names. */
import { readBody, request } from "../../../src/http/index.js";

for (const url of [process.argv[2] ?? "", "https://models.invalid/", "https://no-such-host.invalid/"]) {
  const asked = request({ url, timeouts: { connectSeconds: 5, idleSeconds: 5 }, redirects: "refuse" });
  const line = await asked.then(
    async (response) => (await readBody(response, { maximumBytes: 100 })).toString(),
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
  process.stdout.write(`${line}\n`);
}
