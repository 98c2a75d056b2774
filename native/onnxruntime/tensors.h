// Values that go into and come out of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/elements.h"
#include "base/status.h"
#include "onnxruntime/runtime.h"

namespace im::ort {

using im::ElementCount;
using im::ElementName;
using im::ElementSize;

// A tensor over memory that the caller keeps alive and unchanged while the value exists.
Result<Owned<OrtValue>> WrapTensor(const Runtime& runtime, void* data, std::size_t bytes, const std::vector<std::int64_t>& dims,
                                   int type);
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
