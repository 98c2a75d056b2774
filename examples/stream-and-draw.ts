/** Every picture of a folder through one model, drawn into another folder. Run: npx tsx examples/stream-and-draw.ts [folder] [target] */
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { AutoModel } from "inference-models";
import { saveAnnotated } from "inference-models/drawing";

const [folder = "assets/images", target = "demo-output"] = process.argv.slice(2);
const pictures = (await readdir(folder)).filter((file) => [".jpg", ".jpeg", ".png", ".webp"].includes(extname(file).toLowerCase())).sort();

const model = await AutoModel.fromPretrained("mediapipe/face-detector");
try {
  let index = 0;
  // The stream takes the next picture only when there is room for it: a folder of any size needs the memory of a few pictures.
  for await (const result of model.stream(pictures.map((file) => join(folder, file)))) {
    const name = pictures[index++] ?? "picture.png";
    await saveAnnotated(join(target, name), join(folder, name), result);
    if ("length" in result) console.log(`${name}: ${result.length} found`);
  }
} finally {
  await model.close();
}
