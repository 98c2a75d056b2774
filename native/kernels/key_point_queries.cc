#include "kernels/key_point_queries.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
// So that every index of a picture fits 31 bits, and all of them 40.
constexpr std::size_t kMaximumPoints = std::size_t{1} << 24;
// The second dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;

bool IsPossible(const DeviceKeyPointQueriesHead& head) {
  const auto fits = [](std::size_t count, std::size_t others) { return count > 0 && count <= kMaximumPoints / others; };
  return head.pictures > 0 && head.pictures <= kMaximumPictures && fits(head.queries, 1) && fits(head.classes, head.queries) &&
         fits(head.slots, head.queries * head.classes) && head.scales.size() == head.pictures;
}

}  // namespace

Status KeyPointQueriesDecoder::LayOut(const DeviceKeyPointQueriesHead& head, const detection::Thresholds& thresholds,
                                      std::size_t limit, KeyPointQueriesArguments& arguments) {
  const std::size_t pairs = head.queries * head.classes;
  Parts working;
  const std::size_t class_ids = working.Take(head.classes * sizeof(std::int32_t));
  const std::size_t values = working.Take(head.classes * sizeof(float));
  const std::size_t scales = working.Take(head.pictures * sizeof(detection::KeyPointScale));
  const std::size_t gathered = working.Take(head.pictures * sizeof(std::uint32_t));
  upload_bytes_ = working.total();
  const std::size_t shares = working.Take(head.pictures * pairs * head.slots * sizeof(detection::PointShare));
  const std::size_t keys = working.Take(head.pictures * pairs * sizeof(std::uint64_t));
  const std::size_t scores = working.Take(head.pictures * pairs * sizeof(float));
  const std::size_t placed = working.Take(head.pictures * limit * sizeof(std::int32_t));
  const std::size_t placed_scores = working.Take(head.pictures * limit * sizeof(float));
  Parts results;
  const std::size_t places = head.pictures * limit;
  const std::size_t found_count = results.Take(head.pictures * sizeof(std::uint32_t));
  const std::size_t found = results.Take(places * sizeof(Found));
  const std::size_t positions = results.Take(places * head.slots * sizeof(PointPosition));
  const std::size_t confidence = results.Take(places * head.slots * sizeof(float));
  const std::size_t covariance = results.Take(places * head.slots * sizeof(StoredCovariance));
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, uploaded_, upload_bytes_));
  IM_RETURN_IF_ERROR(Reserve(*resources_->memory, working_, working.total(), stream_.get()));
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, results_, results.total()));

  auto* bytes = static_cast<unsigned char*>(uploaded_.data());
  // The counts at its end begin with 0.
  std::memset(bytes, 0, upload_bytes_);
  for (std::size_t column = 0; column < head.classes; ++column) {
    const std::int32_t class_id = column < head.class_mapping.size() ? head.class_mapping[column] : -1;
    reinterpret_cast<std::int32_t*>(bytes + class_ids)[column] = class_id;
    reinterpret_cast<float*>(bytes + values)[column] = thresholds.For(class_id);
  }
  std::copy(head.scales.begin(), head.scales.end(), reinterpret_cast<detection::KeyPointScale*>(bytes + scales));

  const auto at = [&](std::size_t offset) { return working_.address() + offset; };
  arguments.class_ids = DevicePointer<const std::int32_t>(at(class_ids));
  arguments.thresholds = DevicePointer<const float>(at(values));
  arguments.scales = DevicePointer<const detection::KeyPointScale>(at(scales));
  arguments.shares = DevicePointer<detection::PointShare>(at(shares));
  arguments.gathered = DevicePointer<std::uint32_t>(at(gathered));
  arguments.keys = DevicePointer<std::uint64_t>(at(keys));
  arguments.scores = DevicePointer<float>(at(scores));
  arguments.placed = DevicePointer<std::int32_t>(at(placed));
  arguments.placed_scores = DevicePointer<float>(at(placed_scores));
  // Pinned memory has the same address on the device: every driver of 64 bits has one address space for both.
  auto* host = static_cast<unsigned char*>(results_.data());
  arguments.found_count = reinterpret_cast<std::uint32_t*>(host + found_count);
  arguments.found = reinterpret_cast<Found*>(host + found);
  arguments.positions = reinterpret_cast<PointPosition*>(host + positions);
  arguments.confidence = reinterpret_cast<float*>(host + confidence);
  arguments.covariance = reinterpret_cast<StoredCovariance*>(host + covariance);
  return {};
}

