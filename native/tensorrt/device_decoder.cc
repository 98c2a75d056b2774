#include "tensorrt/device_decoder.h"

#include <string>
#include <type_traits>
#include <utility>

#include "base/elements.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.run";

// A part where a run has it: how many candidates and attributes, and where they lie.
struct Placed {
  std::size_t candidates = 0;
  std::size_t attributes = 0;
  kernels::DeviceMatrix matrix;
};

class Outputs {
 public:
  Outputs(const std::vector<Tensor>& ports, const std::vector<DeviceOutput>& outputs) : ports_(ports), outputs_(outputs) {}

  Result<Placed> Place(const HeadPart& part) const {
    const Result<std::size_t> length = LengthOf(part.output, 3, "a head has three dimensions");
    if (!length.ok()) return length.status();
    const DeviceOutput& output = outputs_[part.output];
    const auto rows = static_cast<std::size_t>(output.shape[1]);
    const auto columns = static_cast<std::size_t>(output.shape[2]);
    const std::size_t attributes = part.attributes_first ? rows : columns;
    if (part.from >= attributes) {
      return InvalidArgument(kStage, Name(part.output) + " of the shape " + ShapeText(output.shape) +
                                         " has no attributes from number " + std::to_string(part.from) + " on.");
    }
    Placed placed;
    placed.candidates = part.attributes_first ? columns : rows;
    placed.attributes = attributes - part.from;
    placed.matrix.address = output.address;
    placed.matrix.length = length.value();
    placed.matrix.per_picture = rows * columns;
    placed.matrix.half = IsHalf(part.output);
    if (part.attributes_first) placed.matrix.layout = {part.from * columns, 1, columns};
    else placed.matrix.layout = {part.from, columns, 1};
    return placed;
  }

  // Points by query, class and slot; there have to be as many as `head` says.
  Result<kernels::DeviceMatrix> PlacePoints(std::size_t index, const kernels::DeviceKeyPointQueriesHead& head) const {
    const Result<std::size_t> length = LengthOf(index, 4, "key points of queries have four dimensions");
    if (!length.ok()) return length.status();
    const Shape& shape = outputs_[index].shape;
    const auto queries = static_cast<std::size_t>(shape[1]);
    const auto rows = static_cast<std::size_t>(shape[2]);
    const auto numbers = static_cast<std::size_t>(shape[3]);
    if (queries != head.queries || head.slots == 0 || rows % head.slots != 0 || rows / head.slots != head.classes ||
        numbers < detection::kNumbersAQueryPoint) {
      return InvalidArgument(kStage, Name(index) + " has the shape " + ShapeText(shape) + ", and not " +
                                         std::to_string(head.slots) + " key points for each of " + std::to_string(head.classes) +
                                         " classes of " + std::to_string(head.queries) + " queries.");
    }
    return kernels::DeviceMatrix{
        outputs_[index].address, length.value(), {0, numbers, 1}, queries * rows * numbers, IsHalf(index)};
  }

  // For so many candidates.
  Result<kernels::DeviceMatrix> PlacePriors(std::size_t index, std::size_t candidates) const {
    const DeviceOutput& output = outputs_[index];
    const std::size_t rank = output.shape.size() == 3 ? 3 : 2;
    const Result<std::size_t> length = LengthOf(index, rank, "priors have two dimensions, or three");
    if (!length.ok()) return length.status();
    if (length.value() == candidates * 4 && output.shape.back() == 4)
      return kernels::DeviceMatrix{output.address, length.value(), {0, 4, 1}, 0, IsHalf(index)};
    return InvalidArgument(kStage, Name(index) + " has the shape " + ShapeText(output.shape) + "; " + std::to_string(candidates) +
                                       " candidates have as many priors, of four numbers each.");
  }

