// Key points of the instances that were found, on the device: copied out of the attributes of their candidates. Only those are
// sent to the host.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/resources.h"
#include "detection/key_points.h"
#include "kernels/detector.h"
#include "kernels/device_parts.h"
#include "kernels/key_point_kernels.h"

namespace im::kernels {

// For each candidate detection::kNumbersAPoint numbers for each of its slots.
struct DeviceKeyPointHead {
  DeviceMatrix attributes;
  std::size_t candidates = 0;
  std::size_t slots = 0;
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class KeyPointGatherer {
 public:
  KeyPointGatherer(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const KeyPointKernels> kernels,
                   const cuda::Stream& stream)
      : resources_(std::move(resources)), kernels_(std::move(kernels)), stream_(stream) {}

  // Checks that every element lies within its memory. Work before must be done. What Enqueue puts into the stream depends on head
  // and `found`, not on what is found.
  Status Prepare(const DeviceKeyPointHead& head, const DeviceFound& found);
  // Into the stream, behind what makes attributes and detections. Needs nothing of the host in between, so it may be captured.
  Status Enqueue() const;
  // After the stream has been waited for: one entry per picture, as detection::GatherKeyPoints makes it of the detections.
  std::vector<detection::KeyPoints> Results() const;

 private:
  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const KeyPointKernels> kernels_;
  const cuda::Stream& stream_;
  cuda::PinnedBuffer results_;
  KeyPointArguments arguments_;
  std::size_t pictures_ = 0;  // 0: nothing is prepared
};

}  // namespace im::kernels
