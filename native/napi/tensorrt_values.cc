#include "tensorrt_values.h"

#include <fstream>

namespace im {
namespace {

Napi::Array DescribeShape(Napi::Env env, const trt::Shape& shape) {
  Napi::Array dims = Napi::Array::New(env, shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    if (shape[i] < 0) dims.Set(index, "");
    else dims.Set(index, static_cast<double>(shape[i]));
  }
  return dims;
}

}  // namespace

Napi::Array DescribePorts(Napi::Env env, const std::vector<trt::Tensor>& tensors) {
  Napi::Array ports = Napi::Array::New(env, tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Napi::Object port = Napi::Object::New(env);
    port.Set("name", tensors[i].name);
    port.Set("type", tensors[i].type);
    port.Set("dims", DescribeShape(env, tensors[i].shape));
    Napi::Array profiles = Napi::Array::New(env, tensors[i].profiles.size());
    for (std::size_t p = 0; p < tensors[i].profiles.size(); ++p) {
      Napi::Object profile = Napi::Object::New(env);
      profile.Set("minimum", DescribeShape(env, tensors[i].profiles[p].minimum));
      profile.Set("optimum", DescribeShape(env, tensors[i].profiles[p].optimum));
      profile.Set("maximum", DescribeShape(env, tensors[i].profiles[p].maximum));
      profiles.Set(static_cast<std::uint32_t>(p), profile);
    }
    port.Set("profiles", profiles);
    ports.Set(static_cast<std::uint32_t>(i), port);
  }
  return ports;
}

const char* CompatibilityName(trt::HardwareCompatibility level) {
  switch (level) {
    case trt::HardwareCompatibility::kNone: return "none";
    case trt::HardwareCompatibility::kAmperePlus: return "ampere-plus";
    case trt::HardwareCompatibility::kSameComputeCapability: return "same-compute-capability";
  }
  return "none";
}

Result<FileBytes> ReadFile(const std::string& path, const std::string& what, const char* stage) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  // Folders open, and have a size that no file has.
  if (size < 0 || size > (std::streamoff{1} << 40)) {
    return Status(Code::kTensorRt, stage, "The " + what + " " + path + " cannot be read. Check that it exists and may be read.");
  }
  FileBytes bytes{HostMemory(std::malloc(size == 0 ? 1 : static_cast<std::size_t>(size))), static_cast<std::size_t>(size)};
  if (bytes.memory == nullptr)
    return Status(Code::kOutOfMemory, stage, "Not enough memory to read the " + what + " " + path + ".");
  file.seekg(0);
  if (size > 0 && !file.read(static_cast<char*>(bytes.memory.get()), size)) {
    return Status(Code::kTensorRt, stage, "The " + what + " " + path + " could not be read to its end.");
  }
  return bytes;
}

}  // namespace im
