// Masks of the instances that were found, on the device: from prototypes and coefficients, or from a plane for each instance, to
// runs in the picture. Only runs are downloaded, and no more than there are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/module.h"
#include "cuda/resources.h"
#include "kernels/detector.h"
#include "kernels/device_parts.h"
#include "kernels/mask_job.h"
#include "masks/placement.h"
#include "masks/runs.h"

namespace im::kernels {

// Apart from the contents of memory, all that a launch depends on.
struct MaskLaunch {
  MaskArguments arguments{};
  std::size_t upload_bytes = 0;
  unsigned pictures = 0;
  unsigned instance_blocks = 0;
  unsigned cell_blocks = 0;
  unsigned groups = 0;
  bool half_planes = false;

  bool operator==(const MaskLaunch& other) const;
};

class MaskKernels {
 public:
  static Result<std::shared_ptr<const MaskKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  // All of one batch: seven.
  Status Launch(const MaskLaunch& launch, const cuda::Stream& stream) const;

 private:
  explicit MaskKernels(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  std::array<cuda::FunctionObject*, 8> functions_{};
};

// As masks::MaskHead, for a batch.
struct DeviceMaskHead {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 0;                  // at most kMaskChannels; or, without coefficients, any number of planes
  DeviceMatrix planes;                       // cells (y * width + x) by channels
  std::optional<DeviceMatrix> coefficients;  // candidates by channels; none: the candidate is its plane
  std::size_t candidates = 0;                // rows of the coefficients
  bool sigmoid = false;
};

// Masks end at their boxes, whose corners are multiplied by `box_scale` (cells per unit of the boxes).
struct MaskCut {
  float box_scale = 1.0f;
};

// How much memory the masks of a batch may take, whatever they turn out to be. What needs less is given less.
struct MaskBudget {
  std::size_t cells = std::size_t{1} << 24;    // 4 bytes each: 650 masks of 160 x 160
  std::size_t columns = std::size_t{1} << 22;  // 4 bytes each, in whole tiles of 128: 1000 masks as wide as 4000 pixels
  std::size_t runs = std::size_t{1} << 22;     // 4 bytes each on the device, and 4 on the host
};

// Of one picture, as masks::DecodeMasks makes them. `complete` is false when the budget was too small for them: there are no
// masks then, and the CPU has to make them.
struct PictureMasks {
  bool complete = false;
  masks::MaskRuns masks;
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class MaskAssembler {
 public:
  MaskAssembler(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const MaskKernels> kernels,
                const cuda::Stream& stream, std::shared_ptr<LargeBlocks> shared = std::make_shared<LargeBlocks>())
      : resources_(std::move(resources)), kernels_(std::move(kernels)), stream_(stream), shared_(std::move(shared)) {}

  // One target for each picture. Checks that every element lies within its memory. Work before must be done.
  Status Prepare(const DeviceMaskHead& head, const DeviceFound& found, const std::optional<MaskCut>& cut,
                 const std::vector<masks::MaskTarget>& targets, const MaskBudget& budget = {});
  // Into the stream, behind what makes planes and detections. Needs nothing of the host in between, so it may be captured; what
  // was captured stays good for as long as launch() is the same, whatever else was prepared.
  Status Enqueue() const;
  const MaskLaunch& launch() const { return launch_; }
  // After the stream has been waited for: one entry per picture, masks in the order of the detections.
  std::vector<PictureMasks> Results() const;

 private:
  Status CheckAndDescribe(const DeviceMaskHead& head, const DeviceFound& found, const std::vector<masks::MaskTarget>& targets,
                          MaskJob& job, MaskArguments& arguments) const;

  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const MaskKernels> kernels_;
  const cuda::Stream& stream_;
  const std::shared_ptr<LargeBlocks> shared_;
  cuda::PinnedBuffer staging_;
  cuda::DeviceBuffer job_memory_;
  LargeBlocks memory_;
  MaskJob job_{};
  MaskLaunch launch_;
};

}  // namespace im::kernels
