#include "kernels/detector.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
// So that every count and index fits 32 bits, with room. Candidates, or pairs of query and class.
constexpr std::size_t kMaximumCandidates = std::size_t{1} << 24;
constexpr std::size_t kMaximumClasses = std::size_t{1} << 20;
// The second dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;

Status SetView(const DeviceMatrix& matrix, std::size_t pictures, std::size_t candidates, std::size_t attributes, const char* name,
               BatchMatrix& target) {
  const Result<BatchMatrix> checked = ViewOnDevice(matrix, pictures, candidates, attributes, name);
  if (!checked.ok()) return checked.status();
  target = checked.value();
  return {};
}

Status CheckSize(std::size_t pictures, std::size_t candidates, std::size_t classes, const char* what) {
  if (pictures > 0 && pictures <= kMaximumPictures && candidates > 0 && candidates <= kMaximumCandidates && classes > 0 &&
      classes <= kMaximumClasses && pictures <= kMaximumCandidates / candidates * 16) {
    return {};
  }
  return InvalidArgument(kStage, "A head of " + std::to_string(pictures) + " pictures, " + std::to_string(candidates) + " " +
                                     what + " and " + std::to_string(classes) + " classes cannot be decoded on the device.");
}

// That of a class, or what nothing is greater than.
float ThresholdOf(const detection::ThresholdList& list, std::int32_t class_id) {
  if (list.count == 1) return list.values[0];
  const auto index = static_cast<std::size_t>(class_id);  // a negative id becomes larger than any list
  return index < list.count ? list.values[index] : std::numeric_limits<float>::infinity();
}

RunSettings SettingsOf(const detection::Thresholds& thresholds, const detection::Limits& limits) {
  RunSettings settings;
  // Nothing is greater than infinity, so nothing is suppressed.
  settings.iou_threshold = limits.iou_threshold.value_or(std::numeric_limits<float>::infinity());
  settings.logit_bound = detection::LogitBound(thresholds.lowest());
  settings.lowest = thresholds.lowest();
  settings.class_agnostic = limits.class_agnostic ? 1 : 0;
  return settings;
}

}  // namespace

// How the memory of one batch is divided: what is uploaded comes first in the working memory.
class Detector::Memory {
 public:
  Memory(std::size_t pictures, std::size_t candidates, std::size_t class_count, std::size_t result_limit)
      : limit(result_limit),
        settings(working.Take(sizeof(RunSettings))),
        thresholds(working.Take(class_count * sizeof(float))),
        class_ids(working.Take(class_count * sizeof(std::int32_t))),
        gathered(working.Take(pictures * sizeof(std::uint32_t))),
        uploaded(working.total()),
        keys(working.Take(pictures * candidates * sizeof(std::uint64_t))),
        classes(working.Take(pictures * candidates * sizeof(std::int32_t))),
        scores(working.Take(pictures * candidates * sizeof(float))),
        counts(results.Take(pictures * sizeof(std::int32_t))),
        found(results.Take(pictures * result_limit * sizeof(Found))) {}

  Parts working;
  Parts results;
  const std::size_t limit;
  const std::size_t settings, thresholds, class_ids, gathered, uploaded, keys, classes, scores, counts, found;
};

Status Detector::LayOut(const Memory& memory, const RunSettings& settings) {
  IM_RETURN_IF_ERROR(kernels::Reserve(*resources_->pinned, uploaded_, memory.uploaded));
  IM_RETURN_IF_ERROR(kernels::Reserve(*resources_->memory, working_, memory.working.total(), stream_.get()));
  IM_RETURN_IF_ERROR(kernels::Reserve(*resources_->memory, results_, memory.results.total(), stream_.get()));
  IM_RETURN_IF_ERROR(kernels::Reserve(*resources_->pinned, downloaded_, memory.results.total()));
  // The counts at its end begin with 0.
  std::memset(uploaded_.data(), 0, memory.uploaded);
  std::memcpy(static_cast<unsigned char*>(uploaded_.data()) + memory.settings, &settings, sizeof settings);
  upload_bytes_ = memory.uploaded;
  count_bytes_ = memory.found;
  result_bytes_ = memory.results.total();
  limit_ = memory.limit;
  return {};
}

