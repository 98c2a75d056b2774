/** Loads engines and packages with the libraries that the environment names, and prints what became of each, and what the machine is. */
import { AutoModel, describeEnvironment, TensorRtEngine } from "../../../../src/index.js";

const { engines, packages } = JSON.parse(process.argv[2]!) as { readonly engines: readonly string[]; readonly packages: readonly string[] };

async function outcomeOf(opening: Promise<{ close(): Promise<void> }>): Promise<object | null> {
  try {
    await (await opening).close();
    return null;
  } catch (error) {
    return { ...(error as object), name: (error as Error).name, message: (error as Error).message, cause: undefined };
  }
}

const outcomes: (object | null)[] = [];
for (const path of engines) outcomes.push(await outcomeOf(TensorRtEngine.load(path)));
for (const path of packages) outcomes.push(await outcomeOf(AutoModel.fromPretrained(path, { device: "cuda:0" })));
const { nvidia } = await describeEnvironment();
process.stdout.write(JSON.stringify({ outcomes, nvidia }));
