import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { packageRoot } from "../../src/package-root.js";
import { requestPiece } from "../../src/store/download/answers.js";
import { fetchFile } from "../../src/store/download/fetch-file.js";
import { callProgress } from "../../src/store/download/progress.js";
import { FileReceiver } from "../../src/store/download/receiver.js";
import { alternate, ratio, type Case } from "../measure.js";

const MEBIBYTE = 1 << 20;
/** What a line of one gigabit a second carries at most. */
const LINE = 119;

/** The same client writing to the same disk, without a hash, a record, or a rename. */
async function plain(url: string, target: string): Promise<void> {
  const piece = await requestPiece({ url, file: "file", start: 0, validators: null });
  if (piece === "complete") return;
  const receiver = await FileReceiver.open(target, null);
  for await (const bytes of piece.body as AsyncIterable<Buffer>) await receiver.append(bytes);
  await receiver.finish();
  await receiver.close();
}

async function verified(url: string, target: string, md5: string): Promise<void> {
  await fetchFile({ file: "file", url, target, md5 }, { progress: callProgress(1, undefined).file("file"), hashWhileDownloading: true });
}

function digestAlone(block: Buffer, mebibytes: number): void {
  const hash = createHash("md5");
  for (let index = 0; index < mebibytes; index++) hash.update(block);
  hash.digest();
}

/** What verifying a file while it arrives costs. */
export const download: Case = {
  name: "download of one file, with and without verification",
  async run(quick) {
    const mebibytes = quick ? 64 : 256;
    const hash = createHash("md5");
    const block = Buffer.alloc(MEBIBYTE, "0123456789abcdef");
    for (let index = 0; index < mebibytes; index++) hash.update(block);
    const md5 = hash.digest("hex");
    const folder = await mkdtemp(join(tmpdir(), "bench-download-"));
    const target = join(folder, "file");
    const server = spawn(process.execPath, ["--import", "tsx", join(packageRoot, "bench", "children", "file-server.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [port] = (await once(server.stdout, "data")) as [Buffer];
      const url = (rate: number): string => `http://127.0.0.1:${port.toString().trim()}/${mebibytes}/${rate}`;
      const fresh = async (work: () => Promise<void>): Promise<void> => {
        await rm(target, { force: true });
        await work();
      };
      const measurements = await alternate(
        [
          ["plain, gigabit line", () => fresh(() => plain(url(LINE), target))],
          ["verified, gigabit line", () => fresh(() => verified(url(LINE), target, md5))],
          ["plain, loopback", () => fresh(() => plain(url(0), target))],
          ["verified, loopback", () => fresh(() => verified(url(0), target, md5))],
          // What no way of verifying can be faster than: on a loopback, MD5 itself is the slowest part.
          ["MD5 of these bytes alone", () => digestAlone(block, mebibytes)],
        ],
        quick ? 3 : 7,
        1,
      );
      return {
        measurements,
        claims: [
          {
            text: "verified / plain on a gigabit line",
            value: ratio(measurements, "verified, gigabit line", "plain, gigabit line"),
            comparison: "<=",
            bound: 1.1,
          },
        ],
      };
    } finally {
      server.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