Status Detector::Prepare(const DeviceDenseHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits) {
  arguments_ = {};  // until all of it has succeeded
  IM_RETURN_IF_ERROR(CheckSize(head.pictures, head.candidates, head.classes, "candidates"));
  DetectionArguments arguments;
  IM_RETURN_IF_ERROR(SetView(head.boxes, head.pictures, head.candidates, 4, "boxes", arguments.boxes));
  IM_RETURN_IF_ERROR(SetView(head.scores, head.pictures, head.candidates, head.classes, "scores", arguments.scores));
  if (head.objectness_use != detection::ObjectnessUse::kNone)
    IM_RETURN_IF_ERROR(SetView(head.objectness, head.pictures, head.candidates, 1, "objectness", arguments.objectness));
  if (head.box_format == detection::BoxFormat::kOffsets) {
    IM_RETURN_IF_ERROR(SetView(head.priors, 1, head.candidates, 4, "priors", arguments.priors));
    arguments.priors.per_picture = 0;
    arguments.input_size = head.input_size;
  }
  Memory memory(head.pictures, head.candidates, head.classes, std::min(limits.max_detections, head.candidates));
  const std::size_t ranked = memory.working.Take(head.pictures * head.candidates * sizeof(Found));
  IM_RETURN_IF_ERROR(LayOut(memory, SettingsOf(thresholds, limits)));
  auto* values = reinterpret_cast<float*>(static_cast<unsigned char*>(uploaded_.data()) + memory.thresholds);
  for (std::size_t c = 0; c < head.classes; ++c) values[c] = ThresholdOf(thresholds.list(), static_cast<std::int32_t>(c));

  const auto at = [&](std::size_t offset) { return working_.address() + offset; };
  arguments.settings = DevicePointer<const RunSettings>(at(memory.settings));
  arguments.thresholds = {DevicePointer<const float>(at(memory.thresholds)), head.classes};
  arguments.gathered = DevicePointer<std::uint32_t>(at(memory.gathered));
  arguments.keys = DevicePointer<std::uint64_t>(at(memory.keys));
  arguments.classes = DevicePointer<std::int32_t>(at(memory.classes));
  arguments.scores_gathered = DevicePointer<float>(at(memory.scores));
  arguments.ranked = DevicePointer<Found>(at(ranked));
  arguments.found_count = DevicePointer<std::int32_t>(results_.address() + memory.counts);
  arguments.found = DevicePointer<Found>(results_.address() + memory.found);
  arguments.candidates = static_cast<std::int32_t>(head.candidates);
  arguments.class_count = static_cast<std::int32_t>(head.classes);
  arguments.limit = static_cast<std::int32_t>(memory.limit);
  arguments.box_format = head.box_format;
  arguments.objectness_use = head.objectness_use;
  arguments_ = arguments;
  pictures_ = head.pictures;
  candidates_ = head.candidates;
  return {};
}

Status Detector::Prepare(const DeviceQueriesHead& head, const detection::Thresholds& thresholds,
                         const detection::Limits& limits) {
  arguments_ = {};  // until all of it has succeeded
  const std::size_t pairs =
      head.classes > 0 && head.queries > kMaximumCandidates / head.classes ? 0 : head.queries * head.classes;
  IM_RETURN_IF_ERROR(CheckSize(head.pictures, pairs, head.classes, "pairs of query and class"));
  QueriesArguments arguments;
  IM_RETURN_IF_ERROR(SetView(head.boxes, head.pictures, head.queries, 4, "boxes", arguments.boxes));
  IM_RETURN_IF_ERROR(SetView(head.logits, head.pictures, head.queries, head.classes, "logits", arguments.logits));
  if (head.logits.layout.candidate_stride != head.classes || head.logits.layout.attribute_stride != 1) {
    return InvalidArgument(kStage, "The logits of queries have to lie one after the other.");
  }
  const Memory memory(head.pictures, pairs, head.classes, std::min(limits.max_detections, head.queries));
  IM_RETURN_IF_ERROR(LayOut(memory, SettingsOf(thresholds, limits)));
  auto* bytes = static_cast<unsigned char*>(uploaded_.data());
  auto* values = reinterpret_cast<float*>(bytes + memory.thresholds);
  auto* ids = reinterpret_cast<std::int32_t*>(bytes + memory.class_ids);
  for (std::size_t c = 0; c < head.classes; ++c) {
    ids[c] = c < head.class_mapping.size() ? head.class_mapping[c] : -1;
    values[c] = ThresholdOf(thresholds.list(), ids[c]);
  }

  const auto at = [&](std::size_t offset) { return working_.address() + offset; };
  arguments.settings = DevicePointer<const RunSettings>(at(memory.settings));
  arguments.thresholds = DevicePointer<const float>(at(memory.thresholds));
  arguments.class_ids = DevicePointer<const std::int32_t>(at(memory.class_ids));
  arguments.gathered = DevicePointer<std::uint32_t>(at(memory.gathered));
  arguments.keys = DevicePointer<std::uint64_t>(at(memory.keys));
  arguments.reported = DevicePointer<std::int32_t>(at(memory.classes));
  arguments.scores = DevicePointer<float>(at(memory.scores));
  arguments.found_count = DevicePointer<std::uint32_t>(results_.address() + memory.counts);
  arguments.found = DevicePointer<Found>(results_.address() + memory.found);
  arguments.queries = static_cast<std::int32_t>(head.queries);
  arguments.classes = static_cast<std::int32_t>(head.classes);
  arguments.limit = static_cast<std::int32_t>(memory.limit);
  arguments_ = arguments;
  pictures_ = head.pictures;
  candidates_ = head.queries;
  return {};
}

