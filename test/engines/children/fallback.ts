/** The engine without the addon; prints what happened. Runs with INFERENCE_MODELS_NATIVE=off. */
import { createInferenceSession, onnxRuntimeInfo } from "../../../src/engines/index.js";
import { InferenceModelsError } from "../../../src/errors.js";
import { doublingNetwork, identityNetwork, row, tensor } from "../networks.js";

const warnings: (string | undefined)[] = [];
process.on("warning", (warning: Error & { code?: string }) => warnings.push(warning.code));
const codeOf = (error: unknown): string => (InferenceModelsError.is(error) ? error.code : String(error));

const info = onnxRuntimeInfo();
const session = await createInferenceSession(doublingNetwork(), { queueLimit: 3 });
const half = await createInferenceSession(identityNetwork("float16"));
const stop = new AbortController();

const answers = [session.run(row(1, 2, 3)), session.run(row(4, 5, 6))];
const aborted = session.run(row(7, 8, 9), { signal: stop.signal }).catch(String);
const fourth = session.run(row(10, 11, 12));
const refused = session.run(row(1, 2, 3)).catch(codeOf);
stop.abort("stopped");
const closing = session.close();

process.stdout.write(
  JSON.stringify({
    engine: [session.engine, info.available && info.engine, info.available && info.availableProviders.includes("cpu")],
    inputs: session.inputs,
    metadata: session.metadata,
    answers: (await Promise.all([...answers, fourth])).map(({ y }) => [...(y!.data as Float32Array)]),
    aborted: await aborted,
    refused: await refused,
    closed: await closing.then(() => session.run(row(1, 2, 3))).catch(codeOf),
    half: [...((await half.run({ x: tensor("float16", [2], Uint16Array.of(1, 0x7bff)) }))["y"]!.data as Uint16Array)],
    wrong: await half.run({ x: tensor("float32", [1], new Float32Array(1)) }).catch(codeOf),
    damaged: await createInferenceSession(Uint8Array.of(1, 2, 3)).catch(codeOf),
    provider: await createInferenceSession(doublingNetwork(), { executionProviders: ["qnn"] }).catch(codeOf),
    passedOver: await createInferenceSession(doublingNetwork(), { executionProviders: ["qnn", "cpu"] }).then(
      (made) => made.executionProviders,
    ),
    statistics: session.statistics(),
    warnings: warnings.filter((code) => code === "INFERENCE_MODELS_BLOCKING_RUNTIME").length,
  }),
);
