// The decoders of boxes and key points of src/native/addon.ts. A head in the caller's memory is read
// at once, which is cheaper than copying it; only suppressing many boxes, which by then are ours, still moves to a compute
// thread.
#include "detection_bindings.h"

#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../detection/dense.h"
#include "../detection/key_points.h"
#include "../detection/nms.h"
#include "../detection/queries.h"
#include "../detection/rows.h"
#include "arguments.h"
#include "decoding.h"
#include "environment.h"
#include "memory.h"

namespace im {
namespace {

using detection::Detections;

// Numbers read on the JavaScript thread rather than elsewhere: about 10 microseconds.
constexpr std::size_t kSmallHead = std::size_t{1} << 15;
// Boxes suppressed on the JavaScript thread rather than elsewhere: at most some 20 microseconds.
constexpr std::size_t kFewBoxes = 256;
// A point of a query takes as long as reading so many numbers: exponentials and logarithms.
constexpr std::size_t kWorkOfAPoint = 256;

// Work that reads a head of `numbers` floats and does not take long afterwards.
template <typename Output>
Napi::Promise RunWhereItSuits(Napi::Env env, std::size_t numbers, const std::vector<Span<float>>& arrays,
                              std::function<Output()> work) {
  if (numbers > kSmallHead && AllOwned(arrays)) return RunElsewhere(env, std::move(work), Owners(arrays));
  return RunHere(env, std::move(work));
}

Napi::Value DecodeDense(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object argument = RequireObject(info[0], "head");
  detection::DenseHead head;
  head.candidates = RequireCount(Field(argument, "candidates"), "head.candidates");
  head.classes = RequireCount(Field(argument, "classes"), "head.classes", 1);
  head.box_format = ReadBoxFormat(Field(argument, "boxFormat"), "head.boxFormat");
  head.objectness_use = ReadObjectnessUse(Field(argument, "objectnessUse"), "head.objectnessUse");
  const MatrixArgument boxes = MatrixArgument::Read(Field(argument, "boxes"), "head.boxes");
  const MatrixArgument scores = MatrixArgument::Read(Field(argument, "scores"), "head.scores");
  std::optional<MatrixArgument> objectness;
  if (const Napi::Value value = Field(argument, "objectness"); head.objectness_use != detection::ObjectnessUse::kNone) {
    objectness = MatrixArgument::Read(value, "head.objectness");
  }
  std::optional<MatrixArgument> priors;
  if (head.box_format == detection::BoxFormat::kOffsets) {
    const Napi::Value value = Field(argument, "priors");
    priors = MatrixArgument::Read(value, "head.priors");
    head.input_size = ReadInputSize(Field(value.As<Napi::Object>(), "inputSize"), "head.priors.inputSize");
  }
  const SettingsArgument settings = SettingsArgument::Read(info[1], "settings");

  std::vector<Span<float>> arrays;
  head.boxes = boxes.View(head.candidates, 4, arrays);
  if (priors) head.priors = priors->View(head.candidates, 4, arrays);
  head.scores = scores.View(head.candidates, head.classes, arrays);
  if (objectness) head.objectness = objectness->View(head.candidates, 1, arrays);
  const detection::Thresholds thresholds = settings.Thresholds();
  const detection::Limits limits = settings.limits;

  const std::size_t numbers = head.candidates * (4 + head.classes + (objectness ? 1 : 0));
  if (numbers > kSmallHead && AllOwned(arrays)) {
    return RunElsewhere<Detections>(
        env, [head, thresholds, limits] { return detection::SelectBest(detection::GatherDense(head, thresholds), limits); },
        Owners(arrays));
  }
  auto candidates = std::make_shared<Detections>();
  try {
    *candidates = detection::GatherDense(head, thresholds);
  } catch (const std::bad_alloc&) {
    throw MakeError(env, {Code::kOutOfMemory, "decode", "Not enough memory for the candidates of this head."});
  }
  std::function<Detections()> select = [candidates, limits] { return detection::SelectBest(*candidates, limits); };
  return candidates->size() > kFewBoxes ? RunElsewhere(env, std::move(select)) : RunHere(env, std::move(select));
}

Napi::Value DecodeRows(const Napi::CallbackInfo& info) {
  const Napi::Object argument = RequireObject(info[0], "head");
  MatrixArgument rows{"head", Field(argument, "data"), {}};
  detection::RowsHead head;
  head.count = RequireCount(Field(argument, "rows"), "head.rows");
  const std::size_t columns = RequireCount(Field(argument, "columns"), "head.columns", 6);
  head.inclusive = RequireBoolean(Field(argument, "inclusive"), "head.inclusive");
  rows.layout = {RequireStride(Field(argument, "offset"), "head.offset"), columns, 1};
  const SettingsArgument settings = SettingsArgument::Read(info[1], "settings");

  std::vector<Span<float>> arrays;
  head.rows = rows.View(head.count, columns, arrays);
  const std::size_t limit = settings.limits.max_detections;
  return RunWhereItSuits<Detections>(info.Env(), head.count * columns, arrays, [head, thresholds = settings.Thresholds(), limit] {
    return detection::FilterRows(head, thresholds, limit);
  });
}

// What heads of queries have in common; `Head` is one of native/detection.
struct QueriesArgument {
  MatrixArgument boxes;
  MatrixArgument logits;
  Napi::Value class_mapping;
  std::size_t queries;
  std::size_t classes;

