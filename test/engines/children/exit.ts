/** Ends in the way that is asked for, with sessions alive and runs in progress. */
import { createInferenceSession } from "../../../src/engines/index.js";
import { countingNetwork, doublingNetwork, ENDLESS, LONG, row, steps, untilRunning } from "../networks.js";

const idle = await createInferenceSession(doublingNetwork(), { lanes: 2 });
await idle.run(row(1, 2, 3));
const busy = await createInferenceSession(countingNetwork());

switch (process.argv[2] ?? "") {
  case "live-sessions":
    break;
  case "pending-run":
    void busy.run(steps(LONG)).then(({ end }) => process.stdout.write(`counted ${String(end?.data[0])}`));
    break;
  case "exit-during-run":
    void busy.run(steps(ENDLESS));
    await untilRunning(busy);
    process.exit(7);
    break;
  case "exit-during-creation":
    void createInferenceSession(countingNetwork());
    process.exit(7);
    break;
  case "exception-during-run":
    void busy.run(steps(ENDLESS));
    await untilRunning(busy);
    setImmediate(() => {
      throw new Error("on purpose");
    });
    break;
}
