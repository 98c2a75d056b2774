// Maps of a network, where it left them on the device, to a class or a value for every pixel of each picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/module.h"
#include "cuda/resources.h"
#include "image/antialias.h"
#include "kernels/device_parts.h"
#include "kernels/map_body.h"
#include "maps/class_map.h"

namespace im::kernels {

class MapKernels {
 public:
  static Result<std::shared_ptr<const MapKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  // `pixels`: of the largest picture. Classes where the arguments have ids, else values.
  Status Launch(const MapArguments& arguments, unsigned pixels, unsigned pictures, const cuda::Stream& stream) const;

 private:
  explicit MapKernels(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  cuda::FunctionObject* classes_ = nullptr;
  cuda::FunctionObject* values_ = nullptr;
};

// As maps::DenseMap, for a batch.
struct DeviceMap {
  std::size_t channels = 0;
  std::size_t width = 0;
  std::size_t height = 0;
  DeviceMatrix planes;  // cells (y * width + x) by channels
};

// Pixels of all pictures of a batch: 168 MB of classes and confidences on the device, and as much pinned.
constexpr std::size_t kMaximumMapPixels = std::size_t{1} << 25;

// Of one picture, as maps::MakeClassMap makes them (of the ids the one or the other), or the values of maps::MakeValueMap.
struct PictureMap {
  std::vector<float> values;
  std::vector<std::uint8_t> ids;
  std::vector<std::uint16_t> wide_ids;
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class MapMaker {
 public:
  // `shared`: as for MaskAssembler.
  MapMaker(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const MapKernels> kernels,
           const cuda::Stream& stream, std::shared_ptr<LargeBlocks> shared = std::make_shared<LargeBlocks>())
      : resources_(std::move(resources)), kernels_(std::move(kernels)), stream_(stream), shared_(std::move(shared)) {}

  // One placement for each picture. Checks that every element lies within its memory. Work before must be done. A captured
  // graph holds the placements and whether an id is above 255; everything else of the settings lies in memory.
  Status Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements, const maps::ClassMapSettings& settings);
  Status Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements, Kernel kernel);
  // Into the stream, behind what makes the planes. Needs nothing of the host in between, so it may be captured.
  Status Enqueue() const;
  // After the stream has been waited for: one for each picture.
  std::vector<PictureMap> Results() const;

 private:
  enum class Ids { kNone, kNarrow, kWide };
  Status Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements, const maps::ClassMapSettings& settings,
                 Kernel kernel, Ids ids);

  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const MapKernels> kernels_;
  const cuda::Stream& stream_;
  const std::shared_ptr<LargeBlocks> shared_;
  cuda::PinnedBuffer staging_;
  cuda::DeviceBuffer job_memory_;
  LargeBlocks memory_;
  MapArguments arguments_;
  Ids ids_ = Ids::kNone;
  std::vector<std::size_t> pixels_;  // by picture
  std::size_t upload_bytes_ = 0;
  std::size_t ids_offset_ = 0;  // in the results
  std::size_t result_bytes_ = 0;
};

}  // namespace im::kernels
