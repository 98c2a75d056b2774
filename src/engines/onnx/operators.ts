/** Groups of ONNX's own operators. */
import type { GraphNode } from "./proto.js";

export const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const HEAVY = words("Conv ConvTranspose Gemm MatMul");

/** Convolutions and matrix products: nearly all of what a network computes, and what TensorRT measures many implementations for. */
export const isHeavy = ({ op, domain }: GraphNode): boolean => domain === "" && HEAVY.has(op);
