#include "tensorrt/decode.h"

#include <string>
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
    const DeviceOutput& output = outputs_[part.output];
    const std::string name = "Output \"" + ports_[part.output].name + "\"";
    if (output.address == 0) {
      return InvalidArgument(
          kStage, name + " has a size that is known only after a run, so the device cannot decode it: run the engine " +
                      "without (executor \"auto\"), and decode on the CPU.");
    }
    const std::optional<std::size_t> length = ElementCount(output.shape);
    if (output.shape.size() != 3 || !length) {
      return InvalidArgument(kStage, name + " has the shape " + ShapeText(output.shape) + "; a head has three dimensions.");
    }
    const auto rows = static_cast<std::size_t>(output.shape[1]);
    const auto columns = static_cast<std::size_t>(output.shape[2]);
    const std::size_t attributes = part.attributes_first ? rows : columns;
    if (part.from >= attributes) {
      return InvalidArgument(kStage, name + " of the shape " + ShapeText(output.shape) + " has no attributes from number " +
                                         std::to_string(part.from) + " on.");
    }
    Placed placed;
    placed.candidates = part.attributes_first ? columns : rows;
    placed.attributes = attributes - part.from;
    placed.matrix.address = output.address;
    placed.matrix.length = *length;
    placed.matrix.per_picture = rows * columns;
    if (part.attributes_first) placed.matrix.layout = {part.from * columns, 1, columns};
    else placed.matrix.layout = {part.from, columns, 1};
    return placed;
  }

 private:
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

Status Prepare(const QueriesLayout& layout, const DecodeJob& job, const Outputs& outputs, kernels::Detector& detector) {
  const Result<Placed> boxes = outputs.Place({layout.boxes, false, 0});
  if (!boxes.ok()) return boxes.status();
  const Result<Placed> logits = outputs.Place({layout.logits, false, 0});
  if (!logits.ok()) return logits.status();
  if (boxes.value().candidates != logits.value().candidates || boxes.value().attributes != 4) {
    return InvalidArgument(kStage,
                           "The outputs that make up the head have different numbers of queries, or no four coordinates.");
  }
  kernels::DeviceQueriesHead head;
  head.pictures = job.pictures;
  head.queries = logits.value().candidates;
  head.classes = logits.value().attributes;
  head.boxes = boxes.value().matrix;
  head.logits = logits.value().matrix;
  head.class_mapping = layout.class_mapping;
  return detector.Prepare(head, job.thresholds, job.limits);
}

void Append(Shape& key, const HeadPart& part) {
  for (const std::size_t value : {part.output, part.attributes_first ? std::size_t{1} : 0, part.from}) {
    key.push_back(static_cast<std::int64_t>(value));
  }
}

std::vector<std::size_t> ReadOutputs(const DecodeJob& job) {
  if (const auto* queries = std::get_if<QueriesLayout>(&job.head)) return {queries->boxes, queries->logits};
  const auto& dense = std::get<DenseLayout>(job.head);
  std::vector<std::size_t> read{dense.boxes.output, dense.scores.output};
  if (dense.objectness) read.push_back(dense.objectness->output);
  return read;
}

}  // namespace

Shape KeyOf(const DecodeJob& job) {
  // No tensor has a negative size, so this is mistaken for no shape.
  Shape key{-2, static_cast<std::int64_t>(job.pictures), static_cast<std::int64_t>(job.limits.max_detections),
            static_cast<std::int64_t>(job.wanted.size())};
  for (const std::size_t output : job.wanted) key.push_back(static_cast<std::int64_t>(output));
  if (const auto* queries = std::get_if<QueriesLayout>(&job.head)) {
    key.insert(key.end(), {static_cast<std::int64_t>(queries->boxes), static_cast<std::int64_t>(queries->logits)});
    return key;
  }
  const auto& dense = std::get<DenseLayout>(job.head);
  key.insert(key.end(), {static_cast<std::int64_t>(dense.box_format), static_cast<std::int64_t>(dense.objectness_use),
                         static_cast<std::int64_t>(dense.extras)});
  Append(key, dense.boxes);
  Append(key, dense.scores);
  if (dense.objectness) Append(key, *dense.objectness);
  return key;
}

Status CheckDecodeJob(const DecodeJob& job, const std::vector<Tensor>& outputs) {
  const std::vector<std::size_t> read = ReadOutputs(job);
  for (const std::vector<std::size_t>* indices : {&read, &job.wanted}) {
    for (const std::size_t index : *indices) {
      if (index < outputs.size()) continue;
      return InvalidArgument(kStage, "The engine has " + std::to_string(outputs.size()) + " outputs, so none with the index " +
                                         std::to_string(index) + ".");
    }
  }
  for (const std::size_t index : read) {
    if (outputs[index].type == kFloat32) continue;
    return InvalidArgument(kStage, "Output \"" + outputs[index].name + "\" is " + ElementName(outputs[index].type) +
                                       "; the device decodes float32 only.");
  }
  const auto* dense = std::get_if<DenseLayout>(&job.head);
  if (dense != nullptr && (dense->objectness_use == detection::ObjectnessUse::kNone) == dense->objectness.has_value()) {
    return InvalidArgument(kStage, "A head has an objectness where one is used, and only there.");
  }
  return {};
}

Status PrepareDetector(const DecodeJob& job, const std::vector<Tensor>& ports, const std::vector<DeviceOutput>& outputs,
                       kernels::Detector& detector) {
  const Outputs placed(ports, outputs);
  return std::visit([&](const auto& layout) { return Prepare(layout, job, placed, detector); }, job.head);
}

}  // namespace im::trt