Status Detector::Prepare(const DeviceRowsHead& head, const detection::Thresholds& thresholds, const detection::Limits& limits) {
  arguments_ = {};  // until all of it has succeeded
  IM_RETURN_IF_ERROR(CheckSize(head.pictures, head.count, 1, "rows"));
  RowsArguments arguments;
  IM_RETURN_IF_ERROR(SetView(head.rows, head.pictures, head.count, 6, "rows", arguments.rows));
  const detection::ThresholdList list = thresholds.list();
  const Memory memory(head.pictures, 0, list.count, std::min(limits.max_detections, head.count));
  IM_RETURN_IF_ERROR(LayOut(memory, SettingsOf(thresholds, limits)));
  auto* values = reinterpret_cast<float*>(static_cast<unsigned char*>(uploaded_.data()) + memory.thresholds);
  std::copy(list.values, list.values + list.count, values);

  arguments.thresholds = {DevicePointer<const float>(working_.address() + memory.thresholds), list.count};
  arguments.found_count = DevicePointer<std::int32_t>(results_.address() + memory.counts);
  arguments.found = DevicePointer<Found>(results_.address() + memory.found);
  arguments.count = static_cast<std::int32_t>(head.count);
  arguments.limit = static_cast<std::int32_t>(memory.limit);
  arguments.inclusive = head.inclusive;
  arguments_ = arguments;
  pictures_ = head.pictures;
  candidates_ = head.count;
  return {};
}

Status Detector::Enqueue() const {
  if (std::holds_alternative<std::monostate>(arguments_)) return InvalidArgument(kStage, "There is no head to decode.");
  const cuda::Device& device = *resources_->device;
  IM_RETURN_IF_ERROR(
      device.Check(device.table().cuMemcpyHtoDAsync_v2(working_.address(), uploaded_.data(), upload_bytes_, stream_.get()),
                   "cuMemcpyHtoDAsync"));
  const auto pictures = static_cast<unsigned>(pictures_);
  const auto launch = [&](const auto& arguments) { return kernels_->Launch(arguments, pictures, stream_); };
  if (const auto* dense = std::get_if<DetectionArguments>(&arguments_)) IM_RETURN_IF_ERROR(launch(*dense));
  if (const auto* queries = std::get_if<QueriesArguments>(&arguments_)) IM_RETURN_IF_ERROR(launch(*queries));
  if (const auto* rows = std::get_if<RowsArguments>(&arguments_)) IM_RETURN_IF_ERROR(launch(*rows));
  return device.Check(device.table().cuMemcpyDtoHAsync_v2(downloaded_.data(), results_.address(), result_bytes_, stream_.get()),
                      "cuMemcpyDtoHAsync");
}

DeviceFound Detector::found() const {
  DeviceFound found;
  if (std::holds_alternative<std::monostate>(arguments_)) return found;
  found.found = results_.address() + count_bytes_;
  found.length = pictures_ * limit_;
  found.counts = results_.address();
  found.pictures = pictures_;
  found.limit = limit_;
  found.candidates = candidates_;
  return found;
}

std::vector<detection::Detections> Detector::Results() const {
  if (std::holds_alternative<std::monostate>(arguments_)) return {};
  std::vector<detection::Detections> results(pictures_);
  const auto* bytes = static_cast<const unsigned char*>(downloaded_.data());
  for (std::size_t picture = 0; picture < pictures_; ++picture) {
    std::uint32_t count = 0;
    std::memcpy(&count, bytes + picture * sizeof count, sizeof count);
    for (std::size_t i = 0; i < std::min<std::size_t>(count, limit_); ++i) {
      Found found;
      std::memcpy(&found, bytes + count_bytes_ + (picture * limit_ + i) * sizeof found, sizeof found);
      results[picture].Add(found.box, found.score, found.class_id, found.candidate);
    }
  }
  return results;
}

}  // namespace im::kernels