  static QueriesArgument Read(Napi::Object object) {
    QueriesArgument argument{{"head.boxes", Field(object, "boxes"), {}},
                             {"head.logits", Field(object, "logits"), {}},
                             Field(object, "classMapping"),
                             RequireCount(Field(object, "queries"), "head.queries"),
                             RequireCount(Field(object, "classes"), "head.classes", 1)};
    argument.boxes.layout = {RequireStride(Field(object, "boxesOffset"), "head.boxesOffset"), 4, 1};
    argument.logits.layout = {RequireStride(Field(object, "logitsOffset"), "head.logitsOffset"), argument.classes, 1};
    return argument;
  }

  template <typename Head>
  void View(Head& head, std::vector<Span<float>>& arrays) const {
    head.queries = queries;
    head.classes = classes;
    head.boxes = boxes.View(queries, 4, arrays);
    head.logits = logits.View(queries, classes, arrays);
    const Span<const std::int32_t> mapping = RequireInt32Array(class_mapping, "head.classMapping");
    if (mapping.size != classes) {
      ThrowArgument(class_mapping.Env(), "head.classMapping", "one entry for each of " + std::to_string(classes) + " classes",
                    class_mapping);
    }
    head.class_mapping.assign(mapping.data, mapping.data + mapping.size);
  }
};

Napi::Value DecodeQueries(const Napi::CallbackInfo& info) {
  const QueriesArgument argument = QueriesArgument::Read(RequireObject(info[0], "head"));
  const SettingsArgument settings = SettingsArgument::Read(info[1], "settings");

  std::vector<Span<float>> arrays;
  detection::QueriesHead head;
  argument.View(head, arrays);
  const std::size_t limit = settings.limits.max_detections;
  return RunWhereItSuits<Detections>(
      info.Env(), head.queries * (4 + head.classes), arrays,
      [head, thresholds = settings.Thresholds(), limit] { return detection::SelectQueries(head, thresholds, limit); });
}

Napi::Value DecodeKeyPointQueries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object object = RequireObject(info[0], "head");
  const QueriesArgument argument = QueriesArgument::Read(object);
  detection::KeyPointQueriesHead head;
  head.slots = RequireSlots(Field(object, "slots"), "head.slots");
  const std::size_t numbers = RequireCount(Field(object, "numbers"), "head.numbers", detection::kNumbersAQueryPoint);
  MatrixArgument points{"head.points", Field(object, "points"), {}};
  points.layout = {RequireStride(Field(object, "pointsOffset"), "head.pointsOffset"), numbers, 1};
  head.scale = ReadKeyPointScale(object, "head");
  const SettingsArgument settings = SettingsArgument::Read(info[1], "settings");

