// Boxes from the outputs of dense heads, on the device: thresholds, order, suppression of overlaps. Only what stays is
// downloaded.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/module.h"
#include "cuda/resources.h"
#include "detection/dense.h"
#include "kernels/detection_body.h"
#include "kernels/device_parts.h"

namespace im::kernels {

class DetectionKernels {
 public:
  static Result<std::shared_ptr<const DetectionKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  // All three launches; `arguments` holds addresses of the device.
  Status Launch(const DetectionArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;

 private:
  explicit DetectionKernels(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  cuda::FunctionObject* gather_ = nullptr;
  cuda::FunctionObject* rank_ = nullptr;
  cuda::FunctionObject* suppress_ = nullptr;
};

struct DeviceDenseHead {
  std::size_t pictures = 0;
  std::size_t candidates = 0;
  std::size_t classes = 0;
  DeviceMatrix boxes;
  detection::BoxFormat box_format = detection::BoxFormat::kCenterSize;
  DeviceMatrix scores;
  DeviceMatrix objectness;  // unless kNone
  detection::ObjectnessUse objectness_use = detection::ObjectnessUse::kNone;
};

// What was found, where it stays on the device.
struct DeviceFound {
  cuda::DeviceAddress found = 0;   // Found, `limit` for each picture, of which so many are filled as `counts` says
  std::size_t length = 0;          // Found from there on
  cuda::DeviceAddress counts = 0;  // int32, one for each picture
  std::size_t pictures = 0;
  std::size_t limit = 0;
  std::size_t candidates = 0;  // greater than any Found::candidate
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class Detector {
 public:
  Detector(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const DetectionKernels> kernels,
           const cuda::Stream& stream)
      : resources_(std::move(resources)), kernels_(std::move(kernels)), stream_(stream) {}

  // Checks that every element lies within its memory. Work before must be done.
  Status Prepare(const DeviceDenseHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits);
  // Into the stream, behind what makes the outputs. Needs nothing of the host in between, so it may be captured.
  Status Enqueue() const;
  // Of the head that is prepared, for work behind Enqueue's in the stream.
  DeviceFound found() const;
  // After the stream has been waited for: one entry per picture, as GatherDense and SelectBest make them.
  std::vector<detection::Detections> Results() const;

 private:
  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const DetectionKernels> kernels_;
  const cuda::Stream& stream_;
  cuda::DeviceBuffer working_;
  cuda::DeviceBuffer results_;
  cuda::PinnedBuffer thresholds_;
  cuda::PinnedBuffer downloaded_;
  DetectionArguments arguments_;
  std::size_t pictures_ = 0;
  std::size_t count_bytes_ = 0;
  std::size_t result_bytes_ = 0;
};

}  // namespace im::kernels