  Result<kernels::DeviceMap> PlaceMap(std::size_t index) const {
    // One channel may go without its dimension.
    const std::size_t rank = outputs_[index].shape.size() == 3 ? 3 : 4;
    const Result<std::size_t> length = LengthOf(index, rank, "maps have three or four dimensions");
    if (!length.ok()) return length.status();
    const Shape& shape = outputs_[index].shape;
    kernels::DeviceMap map;
    map.channels = rank == 3 ? 1 : static_cast<std::size_t>(shape[1]);
    map.height = static_cast<std::size_t>(shape[rank - 2]);
    map.width = static_cast<std::size_t>(shape[rank - 1]);
    map.planes.address = outputs_[index].address;
    map.planes.length = length.value();
    map.planes.layout = {0, 1, map.height * map.width};
    map.planes.per_picture = map.channels * map.height * map.width;
    map.planes.half = IsHalf(index);
    return map;
  }

  Result<kernels::DeviceMaskHead> PlacePlanes(const MasksLayout& layout) const {
    const Result<std::size_t> length = LengthOf(layout.planes, 4, "mask planes have four dimensions");
    if (!length.ok()) return length.status();
    const DeviceOutput& output = outputs_[layout.planes];
    const auto side = [&](std::size_t dimension) { return static_cast<std::size_t>(output.shape[dimension]); };
    kernels::DeviceMaskHead head;
    head.channels = side(layout.channels_first ? 1 : 3);
    head.height = side(layout.channels_first ? 2 : 1);
    head.width = side(layout.channels_first ? 3 : 2);
    head.sigmoid = layout.sigmoid;
    head.planes.address = output.address;
    head.planes.length = length.value();
    head.planes.per_picture = head.channels * head.height * head.width;
    head.planes.half = IsHalf(layout.planes);
    if (layout.channels_first) head.planes.layout = {0, 1, head.height * head.width};
    else head.planes.layout = {0, head.channels, 1};
    return head;
  }

 private:
  bool IsHalf(std::size_t index) const { return ports_[index].type == kFloat16; }
  std::string Name(std::size_t index) const { return "Output \"" + ports_[index].name + "\""; }

  // Elements of an output of so many dimensions.
  Result<std::size_t> LengthOf(std::size_t index, std::size_t rank, const char* what) const {
    const DeviceOutput& output = outputs_[index];
    if (output.address == 0) {
      return InvalidArgument(
          kStage, Name(index) + " has a size that is known only after a run, so the device cannot decode it: run the engine " +
                      "without (executor \"auto\"), and decode on the CPU.");
    }
    const std::optional<std::size_t> length = ElementCount(output.shape);
    if (output.shape.size() == rank && length) return *length;
    return InvalidArgument(kStage, Name(index) + " has the shape " + ShapeText(output.shape) + "; " + what + ".");
  }

  const std::vector<Tensor>& ports_;
  const std::vector<DeviceOutput>& outputs_;
};

Status Prepare(const DenseLayout& layout, const DecodeJob& job, const Outputs& outputs, kernels::Detector& detector) {
  const Result<Placed> boxes = outputs.Place(layout.boxes);
  if (!boxes.ok()) return boxes.status();
  const Result<Placed> scores = outputs.Place(layout.scores);
  if (!scores.ok()) return scores.status();
  if (layout.extras >= scores.value().attributes)
    return InvalidArgument(kStage, "The head has no class scores before its " + std::to_string(layout.extras) + " extras.");
  kernels::DeviceDenseHead head;
  head.pictures = job.pictures;
  head.candidates = boxes.value().candidates;
  head.classes = scores.value().attributes - layout.extras;
  head.boxes = boxes.value().matrix;
  head.box_format = layout.box_format;
  if (layout.priors) {
    const Result<kernels::DeviceMatrix> priors = outputs.PlacePriors(layout.priors->output, head.candidates);
    if (!priors.ok()) return priors.status();
    head.priors = priors.value();
    head.input_size = layout.priors->input_size;
  }
  head.scores = scores.value().matrix;
  head.objectness_use = layout.objectness_use;
  bool same = scores.value().candidates == head.candidates;
  if (layout.objectness) {
    const Result<Placed> objectness = outputs.Place(*layout.objectness);
    if (!objectness.ok()) return objectness.status();
    head.objectness = objectness.value().matrix;
    same = same && objectness.value().candidates == head.candidates;
  }
  if (!same) return InvalidArgument(kStage, "The outputs that make up the head have different numbers of candidates.");
  return detector.Prepare(head, job.thresholds, job.limits);
}