  std::vector<Span<float>> arrays;
  argument.View(head, arrays);
  // Does not overflow: by now there are as many logits as queries times classes.
  const std::size_t count = head.queries * head.classes * head.slots;
  head.points = points.View(count, numbers, arrays);
  const std::size_t limit = settings.limits.max_detections;
  return RunWhereItSuits<detection::Instances>(
      env, count * kWorkOfAPoint, arrays,
      [head, thresholds = settings.Thresholds(), limit] { return detection::DecodeKeyPointQueries(head, thresholds, limit); });
}

Napi::Value GatherKeyPoints(const Napi::CallbackInfo& info) {
  const Napi::Object argument = RequireObject(info[0], "attributes");
  const MatrixArgument attributes = MatrixArgument::Read(argument, "attributes");
  const std::size_t candidates = RequireCount(Field(argument, "candidates"), "attributes.candidates");
  const std::size_t slots = RequireSlots(info[2], "slots");

  std::vector<Span<float>> arrays;
  const detection::Matrix matrix = attributes.View(candidates, slots * detection::kNumbersAPoint, arrays);
  const Span<const std::int32_t> given = RequireInt32Array(info[1], "indices");
  std::vector<std::int32_t> indices(given.data, given.data + given.size);
  for (const std::int32_t index : indices) {
    if (index < 0 || static_cast<std::size_t>(index) >= candidates)
      ThrowArgument(info.Env(), "indices", "candidates from 0 to " + std::to_string(candidates) + " (exclusive)", info[1]);
  }
  const std::size_t numbers = indices.size() * slots * detection::kNumbersAPoint;
  return RunWhereItSuits<detection::KeyPoints>(info.Env(), numbers, arrays, [matrix, indices = std::move(indices), slots] {
    return detection::GatherKeyPoints(matrix, indices, slots);
  });
}

Napi::Value NonMaximumSuppression(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto iou_threshold = static_cast<float>(RequireNumber(info[3], "iouThreshold"));
  const Span<float> xyxy = RequireFloat32Array(info[0], "xyxy");
  const Span<float> scores = RequireFloat32Array(info[1], "scores");
  const Span<const std::int32_t> class_ids = RequireInt32Array(info[2], "classIds");
  const std::size_t n = scores.size;
  if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    ThrowArgument(env, "scores", "fewer than 2^31 scores", info[1]);
  if (xyxy.size != 4 * n) ThrowArgument(env, "xyxy", "4 numbers for each of " + std::to_string(n) + " scores", info[0]);
  if (class_ids.size != n) ThrowArgument(env, "classIds", "one class id for each of " + std::to_string(n) + " scores", info[2]);

  auto boxes = std::make_shared<Detections>();
  boxes->boxes.resize(n);
  if (n != 0) std::memcpy(boxes->boxes.data(), xyxy.data, n * sizeof(detection::Box));
  boxes->scores.assign(scores.data, scores.data + n);
  boxes->class_ids.assign(class_ids.data, class_ids.data + n);
  std::function<std::vector<std::int32_t>()> suppress = [boxes, iou_threshold] {
    return detection::NonMaximumSuppression(boxes->boxes, boxes->scores, &boxes->class_ids, iou_threshold, SIZE_MAX);
  };
  return n > kFewBoxes ? RunElsewhere(env, std::move(suppress)) : RunHere(env, std::move(suppress));
}

}  // namespace

void ExportDetection(Napi::Env env, Napi::Object exports) {
  exports.Set("decodeDense", Napi::Function::New(env, DecodeDense, "decodeDense"));
  exports.Set("decodeRows", Napi::Function::New(env, DecodeRows, "decodeRows"));
  exports.Set("decodeQueries", Napi::Function::New(env, DecodeQueries, "decodeQueries"));
  exports.Set("decodeKeyPointQueries", Napi::Function::New(env, DecodeKeyPointQueries, "decodeKeyPointQueries"));
  exports.Set("gatherKeyPoints", Napi::Function::New(env, GatherKeyPoints, "gatherKeyPoints"));
  exports.Set("nonMaximumSuppression", Napi::Function::New(env, NonMaximumSuppression, "nonMaximumSuppression"));
}

}  // namespace im
