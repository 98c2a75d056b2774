#include "device_decode_work.h"

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "base/elements.h"
#include "lane_task.h"
#include "tensorrt_decode.h"

namespace im {
namespace {

constexpr std::uint32_t kMaximumOutputs = 64;

// Of the types that kernels read; none for others.
std::optional<napi_typedarray_type> ArrayTypeOf(int type) {
  if (type == kFloat32) return napi_float32_array;
  if (type == kFloat16) return napi_uint16_array;
  return std::nullopt;
}

}  // namespace

DecodeWork DecodeWork::Read(Napi::Object work) {
  const Napi::Env env = work.Env();
  DecodeWork result;
  const bool map = RequireOneOf(Field(work, "kind"), "work.kind", {"decode", "map"}) == 1;
  const Napi::Value request = Field(work, "request");
  result.job = map ? ReadMapJob(request) : ReadDetectionJob(request);
  const Napi::Value value = Field(work, "outputs");
  if (!value.IsArray()) ThrowArgument(env, "work.outputs", "an array of tensors", value);
  const Napi::Array outputs = value.As<Napi::Array>();
  if (outputs.Length() > kMaximumOutputs) ThrowInvalid(env, "work.outputs has more tensors than any head has.");
  for (std::uint32_t i = 0; i < outputs.Length(); ++i) {
    const std::string where = "work.outputs[" + std::to_string(i) + "]";
    const Napi::Object output = RequireObject(outputs.Get(i), where);
    trt::Tensor port;
    port.name = std::to_string(i);
    port.type = static_cast<int>(RequireInteger(Field(output, "type"), where + ".type", 0, 1000));
    port.shape = ReadDims(Field(output, "dims"), where + ".dims");
    const Napi::Value data = Field(output, "data");
    const Span<std::uint8_t> given = ReadTypedArray(data, where + ".data");
    if (data.As<Napi::TypedArray>().TypedArrayType() != ArrayTypeOf(port.type))
      ThrowArgument(env, where + ".data", "a Float32Array for type 1, or a Uint16Array for type 10", data);
    const std::optional<std::size_t> count = ElementCount(port.shape);
    if (!count || given.size / ElementSize(port.type) != *count) {
      ThrowInvalid(env, where + " has " + std::to_string(given.size) + " bytes, which are not those of " +
                            ElementName(port.type) + " " + trt::ShapeText(port.shape) + ".");
    }
    HostMemory copy(std::malloc(given.size == 0 ? 1 : given.size));
    if (copy == nullptr) ThrowStatus(env, {Code::kOutOfMemory, "arguments", "Not enough memory to copy " + where + "."});
    if (given.size > 0) std::memcpy(copy.get(), given.data, given.size);
    result.ports.push_back(std::move(port));
    result.data.push_back(std::move(copy));
    result.bytes.push_back(given.size);
  }
  return result;
}

Status DecodeBench::Prepare(const DecodeWork& work) {
  IM_RETURN_IF_ERROR(trt::CheckDecodeJob(work.job, work.ports));
  const cuda::Device& device = *resources_->device;
  std::vector<trt::DeviceOutput> outputs;
  for (std::size_t i = 0; i < work.ports.size(); ++i) {
    Result<cuda::DeviceBuffer> memory = resources_->memory->Allocate(work.bytes[i], stream_.get());
    if (!memory.ok()) return memory.status();
    Result<cuda::PinnedBuffer> staging = resources_->pinned->Allocate(work.bytes[i]);
    if (!staging.ok()) return staging.status();
    memory_.push_back(std::move(memory.value()));
    staging_.push_back(std::move(staging.value()));
    outputs.push_back({memory_.back().address(), work.ports[i].shape});
    if (work.bytes[i] == 0) continue;
    std::memcpy(staging_.back().data(), work.data[i].get(), work.bytes[i]);
    IM_RETURN_IF_ERROR(device.Check(
        device.table().cuMemcpyHtoDAsync_v2(memory_.back().address(), staging_.back().data(), work.bytes[i], stream_.get()),
        "cuMemcpyHtoDAsync"));
  }
  const Result<std::shared_ptr<const trt::DecodingKernels>> kernels = trt::DecodingKernels::Load(resources_->device);
  if (!kernels.ok()) return kernels.status();
  decoder_ = std::make_unique<trt::DeviceDecoder>(resources_, kernels.value(), stream_, std::make_shared<kernels::LargeBlocks>());
  IM_RETURN_IF_ERROR(stream_.Synchronize());
  return decoder_->Prepare(work.job, work.ports, outputs);
}

Result<std::vector<trt::Decoded>> DecodeBench::Decode() const {
  const Status enqueued = Enqueue();
  const Status waited = stream_.Synchronize();
  if (!enqueued.ok()) return enqueued;
  if (!waited.ok()) return waited;
  return decoder_->Results();
}

}  // namespace im
