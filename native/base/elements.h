// Elements of tensors, by the numbers that ONNX gives their types: the addon's interface speaks them for every engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace im {

constexpr int kFloat32 = 1;
constexpr int kFloat16 = 10;

// Bytes of one element; 0 for strings, for types whose size is not a whole number of bytes, and for unknown numbers.
std::size_t ElementSize(int type);
// "float32", "float8e4m3fn", ...: for messages.
const char* ElementName(int type);
// Elements of a shape; nothing when a dimension is negative or the product does not fit.
std::optional<std::size_t> ElementCount(const std::vector<std::int64_t>& dims);

}  // namespace im
