/** One picture, several pictures, and pixels of one's own. Run: npx tsx examples/predict.ts [picture ...] */
import { AutoModel } from "inference-models";

const pictures = process.argv.length > 2 ? process.argv.slice(2) : ["assets/images/astronaut.jpg"];

const model = await AutoModel.fromPretrained("mediapipe/face-detector");
try {
  if (model.task !== "keypoint-detection") throw new Error("This example expects key points.");

  // A list in, a list out, in the same order.
  for (const faces of await model.predict(pictures, { confidence: 0.6 })) {
    console.log(`${faces.image.source ?? "picture"}: ${faces.length} face(s)`);
    for (const { detection, points } of faces) {
      const nose = points.find(({ name }) => name === "nose");
      console.log(`  ${detection.confidence.toFixed(2)} at`, detection.box, "nose at", nose?.x, nose?.y);
    }
  }

  // Pixels, for example a video frame: nothing is decoded.
  const frame = { data: new Uint8Array(640 * 480 * 3), width: 640, height: 480, channels: 3, colorFormat: "bgr" } as const;
  const { length, timings } = await model.predict(frame, { signal: AbortSignal.timeout(5_000) });
  console.log(`black frame: ${length} face(s) in ${timings?.totalMs.toFixed(1) ?? "?"} ms`);
} finally {
  await model.close();
}