Status KeyPointQueriesDecoder::Prepare(const DeviceKeyPointQueriesHead& head, const detection::Thresholds& thresholds,
                                       std::size_t limit) {
  pictures_ = 0;  // until all of it has succeeded
  if (!IsPossible(head)) {
    return InvalidArgument(kStage, "A head of " + std::to_string(head.pictures) + " pictures, " + std::to_string(head.queries) +
                                       " queries, " + std::to_string(head.classes) + " classes, " + std::to_string(head.slots) +
                                       " key points each and " + std::to_string(head.scales.size()) +
                                       " sizes cannot be decoded on the device.");
  }
  if (head.logits.layout.candidate_stride != head.classes || head.logits.layout.attribute_stride != 1)
    return InvalidArgument(kStage, "The logits of queries have to lie one after the other.");
  const std::size_t pairs = head.queries * head.classes;
  KeyPointQueriesArguments arguments;
  const auto view = [&](const DeviceMatrix& matrix, std::size_t candidates, std::size_t attributes, const char* name,
                        BatchMatrix& target) -> Status {
    const Result<BatchMatrix> checked = ViewOnDevice(matrix, head.pictures, candidates, attributes, name);
    if (!checked.ok()) return checked.status();
    target = checked.value();
    return {};
  };
  IM_RETURN_IF_ERROR(view(head.boxes, head.queries, 4, "boxes", arguments.boxes));
  IM_RETURN_IF_ERROR(view(head.logits, head.queries, head.classes, "logits", arguments.logits));
  IM_RETURN_IF_ERROR(view(head.points, pairs * head.slots, detection::kNumbersAQueryPoint, "key points", arguments.points));
  const std::size_t places = std::min(limit, pairs);
  arguments.queries = static_cast<std::int32_t>(head.queries);
  arguments.classes = static_cast<std::int32_t>(head.classes);
  arguments.slots = static_cast<std::int32_t>(head.slots);
  arguments.limit = static_cast<std::int32_t>(places);
  IM_RETURN_IF_ERROR(LayOut(head, thresholds, places, arguments));
  arguments_ = arguments;
  pictures_ = head.pictures;
  return {};
}

Status KeyPointQueriesDecoder::Enqueue() const {
  if (pictures_ == 0) return InvalidArgument(kStage, "There is no head to decode.");
  const cuda::Device& device = *resources_->device;
  IM_RETURN_IF_ERROR(
      device.Check(device.table().cuMemcpyHtoDAsync_v2(working_.address(), uploaded_.data(), upload_bytes_, stream_.get()),
                   "cuMemcpyHtoDAsync"));
  return kernels_->Launch(arguments_, static_cast<unsigned>(pictures_), stream_);
}

std::vector<detection::Instances> KeyPointQueriesDecoder::Results() const {
  std::vector<detection::Instances> results(pictures_);
  const auto limit = static_cast<std::size_t>(arguments_.limit);
  const auto slots = static_cast<std::size_t>(arguments_.slots);
  for (std::size_t picture = 0; picture < pictures_; ++picture) {
    auto& [detections, key_points] = results[picture];
    const std::size_t first = picture * limit;
    const std::size_t end = first + std::min<std::size_t>(arguments_.found_count[picture], limit);
    for (std::size_t place = first; place < end; ++place) {
      const Found& found = arguments_.found[place];
      detections.Add(found.box, found.score, found.class_id, found.candidate);
    }
    for (std::size_t point = first * slots; point < end * slots; ++point) {
      const auto& [x, y] = arguments_.positions[point];
      key_points.positions.insert(key_points.positions.end(), {x, y});
      key_points.confidence.push_back(arguments_.confidence[point]);
      const auto& values = arguments_.covariance[point].covariance.values;
      key_points.covariance.insert(key_points.covariance.end(), std::begin(values), std::end(values));
    }
  }
  return results;
}

}  // namespace im::kernels
