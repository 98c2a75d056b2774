// Types and shapes as TensorRT tells them, in the words of this package.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensorrt/table.h"

namespace im::trt {

using Shape = std::vector<std::int64_t>;

// ONNX's number; 0 for types that have no array in JavaScript.
int OnnxType(DataType type);

// False when the library does not know the shape or says nonsense.
bool ReadShape(const Dims& dims, Shape& shape);
// At most kMaximumRank sizes.
Dims ToDims(const Shape& shape);

// "[-1, 3, 640, 640]".
std::string ShapeText(const Shape& shape);

}  // namespace im::trt
