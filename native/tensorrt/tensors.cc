#include "tensors.h"

namespace im::trt {

int OnnxType(DataType type) {
  switch (type) {
    case DataType::kFloat: return 1;
    case DataType::kUint8: return 2;
    case DataType::kInt8: return 3;
    case DataType::kInt32: return 6;
    case DataType::kInt64: return 7;
    case DataType::kBool: return 9;
    case DataType::kHalf: return 10;
    case DataType::kBfloat16: return 16;
    default: return 0;
  }
}

bool ReadShape(const Dims& dims, Shape& shape) {
  if (dims.rank < 0 || dims.rank > kMaximumRank) return false;
  shape.assign(dims.sizes, dims.sizes + dims.rank);
  return true;
}

Dims ToDims(const Shape& shape) {
  Dims dims;
  dims.rank = static_cast<std::int32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) dims.sizes[i] = shape[i];
  return dims;
}

std::string ShapeText(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

}  // namespace im::trt
