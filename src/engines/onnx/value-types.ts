/**
 * Which element type the values of a graph have, as far as a pass needs it that changes some of them. What is not known is left alone.
 *
 * Operators: https://github.com/onnx/onnx/blob/main/docs/Operators.md
 */
import { words } from "./operators.js";
import {
  attributeOf,
  ATTRIBUTE,
  contents,
  GRAPH,
  graphsIn,
  integerOf,
  readFields,
  readValueInfo,
  TENSOR,
  type GraphNode,
} from "./proto.js";

export const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;

const COUNTS = words("Shape Size NonZero ArgMax ArgMin NonMaxSuppression");
const TRUTHS = words("Equal Less Greater LessOrEqual GreaterOrEqual And Or Not Xor IsNaN IsInf");
/** The first output has the type of the first input. */
const LIKE_FIRST = words(
  "Abs Add AveragePool BatchNormalization Ceil Celu Clip Concat Conv ConvTranspose Cos CumSum DepthToSpace Div Dropout Einsum Elu Erf Exp " +
    "Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool GridSample GroupNormalization HardSigmoid " +
    "HardSwish Hardmax Identity InstanceNormalization LRN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool Mean " +
    "MeanVarianceNormalization Min Mish Mod Mul Neg PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean " +
    "ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize RoiAlign Round Scatter ScatterElements ScatterND Selu Sigmoid Sign Sin " +
    "Slice Softmax Softplus Softsign SpaceToDepth Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample",
);
/** Every output has it. */
const ALL_LIKE_FIRST = words("Split");
const SECOND_OUTPUT: Readonly<Record<string, number>> = { TopK: INT64, MaxPool: INT64, Dropout: BOOL };

/** Of a tensor attribute; null without it. */
function tensorType(node: GraphNode, name: string): number | null {
  const [tensor] = contents(attributeOf(node, name) ?? [], ATTRIBUTE.tensor);
  return tensor === undefined ? null : integerOf(readFields(tensor), TENSOR.type);
}

function constantType(node: GraphNode): number | null {
  if (attributeOf(node, "value_float") !== null || attributeOf(node, "value_floats") !== null) return FLOAT;
  if (attributeOf(node, "value_int") !== null || attributeOf(node, "value_ints") !== null) return INT64;
  return tensorType(node, "value");
}

/** A branch says the types of its outputs itself. */
function branchType(node: GraphNode, index: number): number | null {
  const [branch] = graphsIn(node);
  const output = branch === undefined ? undefined : contents(branch, GRAPH.output)[index];
  const type = output === undefined ? 0 : readValueInfo(output).type;
  return type === 0 ? null : type;
}

/** ONNX's number of an output's element type, or null when it is not known. `typeOf` answers for values before this node. */
export function outputType(node: GraphNode, index: number, typeOf: (name: string | undefined) => number | null): number | null {
  const { op, domain, inputs } = node;
  if (domain !== "") return null;
  if (COUNTS.has(op)) return INT64;
  if (TRUTHS.has(op)) return BOOL;
  if (LIKE_FIRST.has(op)) return index === 0 ? typeOf(inputs[0]) : (SECOND_OUTPUT[op] ?? null);
  if (ALL_LIKE_FIRST.has(op)) return typeOf(inputs[0]);
  switch (op) {
    case "Cast":
      return integerOf(attributeOf(node, "to") ?? [], ATTRIBUTE.integer) || null;
    case "CastLike":
    case "Where":
      return typeOf(inputs[1]);
    case "DequantizeLinear":
      return typeOf(inputs[1]);
    case "OneHot":
      return typeOf(inputs[2]);
    case "Constant":
      return constantType(node);
    case "ConstantOfShape":
      return tensorType(node, "value") ?? FLOAT;
    case "If":
      return branchType(node, index);
    default:
      return null;
  }
}
