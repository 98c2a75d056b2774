import { perfFixture } from "../fixtures.js";
import { runChild } from "../child.js";
import type { Case, Measurement } from "../measure.js";

interface Delays {
  readonly p50: number;
  readonly p99: number;
  readonly predictions: number;
}

const row = (name: string, { p50, p99, predictions }: Delays): Measurement => ({
  name,
  median: p50,
  minimum: p50,
  p90: p99,
  rounds: predictions,
});

/** How long the event loop stands still while pictures are predicted without pause. */
export const eventLoop: Case = {
  name: "event-loop delay under sustained prediction (median column: p50, p90 column: p99)",
  async run(quick) {
    const fixture = perfFixture("yolov8n-640-busy");
    const seconds = quick ? "3" : "8";
    const ours = await runChild<Delays>("event-loop.ts", [fixture, perfFixture("photo_1280x720.png"), seconds, "addon"], {});
    const blocking = await runChild<Delays>("event-loop.ts", [fixture, perfFixture("photo_1280x720.png"), seconds, "onnxruntime-node"], {});
    return {
      measurements: [row("addon", ours), row("onnxruntime-node", blocking)],
      claims: [
        { text: "p99 of onnxruntime-node / p99 of the addon", value: blocking.p99 / ours.p99, comparison: ">=", bound: 10 },
        { text: "p99 of the addon, ms", value: ours.p99, comparison: "<=", bound: 10 },
      ],
    };
  },
};
