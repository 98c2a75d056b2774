#include "kernels/detector.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/images.h"

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
// So that every count and index fits 32 bits, with room.
constexpr std::size_t kMaximumCandidates = std::size_t{1} << 24;
constexpr std::size_t kMaximumClasses = std::size_t{1} << 20;
// The second dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;

}  // namespace

Result<std::shared_ptr<const DetectionKernels>> DetectionKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, DetectionImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<DetectionKernels> kernels(new DetectionKernels(std::move(module.value())));
  const auto find = [&](const char* name, cuda::FunctionObject*& function) -> Status {
    const Result<cuda::FunctionObject*> found = kernels->module_.Find(name);
    if (!found.ok()) return found.status();
    function = found.value();
    return {};
  };
  IM_RETURN_IF_ERROR(find("im_detection_gather", kernels->gather_));
  IM_RETURN_IF_ERROR(find("im_detection_rank", kernels->rank_));
  IM_RETURN_IF_ERROR(find("im_detection_suppress", kernels->suppress_));
  return std::shared_ptr<const DetectionKernels>(std::move(kernels));
}

Status DetectionKernels::Launch(const DetectionArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  // As many threads as there could be candidates: how many have passed is known on the device only.
  const cuda::Extent candidates{(static_cast<unsigned>(arguments.candidates) + kGatherBlock - 1) / kGatherBlock, pictures, 1};
  IM_RETURN_IF_ERROR(cuda::Launch(gather_, candidates, {kGatherBlock, 1, 1}, arguments, stream));
  IM_RETURN_IF_ERROR(cuda::Launch(rank_, candidates, {kGatherBlock, 1, 1}, arguments, stream));
  return cuda::Launch(suppress_, {pictures, 1, 1}, {kSuppressBlock, 1, 1}, arguments, stream);
}

Status Detector::Prepare(const DeviceDenseHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits) {
  pictures_ = 0;  // until all of it has succeeded
  if (head.pictures == 0 || head.pictures > kMaximumPictures || head.candidates == 0 || head.candidates > kMaximumCandidates ||
      head.classes == 0 || head.classes > kMaximumClasses || head.pictures > kMaximumCandidates / head.candidates * 16) {
    return InvalidArgument(kStage, "A head of " + std::to_string(head.pictures) + " pictures, " +
                                       std::to_string(head.candidates) + " candidates and " + std::to_string(head.classes) +
                                       " classes cannot be decoded on the device.");
  }
  DetectionArguments arguments;
  const auto view = [&](const DeviceMatrix& matrix, std::size_t attributes, const char* name, detection::Matrix& target,
                        std::int64_t& per_picture) -> Status {
    const Result<detection::Matrix> checked = ViewOnDevice(matrix, head.pictures, head.candidates, attributes, name);
    if (!checked.ok()) return checked.status();
    target = checked.value();
    per_picture = static_cast<std::int64_t>(matrix.per_picture);
    return {};
  };
  IM_RETURN_IF_ERROR(view(head.boxes, 4, "boxes", arguments.boxes, arguments.boxes_per_picture));
  IM_RETURN_IF_ERROR(view(head.scores, head.classes, "scores", arguments.scores, arguments.scores_per_picture));
  if (head.objectness_use != detection::ObjectnessUse::kNone) {
    IM_RETURN_IF_ERROR(view(head.objectness, 1, "objectness", arguments.objectness, arguments.objectness_per_picture));
  }
  const std::size_t total = head.pictures * head.candidates;
  const std::size_t limit = std::min(limits.max_detections, head.candidates);
  const detection::ThresholdList list = thresholds.list();

  Parts working;
  const std::size_t gathered = working.Take(head.pictures * sizeof(std::uint32_t));
  const std::size_t keys = working.Take(total * sizeof(std::uint64_t));
  const std::size_t classes = working.Take(total * sizeof(std::int32_t));
  const std::size_t scores = working.Take(total * sizeof(float));
  const std::size_t ranked = working.Take(total * sizeof(Found));
  const std::size_t values = working.Take(std::max(list.count, std::size_t{1}) * sizeof(float));
  Parts results;
  const std::size_t counts = results.Take(head.pictures * sizeof(std::int32_t));
  const std::size_t found = results.Take(head.pictures * limit * sizeof(Found));
  IM_RETURN_IF_ERROR(Reserve(*resources_->memory, working_, working.total(), stream_.get()));
  IM_RETURN_IF_ERROR(Reserve(*resources_->memory, results_, results.total(), stream_.get()));
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, thresholds_, std::max(list.count, std::size_t{1}) * sizeof(float)));
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, downloaded_, results.total()));
  if (list.count > 0) std::memcpy(thresholds_.data(), list.values, list.count * sizeof(float));

  arguments.gathered = DevicePointer<std::uint32_t>(working_.address() + gathered);
  arguments.keys = DevicePointer<std::uint64_t>(working_.address() + keys);
  arguments.classes = DevicePointer<std::int32_t>(working_.address() + classes);
  arguments.scores_gathered = DevicePointer<float>(working_.address() + scores);
  arguments.ranked = DevicePointer<Found>(working_.address() + ranked);
  arguments.thresholds = {DevicePointer<const float>(working_.address() + values), list.count};
  arguments.found_count = DevicePointer<std::int32_t>(results_.address() + counts);
  arguments.found = DevicePointer<Found>(results_.address() + found);
  arguments.candidates = static_cast<std::int32_t>(head.candidates);
  arguments.class_count = static_cast<std::int32_t>(head.classes);
  arguments.limit = static_cast<std::int32_t>(limit);
  arguments.box_format = head.box_format;
  arguments.objectness_use = head.objectness_use;
  arguments.class_agnostic = limits.class_agnostic ? 1 : 0;
  // Nothing is greater than infinity, so nothing is suppressed.
  arguments.iou_threshold = limits.iou_threshold.value_or(std::numeric_limits<float>::infinity());
  arguments.logit_bound = detection::LogitBound(thresholds.lowest());
  arguments_ = arguments;
  count_bytes_ = found;
  result_bytes_ = results.total();
  pictures_ = head.pictures;
  return {};
}

