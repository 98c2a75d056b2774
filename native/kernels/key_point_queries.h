// Queries with key points, on the device: the best pairs of query and class, whose scores depend on how certain their points are,
// and the points of those. Only what stays is sent to the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/resources.h"
#include "detection/key_points.h"
#include "kernels/device_parts.h"
#include "kernels/key_point_kernels.h"

namespace im::kernels {

// As detection::KeyPointQueriesHead, of several pictures: the logits of a query lie side by side, those of the queries one after
// the other.
struct DeviceKeyPointQueriesHead {
  std::size_t pictures = 0;
  std::size_t queries = 0;
  std::size_t classes = 0;
  std::size_t slots = 0;
  DeviceMatrix boxes;
  DeviceMatrix logits;
  DeviceMatrix points;  // a candidate is a point, with kNumbersAQueryPoint attributes: classes x slots of them for each query
  std::vector<std::int32_t> class_mapping;       // per class: the reported id, negative = dropped; dropped too beyond its end
  std::vector<detection::KeyPointScale> scales;  // one for each picture
};

// Memory for one batch at a time and the work on it in one stream, which must outlive it. One thread at a time.
class KeyPointQueriesDecoder {
 public:
  KeyPointQueriesDecoder(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const KeyPointKernels> kernels,
                         const cuda::Stream& stream)
      : resources_(std::move(resources)), kernels_(std::move(kernels)), stream_(stream) {}

  // Checks that every element lies within its memory. Work before must be done. What Enqueue puts into the stream depends on the
  // head and on `limit`; thresholds, class_mapping and scales lie in memory and may change from run to run of a captured graph.
  Status Prepare(const DeviceKeyPointQueriesHead& head, const detection::Thresholds& thresholds, std::size_t limit);
  // Into the stream, behind what makes the outputs. Needs nothing of the host in between, so it may be captured.
  Status Enqueue() const;
  // After the stream has been waited for: one entry per picture, as detection::DecodeKeyPointQueries makes it.
  std::vector<detection::Instances> Results() const;

 private:
  // What is uploaded comes first in the working memory.
  Status LayOut(const DeviceKeyPointQueriesHead& head, const detection::Thresholds& thresholds, std::size_t limit,
                KeyPointQueriesArguments& arguments);

  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const KeyPointKernels> kernels_;
  const cuda::Stream& stream_;
  cuda::PinnedBuffer uploaded_;
  cuda::DeviceBuffer working_;
  cuda::PinnedBuffer results_;
  KeyPointQueriesArguments arguments_;
  std::size_t pictures_ = 0;  // 0: nothing is prepared
  std::size_t upload_bytes_ = 0;
};

}  // namespace im::kernels
