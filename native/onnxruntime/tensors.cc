#include "tensors.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace im::ort {
namespace {

constexpr char kRunStage[] = "onnxruntime.run";

Result<std::vector<std::string>> ReadStrings(const Runtime& runtime, const OrtValue* value, std::size_t count) {
  const Table& table = runtime.table();
  std::size_t bytes = 0;
  IM_RETURN_IF_ERROR(runtime.Check(table.GetStringTensorDataLength(value, &bytes), kRunStage));
  std::string text(bytes, '\0');
  std::vector<std::size_t> offsets(count);
  IM_RETURN_IF_ERROR(runtime.Check(table.GetStringTensorContent(value, text.data(), bytes, offsets.data(), count), kRunStage));
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? offsets[i + 1] : bytes;
    strings.push_back(text.substr(offsets[i], end - offsets[i]));
  }
  return strings;
}

}  // namespace

Result<Owned<OrtValue>> WrapTensor(const Runtime& runtime, void* data, std::size_t bytes, const std::vector<std::int64_t>& dims,
                                   int type) {
  OrtValue* value = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(
      runtime.table().CreateTensorWithDataAsOrtValue(runtime.cpu_memory(), data, bytes, dims.data(), dims.size(), type, &value),
      kRunStage));
  return Owned<OrtValue>(value);
}

Result<Owned<OrtValue>> MakeStringTensor(const Runtime& runtime, const std::vector<std::string>& strings,
                                         const std::vector<std::int64_t>& dims) {
  OrtValue* raw = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(
      runtime.table().CreateTensorAsOrtValue(runtime.allocator(), dims.data(), dims.size(), kElementString, &raw), kRunStage));
  Owned<OrtValue> value(raw);
  std::vector<const char*> pointers;
  pointers.reserve(strings.size());
  for (const std::string& text : strings) pointers.push_back(text.c_str());
  IM_RETURN_IF_ERROR(runtime.Check(runtime.table().FillStringTensor(raw, pointers.data(), pointers.size()), kRunStage));
  return value;
}

Result<OutputTensor> ReadTensor(const Runtime& runtime, Owned<OrtValue> value, const std::string& name) {
  const Table& table = runtime.table();
  int kind = kKindUnknown;
  int present = value == nullptr ? 0 : 1;
  if (value != nullptr) IM_RETURN_IF_ERROR(runtime.Check(table.GetValueType(value.get(), &kind), kRunStage));
  if (kind == kKindOptional) IM_RETURN_IF_ERROR(runtime.Check(table.HasValue(value.get(), &present), kRunStage));
  if (kind != kKindTensor || present == 0) {
    return Status(Code::kRuntime, kRunStage,
                  "Output \"" + name + "\" is not a tensor or has no value; only tensors can be read.");
  }

  OutputTensor tensor;
  OrtTensorTypeAndShapeInfo* raw_info = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(table.GetTensorTypeAndShape(value.get(), &raw_info), kRunStage));
  const Owned<OrtTensorTypeAndShapeInfo> info(raw_info);
  IM_RETURN_IF_ERROR(runtime.Check(table.GetTensorElementType(raw_info, &tensor.type), kRunStage));
  std::size_t rank = 0;
  IM_RETURN_IF_ERROR(runtime.Check(table.GetDimensionsCount(raw_info, &rank), kRunStage));
  tensor.dims.resize(rank);
  IM_RETURN_IF_ERROR(runtime.Check(table.GetDimensions(raw_info, tensor.dims.data(), rank), kRunStage));

  const std::optional<std::size_t> count = ElementCount(tensor.dims);
  const std::size_t size = ElementSize(tensor.type);
  if (!count || (size == 0 && tensor.type != kElementString)) {
    return Status(Code::kRuntime, kRunStage,
                  "Output \"" + name + "\" has elements of type " + ElementName(tensor.type) + ", which cannot be read.");
  }
  if (tensor.type == kElementString) {
    Result<std::vector<std::string>> strings = ReadStrings(runtime, value.get(), *count);
    if (!strings.ok()) return strings.status();
    tensor.strings = std::move(strings.value());
  } else {
    tensor.bytes = *count * size;
    IM_RETURN_IF_ERROR(runtime.Check(table.GetTensorMutableData(value.get(), &tensor.data), kRunStage));
  }
  tensor.value = std::move(value);
  return tensor;
}

}  // namespace im::ort
