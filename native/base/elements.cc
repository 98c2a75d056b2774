#include "elements.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace im {
namespace {

struct ElementDescription {
  const char* name;
  std::size_t size;
};
// By number. Complex numbers have a size, but nothing in JavaScript to hold them.
constexpr ElementDescription kElements[] = {
    {"undefined", 0},      {"float32", 4},    {"uint8", 1},          {"int8", 1},       {"uint16", 2},   {"int16", 2},
    {"int32", 4},          {"int64", 8},      {"string", 0},         {"bool", 1},       {"float16", 2},  {"float64", 8},
    {"uint32", 4},         {"uint64", 8},     {"complex64", 0},      {"complex128", 0}, {"bfloat16", 2}, {"float8e4m3fn", 0},
    {"float8e4m3fnuz", 0}, {"float8e5m2", 0}, {"float8e5m2fnuz", 0}, {"uint4", 0},      {"int4", 0},     {"float4e2m1", 0},
    {"uint2", 0},          {"int2", 0},
};
constexpr ElementDescription kUnknown = {"unknown", 0};

const ElementDescription& Describe(int type) {
  return type >= 0 && type < static_cast<int>(std::size(kElements)) ? kElements[type] : kUnknown;
}

}  // namespace

std::size_t ElementSize(int type) { return Describe(type).size; }
const char* ElementName(int type) { return Describe(type).name; }

std::optional<std::size_t> ElementCount(const std::vector<std::int64_t>& dims) {
  if (std::any_of(dims.begin(), dims.end(), [](std::int64_t size) { return size < 0; })) return std::nullopt;
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  // Room for the largest element, so that the number of bytes fits too.
  constexpr std::size_t kLimit = std::numeric_limits<std::size_t>::max() / 16;
  std::size_t count = 1;
  for (const std::int64_t size : dims) {
    if (static_cast<std::uint64_t>(size) > kLimit / count) return std::nullopt;
    count *= static_cast<std::size_t>(size);
  }
  return count;
}

}  // namespace im
