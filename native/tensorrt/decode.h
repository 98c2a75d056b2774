// What a run has the device make of the network's outputs, behind it in the same stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/status.h"
#include "detection/key_points.h"
#include "detection/priors.h"
#include "kernels/key_point_queries.h"
#include "kernels/map_maker.h"
#include "kernels/mask_assembler.h"
#include "tensorrt/engine.h"

namespace im::trt {

// A matrix within an output [batch, attributes, candidates] or [batch, candidates, attributes]: the attributes from `from` on.
struct HeadPart {
  std::size_t output = 0;  // index
  bool attributes_first = false;
  std::size_t from = 0;
};

// Boxes that all pictures share.
struct PriorsLayout {
  std::size_t output = 0;  // [candidates, 4] or [1, candidates, 4]
  detection::InputSize input_size;
};

// A head as an engine has it; sizes are those of the outputs of a run.
struct DenseLayout {
  HeadPart boxes;
  detection::BoxFormat box_format = detection::BoxFormat::kCenterSize;
  std::optional<PriorsLayout> priors;  // with kOffsets
  HeadPart scores;
  std::size_t extras = 0;              // attributes behind the class scores
  std::optional<HeadPart> objectness;  // unless kNone
  detection::ObjectnessUse objectness_use = detection::ObjectnessUse::kNone;
};
struct QueriesLayout {
  std::size_t boxes = 0;                    // output [batch, queries, 4]
  std::size_t logits = 0;                   // output [batch, queries, classes]
  std::vector<std::int32_t> class_mapping;  // as in kernels::DeviceQueriesHead
};
struct RowsLayout {
  std::size_t output = 0;  // [batch, rows, 6 or more]
  bool inclusive = false;  // as in kernels::DeviceRowsHead
};

// Queries with points of their own; `queries` decides as much as the points do.
struct KeyPointQueriesLayout {
  QueriesLayout queries;
  std::size_t points = 0;  // output [batch, queries, classes x slots, numbers]
  std::size_t slots = 0;
  std::vector<detection::KeyPointScale> scales;  // one for each picture
};

// Key points of what was found: detection::kNumbersAPoint attributes of its candidate for each slot.
struct KeyPointsLayout {
  HeadPart part;
  std::size_t slots = 0;
};

// Masks of what was found.
struct MasksLayout {
  std::size_t planes = 0;  // output [batch, channels, height, width] or [batch, height, width, channels]
  bool channels_first = true;
  std::optional<HeadPart> coefficients;  // one for each channel; none: a candidate has a plane of its own
  bool sigmoid = false;
  std::optional<kernels::MaskCut> cut;
  std::vector<masks::MaskTarget> targets;  // one for each picture
};

// Instead of boxes a class, or a value, for every pixel of each picture.
struct MapLayout {
  std::size_t planes = 0;  // output [batch, channels, height, width], or, of one channel, [batch, height, width]
  std::variant<maps::ClassMapSettings, Kernel> kind;
  std::vector<maps::Placement> placements;  // one for each picture
};

struct DecodeJob {
  std::variant<DenseLayout, QueriesLayout, RowsLayout, KeyPointQueriesLayout> head;
  // The first ones of the batch; the others are padding.
  std::size_t pictures = 0;
  detection::Thresholds thresholds{std::vector<float>{}};
  detection::Limits limits;
  // Neither for KeyPointQueriesLayout.
  std::optional<MasksLayout> masks;
  std::optional<KeyPointsLayout> key_points;
  // Instead of all that.
  std::optional<MapLayout> map;
  // Outputs that are downloaded besides, by index.
  std::vector<std::size_t> wanted;
};

// What becomes of the outputs of one picture.
struct Decoded {
  detection::Detections detections;                // none where the job asks for a map
  std::optional<kernels::PictureMasks> masks;      // where the job asks for them
  std::optional<detection::KeyPoints> key_points;  // likewise, and where the head has them
  std::optional<kernels::PictureMap> map;
};

// What of a job a captured graph holds by value; jobs that are equal in it may share one.
Shape KeyOf(const DecodeJob& job);

// Whether the job names outputs that there are, and of float32 or float16 where it reads them.
Status CheckDecodeJob(const DecodeJob& job, const std::vector<Tensor>& outputs);

}  // namespace im::trt
