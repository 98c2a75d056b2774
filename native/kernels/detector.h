// Boxes from the outputs of detection heads, on the device: thresholds, order, suppression of overlaps. Only what stays is
// downloaded.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "cuda/resources.h"
#include "detection/dense.h"
#include "kernels/detection_kernels.h"
#include "kernels/device_parts.h"

namespace im::kernels {

// As detection::DenseHead, of several pictures.
struct DeviceDenseHead {
  std::size_t pictures = 0;
  std::size_t candidates = 0;
  std::size_t classes = 0;
  DeviceMatrix boxes;
  detection::BoxFormat box_format = detection::BoxFormat::kCenterSize;
  DeviceMatrix priors;  // with kOffsets, those of all pictures
  detection::InputSize input_size;
  DeviceMatrix scores;
  DeviceMatrix objectness;  // unless kNone
  detection::ObjectnessUse objectness_use = detection::ObjectnessUse::kNone;
};

// As detection::QueriesHead, of several pictures: the logits of a query lie side by side, those of the queries one after the
// other.
struct DeviceQueriesHead {
  std::size_t pictures = 0;
  std::size_t queries = 0;
  std::size_t classes = 0;
  DeviceMatrix boxes;
  DeviceMatrix logits;
  std::vector<std::int32_t> class_mapping;  // per class: the reported id, negative = dropped; dropped too beyond its end
};

// As detection::RowsHead, of several pictures.
struct DeviceRowsHead {
  std::size_t pictures = 0;
  std::size_t count = 0;  // rows of each
  DeviceMatrix rows;      // at least 6 attributes
  bool inclusive = false;
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

  // Checks that every element lies within its memory. Work before must be done. What Enqueue puts into the stream depends on the
  // head and on `max_detections`; thresholds, class_mapping and the other limits lie in memory and may change from run to run of
  // a captured graph.
  Status Prepare(const DeviceDenseHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits);
  // Of the limits max_detections alone: nothing is suppressed.
  Status Prepare(const DeviceQueriesHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits);
  // Of the limits max_detections alone. What Enqueue puts into the stream depends on the number of thresholds, too.
  Status Prepare(const DeviceRowsHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits);
  // Into the stream, behind what makes the outputs. Needs nothing of the host in between, so it may be captured.
  Status Enqueue() const;
  // Of the head that is prepared, for work behind Enqueue's in the stream; nothing without one.
  DeviceFound found() const;
  // After the stream has been waited for: one entry per picture, as GatherDense and SelectBest, SelectQueries or FilterRows make
  // them.
  std::vector<detection::Detections> Results() const;

 private:
  class Memory;
  // Makes room, and lays out what is uploaded before the kernels.
  Status LayOut(const Memory& memory, const RunSettings& settings);

  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const DetectionKernels> kernels_;
  const cuda::Stream& stream_;
  cuda::PinnedBuffer uploaded_;
  cuda::DeviceBuffer working_;  // begins with what was uploaded
  cuda::DeviceBuffer results_;
  cuda::PinnedBuffer downloaded_;
  std::variant<std::monostate, DetectionArguments, QueriesArguments, RowsArguments> arguments_;
  std::size_t pictures_ = 0;
  std::size_t candidates_ = 0;  // or queries, or rows, per picture
  std::size_t limit_ = 0;       // per picture
  std::size_t upload_bytes_ = 0;
  std::size_t count_bytes_ = 0;
  std::size_t result_bytes_ = 0;
};

}  // namespace im::kernels
