// What a decode job asks for, behind the network in one stream: boxes and what belongs to those that stay, or a map.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "kernels/detector.h"
#include "kernels/key_point_gatherer.h"
#include "kernels/key_point_queries.h"
#include "kernels/map_maker.h"
#include "kernels/mask_assembler.h"
#include "tensorrt/decode.h"
#include "tensorrt/engine.h"

namespace im::trt {

// An output as a run has it on the device.
struct DeviceOutput {
  cuda::DeviceAddress address = 0;  // 0: not known before the run
  Shape shape;
};

struct DecodingKernels {
  static Result<std::shared_ptr<const DecodingKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  std::shared_ptr<const kernels::DetectionKernels> detection;
  std::shared_ptr<const kernels::MaskKernels> masks;
  std::shared_ptr<const kernels::KeyPointKernels> key_points;
  std::shared_ptr<const kernels::MapKernels> maps;
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class DeviceDecoder {
 public:
  DeviceDecoder(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const DecodingKernels> kernels,
                const cuda::Stream& stream, std::shared_ptr<kernels::LargeBlocks> large_blocks)
      : kernels_(std::move(kernels)),
        detector_(resources, kernels_->detection, stream),
        key_point_queries_(resources, kernels_->key_points, stream),
        key_point_gatherer_(resources, kernels_->key_points, stream),
        mask_assembler_(resources, kernels_->masks, stream, large_blocks),
        map_maker_(std::move(resources), kernels_->maps, stream, std::move(large_blocks)) {}

  // `outputs` in the order of the engine's. Refuses what does not lie within them. Work before must be done. What a captured
  // graph holds of a job is KeyOf(job).
  Status Prepare(const DecodeJob& job, const std::vector<Tensor>& ports, const std::vector<DeviceOutput>& outputs);
  // Into the stream, behind what makes the outputs.
  Status Enqueue() const;
  // After the stream has been waited for: one entry per picture.
  std::vector<Decoded> Results() const;

 private:
  const std::shared_ptr<const DecodingKernels> kernels_;
  kernels::Detector detector_;
  kernels::KeyPointQueriesDecoder key_point_queries_;  // instead of the detector
  kernels::KeyPointGatherer key_point_gatherer_;
  kernels::MaskAssembler mask_assembler_;
  kernels::MapMaker map_maker_;
  bool decodes_key_point_queries_ = false;
  bool gathers_key_points_ = false;
  bool makes_masks_ = false;
  bool makes_map_ = false;  // and nothing else
};

}  // namespace im::trt
