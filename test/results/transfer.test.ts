import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { createDetections, fromTransferable, toTransferable } from "../../src/results/index.js";
import type { ResultDataOf } from "../../src/results/index.js";
import { columns, detections, keyPoints } from "./support.js";

function send<Data>(data: Data, transferList: ArrayBuffer[]): Data {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(data, transferList);
  const received = receiveMessageOnPort(port2) as { readonly message: Data };
  port1.close();
  return received.message;
}

describe("results across a worker's border", () => {
  it("arrive with their methods, and the columns change owner", () => {
    const original = detections();
    const expected = original.toJSON();
    const { data, transferList } = toTransferable(original);
    const arrived = fromTransferable(send<ResultDataOf<"detections">>(data, transferList));
    expect(arrived.toJSON()).toEqual(expected);
    expect(original.xyxy.byteLength).toBe(0);
  });

  it("hold for key points and their boxes alike", () => {
    const expected = keyPoints().toJSON();
    const { data, transferList } = toTransferable(keyPoints());
    expect(transferList).toHaveLength(5);
    expect(fromTransferable(send<ResultDataOf<"key-points">>(data, transferList)).toJSON()).toEqual(expected);
  });

  it("do not take along a larger buffer that a column is a view of", () => {
    const shared = new Float32Array(1000);
    const result = createDetections({ ...columns(), confidence: shared.subarray(10, 13) });
    const { data, transferList } = toTransferable(result);
    send<ResultDataOf<"detections">>(data, transferList);
    expect(shared).toHaveLength(1000);
  });
});
