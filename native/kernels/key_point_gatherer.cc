#include "kernels/key_point_gatherer.h"

#include <algorithm>
#include <limits>
#include <string>

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
// So that every index of a picture fits 31 bits.
constexpr std::size_t kMaximumNumbers = std::size_t{1} << 30;
// The second dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;

bool LiesWithin(const DeviceFound& found) {
  return found.pictures > 0 && found.pictures <= kMaximumPictures && found.limit <= found.length / found.pictures &&
         found.found % alignof(Found) == 0 && found.counts % sizeof(std::int32_t) == 0;
}

}  // namespace

Status KeyPointGatherer::Prepare(const DeviceKeyPointHead& head, const DeviceFound& found) {
  pictures_ = 0;  // until all of it has succeeded
  if (!LiesWithin(found) || found.candidates > head.candidates) {
    return InvalidArgument(kStage, std::to_string(found.limit) + " instances of " + std::to_string(found.pictures) +
                                       " pictures do not lie within " + std::to_string(found.length) + ", or are of more than " +
                                       std::to_string(head.candidates) + " candidates.");
  }
  if (head.slots == 0 || head.slots > kMaximumNumbers / detection::kNumbersAPoint || head.candidates > kMaximumNumbers ||
      (found.limit > 0 && head.slots * detection::kNumbersAPoint > kMaximumNumbers / found.limit)) {
    return InvalidArgument(kStage, std::to_string(head.slots) + " key points for each of " + std::to_string(found.limit) +
                                       " instances cannot be taken on the device.");
  }
  const std::size_t numbers = head.slots * detection::kNumbersAPoint;
  const Result<BatchMatrix> attributes = ViewOnDevice(head.attributes, found.pictures, head.candidates, numbers, "key points");
  if (!attributes.ok()) return attributes.status();

  Parts results;
  const std::size_t counts = results.Take(found.pictures * sizeof(std::uint32_t));
  const std::size_t points = results.Take(found.pictures * found.limit * numbers * sizeof(float));
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, results_, results.total()));
  // Pinned memory has the same address on the device: every driver of 64 bits has one address space for both.
  auto* bytes = static_cast<unsigned char*>(results_.data());
  arguments_.attributes = attributes.value();
  arguments_.found = DevicePointer<const Found>(found.found);
  arguments_.found_count = DevicePointer<const std::int32_t>(found.counts);
  arguments_.points = reinterpret_cast<float*>(bytes + points);
  arguments_.counts = reinterpret_cast<std::uint32_t*>(bytes + counts);
  arguments_.candidates = static_cast<std::int32_t>(head.candidates);
  arguments_.limit = static_cast<std::int32_t>(found.limit);
  arguments_.numbers = static_cast<std::uint32_t>(numbers);
  pictures_ = found.pictures;
  return {};
}

Status KeyPointGatherer::Enqueue() const {
  if (pictures_ == 0) return InvalidArgument(kStage, "There are no key points to take.");
  return kernels_->Launch(arguments_, static_cast<unsigned>(pictures_), stream_);
}

std::vector<detection::KeyPoints> KeyPointGatherer::Results() const {
  std::vector<detection::KeyPoints> results(pictures_);
  const auto limit = static_cast<std::size_t>(arguments_.limit);
  for (std::size_t picture = 0; picture < pictures_; ++picture) {
    const std::size_t count = std::min<std::size_t>(arguments_.counts[picture], limit);
    const float* points = arguments_.points + picture * limit * arguments_.numbers;
    const float* end = points + count * arguments_.numbers;
    detection::KeyPoints& key_points = results[picture];
    for (; points != end; points += detection::kNumbersAPoint) {
      key_points.positions.insert(key_points.positions.end(), {points[0], points[1]});
      key_points.confidence.push_back(points[2]);
    }
  }
  return results;
}

}  // namespace im::kernels
