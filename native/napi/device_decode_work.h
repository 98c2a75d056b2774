// What the device is to make of the outputs of a network that the caller brings instead of a network: for comparing the kernels
// with the CPU, and for measuring them, without an engine.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "device_bench.h"
#include "tensor_values.h"
#include "tensorrt/device_decoder.h"

namespace im {

// NativeDecodeWork of src/native/addon.ts.
struct DecodeWork {
  // Holds nothing of JavaScript's. Throws for what is of the wrong kind.
  static DecodeWork Read(Napi::Object work);

  std::vector<trt::Tensor> ports;
  std::vector<HostMemory> data;  // as long as type and shape of its port say
  std::vector<std::size_t> bytes;
  trt::DecodeJob job;
};

// The decoder of one piece of work on a device that outlives it.
class DecodeBench {
 public:
  explicit DecodeBench(const DeviceBench& device) : resources_(device.resources), stream_(device.stream) {}
  ~DecodeBench() { (void)stream_.Synchronize(); }
  DecodeBench(const DecodeBench&) = delete;
  DecodeBench& operator=(const DecodeBench&) = delete;

  // Uploads the outputs and waits for it.
  Status Prepare(const DecodeWork& work);
  Status Enqueue() const { return decoder_->Enqueue(); }
  // What Enqueue makes of them, by picture.
  Result<std::vector<trt::Decoded>> Decode() const;

 private:
  const std::shared_ptr<const cuda::Resources>& resources_;
  const cuda::Stream& stream_;
  std::vector<cuda::PinnedBuffer> staging_;
  std::vector<cuda::DeviceBuffer> memory_;
  std::unique_ptr<trt::DeviceDecoder> decoder_;
};

}  // namespace im