// What heads of queries have in common, with points or without.
template <typename Head>
Status Place(const QueriesLayout& layout, const DecodeJob& job, const Outputs& outputs, Head& head) {
  const Result<Placed> boxes = outputs.Place({layout.boxes, false, 0});
  if (!boxes.ok()) return boxes.status();
  const Result<Placed> logits = outputs.Place({layout.logits, false, 0});
  if (!logits.ok()) return logits.status();
  if (boxes.value().candidates != logits.value().candidates || boxes.value().attributes != 4) {
    return InvalidArgument(kStage,
                           "The outputs that make up the head have different numbers of queries, or no four coordinates.");
  }
  head.pictures = job.pictures;
  head.queries = logits.value().candidates;
  head.classes = logits.value().attributes;
  head.boxes = boxes.value().matrix;
  head.logits = logits.value().matrix;
  head.class_mapping = layout.class_mapping;
  return {};
}

Status Prepare(const QueriesLayout& layout, const DecodeJob& job, const Outputs& outputs, kernels::Detector& detector) {
  kernels::DeviceQueriesHead head;
  IM_RETURN_IF_ERROR(Place(layout, job, outputs, head));
  return detector.Prepare(head, job.thresholds, job.limits);
}

Status Prepare(const RowsLayout& layout, const DecodeJob& job, const Outputs& outputs, kernels::Detector& detector) {
  const Result<Placed> rows = outputs.Place({layout.output, false, 0});
  if (!rows.ok()) return rows.status();
  if (rows.value().attributes < 6) {
    return InvalidArgument(
        kStage, "Rows have " + std::to_string(rows.value().attributes) + " columns; boxes, scores and class ids take six.");
  }
  return detector.Prepare({job.pictures, rows.value().candidates, rows.value().matrix, layout.inclusive}, job.thresholds,
                          job.limits);
}

Status Prepare(const KeyPointQueriesLayout& layout, const DecodeJob& job, const Outputs& outputs,
               kernels::KeyPointQueriesDecoder& decoder) {
  kernels::DeviceKeyPointQueriesHead head;
  IM_RETURN_IF_ERROR(Place(layout.queries, job, outputs, head));
  head.slots = layout.slots;
  head.scales = layout.scales;
  const Result<kernels::DeviceMatrix> points = outputs.PlacePoints(layout.points, head);
  if (!points.ok()) return points.status();
  head.points = points.value();
  return decoder.Prepare(head, job.thresholds, job.limits.max_detections);
}

Status Prepare(const KeyPointsLayout& layout, const Outputs& outputs, const kernels::DeviceFound& found,
               kernels::KeyPointGatherer& gatherer) {
  const Result<Placed> points = outputs.Place(layout.part);
  if (!points.ok()) return points.status();
  return gatherer.Prepare({points.value().matrix, points.value().candidates, layout.slots}, found);
}

Status Prepare(const MasksLayout& layout, const Outputs& outputs, const kernels::DeviceFound& found,
               kernels::MaskAssembler& assembler) {
  Result<kernels::DeviceMaskHead> head = outputs.PlacePlanes(layout);
  if (!head.ok()) return head.status();
  if (layout.coefficients) {
    const Result<Placed> coefficients = outputs.Place(*layout.coefficients);
    if (!coefficients.ok()) return coefficients.status();
    if (coefficients.value().attributes != head.value().channels) {
      return InvalidArgument(kStage, "The head has " + std::to_string(coefficients.value().attributes) +
                                         " mask coefficients for each candidate, and " + std::to_string(head.value().channels) +
                                         " prototypes.");
    }
    head.value().coefficients = coefficients.value().matrix;
    head.value().candidates = coefficients.value().candidates;
  }
  return assembler.Prepare(head.value(), found, layout.cut, layout.targets);
}

