import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { packageRoot } from "../../src/package-root.js";
import { detectorFiles, startModelHub, type ModelHub } from "../../test/support/model-hub.js";
import { runChild } from "../child.js";
import { summarize, Unavailable, type Case, type CaseResult, type Measurement } from "../measure.js";

const ID = "acme/bolts/3";

/** A provider on this machine with one model, and an empty cache. */
async function withHub(
  files: Readonly<Record<string, Uint8Array | string>>,
  work: (hub: ModelHub, freshHome: () => Promise<Readonly<Record<string, string>>>) => Promise<CaseResult>,
): Promise<CaseResult> {
  const folder = await mkdtemp(join(tmpdir(), "bench-loading-"));
  await using hub = await startModelHub([{ modelId: ID, packages: [{ packageId: "only", files }] }]);
  try {
    return await work(hub, async () => ({ ROBOFLOW_API_HOST: hub.origin, INFERENCE_HOME: await mkdtemp(join(folder, "home-")) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a load costs beside the creation of the session, when the same was loaded before. */
export const warmLoad: Case = {
  name: "warm load: an id that was resolved before",
  run: (quick) =>
    withHub(detectorFiles(), async (_hub, freshHome) => {
      const measurements = await runChild<readonly Measurement[]>("warm-load.ts", [ID, quick ? "10" : "60"], await freshHome());
      const [load, session] = measurements.map(({ median }) => median);
      return {
        measurements,
        claims: [{ text: "load - session, ms", value: (load ?? NaN) - (session ?? NaN), comparison: "<=", bound: 30 }],
      };
    }),
};

const SCRIPT = `
const { AutoModel } = await import("inference-models");
await AutoModel.fromPretrained(${JSON.stringify(ID)});
process.exit(0);
`;

/** From starting the processes until each of them has its model. */
export const racing: Case = {
  name: "processes that load one model at once (32 MiB)",
  run: (quick) => {
    if (!existsSync(join(packageRoot, "dist", "esm", "index.js"))) throw new Unavailable("dist is not built (npm run build)");
    return withHub({ ...detectorFiles(), "more.bin": Buffer.alloc(32 << 20, 7) }, async (hub, freshHome) => {
      const load = async (processes: number, env: Readonly<Record<string, string>>): Promise<number> => {
        const begin = performance.now();
        const one = (): Promise<unknown> =>
          promisify(execFile)(process.execPath, ["--input-type=module", "--eval", SCRIPT], {
            cwd: packageRoot,
            env: { ...process.env, ...env },
          });
        await Promise.all(Array.from({ length: processes }, one));
        return performance.now() - begin;
      };
      const counts = [1, 4, 16];
      const empty = new Map(counts.map((count): [number, number[]] => [count, []]));
      const cached = new Map(counts.map((count): [number, number[]] => [count, []]));
      let downloads = 0;
      let most = 0;
      for (let round = 0; round < (quick ? 1 : 5); round++) {
        for (const count of counts) {
          const before = hub.fileRequests();
          const env = await freshHome();
          empty.get(count)?.push(await load(count, env));
          const after = Object.entries(hub.fileRequests());
          most = Math.max(most, ...after.map(([path, requests]) => requests - (before[path] ?? 0)));
          downloads++;
          cached.get(count)?.push(await load(count, env));
        }
      }
      const row = (samples: ReadonlyMap<number, readonly number[]>, what: string): readonly Measurement[] =>
        counts.map((count) => summarize(`${count} at once, ${what}`, samples.get(count) ?? []));
      return {
        measurements: [...row(empty, "empty cache"), ...row(cached, "cached")],
        claims: [{ text: `requests for one file, at most, in ${downloads} downloads`, value: most, comparison: "<=", bound: 1 }],
      };
    });
  },
};
