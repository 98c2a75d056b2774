#include "tensorrt/decode.h"

#include <string>
#include <utility>

#include "base/elements.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.run";

void Append(Shape& key, const HeadPart& part) {
  for (const std::size_t value : {part.output, part.attributes_first ? std::size_t{1} : 0, part.from}) {
    key.push_back(static_cast<std::int64_t>(value));
  }
}

void Append(Shape& key, const QueriesLayout& queries) {
  key.insert(key.end(), {static_cast<std::int64_t>(queries.boxes), static_cast<std::int64_t>(queries.logits)});
}

void Append(Shape& key, const DenseLayout& dense) {
  key.insert(key.end(), {static_cast<std::int64_t>(dense.box_format), static_cast<std::int64_t>(dense.objectness_use),
                         static_cast<std::int64_t>(dense.extras)});
  Append(key, dense.boxes);
  Append(key, dense.scores);
  if (dense.objectness) Append(key, *dense.objectness);
  if (!dense.priors) return;
  // Sizes are whole numbers.
  const auto& [output, input_size] = *dense.priors;
  key.insert(key.end(), {static_cast<std::int64_t>(output), static_cast<std::int64_t>(input_size.width),
                         static_cast<std::int64_t>(input_size.height)});
}

void Append(Shape& key, const RowsLayout& rows) {
  key.insert(key.end(), {static_cast<std::int64_t>(rows.output), rows.inclusive ? 1 : 0});
}

void Append(Shape& key, const KeyPointQueriesLayout& layout) {
  Append(key, layout.queries);
  key.insert(key.end(), {static_cast<std::int64_t>(layout.points), static_cast<std::int64_t>(layout.slots)});
}

void Append(Shape& key, const KeyPointsLayout& layout) {
  Append(key, layout.part);
  key.push_back(static_cast<std::int64_t>(layout.slots));
}

void Append(Shape& key, const MapLayout& map) {
  // The settings lie in memory; how wide ids are, and how many weights a filter takes, does not.
  const auto* classes = std::get_if<maps::ClassMapSettings>(&map.kind);
  key.insert(key.end(), {static_cast<std::int64_t>(map.planes), classes == nullptr
                                                                    ? 2 + static_cast<std::int64_t>(std::get<Kernel>(map.kind))
                                                                    : (maps::HasWideIds(*classes) ? 1 : 0)});
  for (const maps::Placement& placement : map.placements) {
    const auto& [trim_left, trim_top, trim_right, trim_bottom, width, height, left, top, canvas_width, canvas_height] = placement;
    key.insert(key.end(), {trim_left, trim_top, trim_right, trim_bottom});
    for (const std::size_t size : {width, height, left, top, canvas_width, canvas_height}) {
      key.push_back(static_cast<std::int64_t>(size));
    }
  }
}

// How much memory and how many launches masks take depends on the sizes of their pictures.
void Append(Shape& key, const MasksLayout& masks) {
  key.insert(key.end(), {static_cast<std::int64_t>(masks.planes), masks.channels_first ? 1 : 0});
  if (masks.coefficients) Append(key, *masks.coefficients);
  for (const masks::MaskTarget& target : masks.targets) {
    const auto& [trim, resize, left, top, picture, threshold] = target;
    key.insert(key.end(), {trim.left, trim.top, trim.right, trim.bottom, resize.width, resize.height, left, top, picture.width,
                           picture.height});
  }
}

void AppendRead(std::vector<std::size_t>& read, const QueriesLayout& queries) {
  read.insert(read.end(), {queries.boxes, queries.logits});
}

void AppendRead(std::vector<std::size_t>& read, const DenseLayout& dense) {
  read.insert(read.end(), {dense.boxes.output, dense.scores.output});
  if (dense.objectness) read.push_back(dense.objectness->output);
  if (dense.priors) read.push_back(dense.priors->output);
}

void AppendRead(std::vector<std::size_t>& read, const RowsLayout& rows) { read.push_back(rows.output); }

void AppendRead(std::vector<std::size_t>& read, const KeyPointQueriesLayout& layout) {
  AppendRead(read, layout.queries);
  read.push_back(layout.points);
}

std::vector<std::size_t> ReadOutputs(const DecodeJob& job) {
  if (job.map) return {job.map->planes};
  std::vector<std::size_t> read;
  std::visit([&](const auto& layout) { AppendRead(read, layout); }, job.head);
  if (job.masks) {
    read.push_back(job.masks->planes);
    if (job.masks->coefficients) read.push_back(job.masks->coefficients->output);
  }
  if (job.key_points) read.push_back(job.key_points->part.output);
  return read;
}

}  // namespace

Shape KeyOf(const DecodeJob& job) {
  // No tensor has a negative size, so this is mistaken for no shape.
  Shape key{-2,
            static_cast<std::int64_t>(job.pictures),
            static_cast<std::int64_t>(job.limits.max_detections),
            static_cast<std::int64_t>(job.head.index()),
            job.masks ? 1 : 0,
            job.key_points ? 1 : 0,
            job.map ? 1 : 0,
            static_cast<std::int64_t>(job.wanted.size())};
  for (const std::size_t output : job.wanted) key.push_back(static_cast<std::int64_t>(output));
  if (job.map) {
    Append(key, *job.map);
    return key;
  }
  std::visit([&](const auto& layout) { Append(key, layout); }, job.head);
  // Class ids of rows are any numbers, so their thresholds are as many as there are given.
  if (std::holds_alternative<RowsLayout>(job.head)) key.push_back(static_cast<std::int64_t>(job.thresholds.list().count));
  if (job.masks) Append(key, *job.masks);
  if (job.key_points) Append(key, *job.key_points);
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
    if (outputs[index].type == kFloat32 || outputs[index].type == kFloat16) continue;
    return InvalidArgument(kStage, "Output \"" + outputs[index].name + "\" is " + ElementName(outputs[index].type) +
                                       "; the device decodes float32 and float16.");
  }
  if (job.map) return {};
  const auto* dense = std::get_if<DenseLayout>(&job.head);
  if (dense != nullptr && (dense->objectness_use == detection::ObjectnessUse::kNone) == dense->objectness.has_value()) {
    return InvalidArgument(kStage, "A head has an objectness where one is used, and only there.");
  }
  if (std::holds_alternative<KeyPointQueriesLayout>(job.head) && (job.masks || job.key_points))
    return InvalidArgument(kStage, "Queries with key points have no masks, and no other key points.");
  if (dense != nullptr && (dense->box_format == detection::BoxFormat::kOffsets) != dense->priors.has_value())
    return InvalidArgument(kStage, "A head has priors where its boxes are offsets, and only there.");
  return {};
}

}  // namespace im::trt