Status Prepare(const MapLayout& layout, const DecodeJob& job, const Outputs& outputs, kernels::MapMaker& maker) {
  if (layout.placements.size() != job.pictures) return InvalidArgument(kStage, "Every picture needs one placement of its map.");
  const Result<kernels::DeviceMap> map = outputs.PlaceMap(layout.planes);
  if (!map.ok()) return map.status();
  return std::visit([&](const auto& kind) { return maker.Prepare(map.value(), layout.placements, kind); }, layout.kind);
}

}  // namespace

Result<std::shared_ptr<const DecodingKernels>> DecodingKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<std::shared_ptr<const kernels::DetectionKernels>> detection = kernels::DetectionKernels::Load(device);
  if (!detection.ok()) return detection.status();
  Result<std::shared_ptr<const kernels::MaskKernels>> masks = kernels::MaskKernels::Load(device);
  if (!masks.ok()) return masks.status();
  Result<std::shared_ptr<const kernels::KeyPointKernels>> key_points = kernels::KeyPointKernels::Load(device);
  if (!key_points.ok()) return key_points.status();
  Result<std::shared_ptr<const kernels::MapKernels>> maps = kernels::MapKernels::Load(device);
  if (!maps.ok()) return maps.status();
  return std::make_shared<const DecodingKernels>(DecodingKernels{std::move(detection.value()), std::move(masks.value()),
                                                                 std::move(key_points.value()), std::move(maps.value())});
}

Status DeviceDecoder::Prepare(const DecodeJob& job, const std::vector<Tensor>& ports, const std::vector<DeviceOutput>& outputs) {
  const Outputs placed(ports, outputs);
  decodes_key_point_queries_ = std::holds_alternative<KeyPointQueriesLayout>(job.head);
  gathers_key_points_ = job.key_points.has_value();
  makes_masks_ = job.masks.has_value();
  makes_map_ = job.map.has_value();
  if (makes_map_) return trt::Prepare(*job.map, job, placed, map_maker_);
  const auto prepare = [&](const auto& layout) {
    if constexpr (std::is_same_v<decltype(layout), const KeyPointQueriesLayout&>)
      return trt::Prepare(layout, job, placed, key_point_queries_);
    else return trt::Prepare(layout, job, placed, detector_);
  };
  IM_RETURN_IF_ERROR(std::visit(prepare, job.head));
  if (gathers_key_points_) IM_RETURN_IF_ERROR(trt::Prepare(*job.key_points, placed, detector_.found(), key_point_gatherer_));
  return makes_masks_ ? trt::Prepare(*job.masks, placed, detector_.found(), mask_assembler_) : Status();
}

Status DeviceDecoder::Enqueue() const {
  if (makes_map_) return map_maker_.Enqueue();
  if (decodes_key_point_queries_) return key_point_queries_.Enqueue();
  IM_RETURN_IF_ERROR(detector_.Enqueue());
  if (gathers_key_points_) IM_RETURN_IF_ERROR(key_point_gatherer_.Enqueue());
  return makes_masks_ ? mask_assembler_.Enqueue() : Status();
}

std::vector<Decoded> DeviceDecoder::Results() const {
  std::vector<Decoded> results;
  if (makes_map_) {
    for (kernels::PictureMap& map : map_maker_.Results()) results.push_back({{}, std::nullopt, std::nullopt, std::move(map)});
    return results;
  }
  if (decodes_key_point_queries_) {
    for (auto& [detections, key_points] : key_point_queries_.Results())
      results.push_back({std::move(detections), std::nullopt, std::move(key_points), std::nullopt});
    return results;
  }
  for (detection::Detections& detections : detector_.Results())
    results.push_back({std::move(detections), std::nullopt, std::nullopt, std::nullopt});
  if (gathers_key_points_) {
    std::vector<detection::KeyPoints> key_points = key_point_gatherer_.Results();
    for (std::size_t i = 0; i < results.size(); ++i) results[i].key_points = std::move(key_points[i]);
  }
  if (makes_masks_) {
    std::vector<kernels::PictureMasks> masks = mask_assembler_.Results();
    for (std::size_t i = 0; i < results.size(); ++i) results[i].masks = std::move(masks[i]);
  }
  return results;
}

}  // namespace im::trt