Status Detector::Enqueue() const {
  if (pictures_ == 0) return InvalidArgument(kStage, "There is no head to decode.");
  const cuda::Device& device = *resources_->device;
  if (arguments_.thresholds.count > 0) {
    IM_RETURN_IF_ERROR(
        device.Check(device.table().cuMemcpyHtoDAsync_v2(AddressOf(arguments_.thresholds.values), thresholds_.data(),
                                                         arguments_.thresholds.count * sizeof(float), stream_.get()),
                     "cuMemcpyHtoDAsync"));
  }
  IM_RETURN_IF_ERROR(device.Check(
      device.table().cuMemsetD8Async(AddressOf(arguments_.gathered), 0, pictures_ * sizeof(std::uint32_t), stream_.get()),
      "cuMemsetD8Async"));
  IM_RETURN_IF_ERROR(kernels_->Launch(arguments_, static_cast<unsigned>(pictures_), stream_));
  return device.Check(device.table().cuMemcpyDtoHAsync_v2(downloaded_.data(), results_.address(), result_bytes_, stream_.get()),
                      "cuMemcpyDtoHAsync");
}

DeviceFound Detector::found() const {
  const auto limit = static_cast<std::size_t>(arguments_.limit);
  DeviceFound found;
  found.found = AddressOf(arguments_.found);
  found.length = pictures_ * limit;
  found.counts = AddressOf(arguments_.found_count);
  found.pictures = pictures_;
  found.limit = limit;
  found.candidates = static_cast<std::size_t>(arguments_.candidates);
  return found;
}

std::vector<detection::Detections> Detector::Results() const {
  std::vector<detection::Detections> results(pictures_);
  const auto* bytes = static_cast<const unsigned char*>(downloaded_.data());
  const auto limit = static_cast<std::size_t>(arguments_.limit);
  for (std::size_t picture = 0; picture < pictures_; ++picture) {
    std::int32_t count = 0;
    std::memcpy(&count, bytes + picture * sizeof count, sizeof count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::clamp(count, 0, arguments_.limit)); ++i) {
      Found found;
      std::memcpy(&found, bytes + count_bytes_ + (picture * limit + i) * sizeof found, sizeof found);
      results[picture].Add(found.box, found.score, found.class_id, found.candidate);
    }
  }
  return results;
}

}  // namespace im::kernels
