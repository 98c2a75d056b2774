#include "tensors.h"

#include <iterator>
#include <limits>

namespace im::ort {
namespace {

constexpr char kRunStage[] = "onnxruntime.run";

struct ElementDescription {
  const char* name;
  std::size_t size;
};
// By number. Complex numbers have a size, but nothing in JavaScript to hold them.
constexpr ElementDescription kElements[] = {
    {"undefined", 0},   {"float32", 4},      {"uint8", 1},          {"int8", 1},       {"uint16", 2},         {"int16", 2}, {"int32", 4},
    {"int64", 8},       {"string", 0},       {"bool", 1},           {"float16", 2},    {"float64", 8},        {"uint32", 4}, {"uint64", 8},
    {"complex64", 0},   {"complex128", 0},   {"bfloat16", 2},       {"float8e4m3fn", 0}, {"float8e4m3fnuz", 0}, {"float8e5m2", 0},
    {"float8e5m2fnuz", 0}, {"uint4", 0},     {"int4", 0},           {"float4e2m1", 0}, {"uint2", 0},          {"int2", 0},
};
constexpr ElementDescription kUnknown = {"unknown", 0};

const ElementDescription& Describe(int type) {
  return type >= 0 && type < static_cast<int>(std::size(kElements)) ? kElements[type] : kUnknown;
}

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

std::size_t ElementSize(int type) { return Describe(type).size; }
const char* ElementName(int type) { return Describe(type).name; }

std::optional<std::size_t> ElementCount(const std::vector<std::int64_t>& dims) {
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : dims) {
    if (size < 0) return std::nullopt;
    if (size == 0) empty = true;
    else if (count > std::numeric_limits<std::uint64_t>::max() / 16 / static_cast<std::uint64_t>(size)) return std::nullopt;
    else count *= static_cast<std::uint64_t>(size);
  }
  if (empty) return 0;
  if (count > std::numeric_limits<std::size_t>::max() / 16) return std::nullopt;
  return static_cast<std::size_t>(count);
}

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
    return Status(Code::kRuntime, kRunStage, "Output \"" + name + "\" is not a tensor or has no value; only tensors can be read.");
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
