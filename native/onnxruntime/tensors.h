// Values that go into and come out of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "onnxruntime/runtime.h"

namespace im::ort {

// Bytes of one element; 0 for strings, for types whose size is not a whole number of bytes, and for unknown numbers.
std::size_t ElementSize(int type);
// "float32", "float8e4m3fn", ...: for messages.
const char* ElementName(int type);
// Elements of a shape; nothing when a dimension is negative or the product does not fit.
std::optional<std::size_t> ElementCount(const std::vector<std::int64_t>& dims);

// A tensor over memory that the caller keeps alive and unchanged while the value exists.
Result<Owned<OrtValue>> WrapTensor(const Runtime& runtime, void* data, std::size_t bytes, const std::vector<std::int64_t>& dims, int type);
Result<Owned<OrtValue>> MakeStringTensor(const Runtime& runtime, const std::vector<std::string>& strings,
                                         const std::vector<std::int64_t>& dims);

// A tensor that a run made.
struct OutputTensor {
  Owned<OrtValue> value;
  int type = 0;
  std::vector<std::int64_t> dims;
  void* data = nullptr;  // in `value`; null for strings
  std::size_t bytes = 0;
  std::vector<std::string> strings;
};
// Fails for values that are no tensors and for element types without a size. `name` is for the message.
Result<OutputTensor> ReadTensor(const Runtime& runtime, Owned<OrtValue> value, const std::string& name);

}  // namespace im::ort
