#include "decoding.h"

#include <cstring>
#include <limits>

#include "memory.h"

namespace im {
namespace {

constexpr std::int64_t kMaximumCount = std::numeric_limits<std::int32_t>::max();
// Of a network's input; float32 holds it exactly.
constexpr std::int64_t kMaximumSide = std::int64_t{1} << 20;
constexpr std::int64_t kMaximumStride = std::int64_t{1} << 40;

template <typename T>
Napi::ArrayBuffer Copy(Napi::Env env, const std::vector<T>& values) {
  const std::size_t bytes = values.size() * sizeof(T);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes != 0) std::memcpy(buffer.Data(), values.data(), bytes);
  return buffer;
}

}  // namespace

std::size_t RequireSlots(Napi::Value value, const std::string& name) {
  constexpr std::int64_t kMostSlots = 65535;
  return static_cast<std::size_t>(RequireInteger(value, name, 1, kMostSlots));
}

detection::KeyPointScale ReadKeyPointScale(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto read_size = [&](const char* key, double& width, double& height) {
    const std::string size_name = name + "." + key;
    const Napi::Object size = RequireObject(Field(object, key), size_name);
    width = RequireNumber(Field(size, "width"), size_name + ".width");
    height = RequireNumber(Field(size, "height"), size_name + ".height");
  };
  detection::KeyPointScale scale{};
  read_size("size", scale.width, scale.height);
  read_size("covarianceSize", scale.covariance_width, scale.covariance_height);
  return scale;
}

Napi::Object ToJavaScript(Napi::Env env, const detection::Detections& detections) {
  static_assert(sizeof(detection::Box) == 4 * sizeof(float), "boxes are handed out as float32 [n, 4]");
  Napi::Object rows = Napi::Object::New(env);
  const std::size_t n = detections.size();
  rows.Set("xyxy", Napi::Float32Array::New(env, 4 * n, Copy(env, detections.boxes), 0));
  rows.Set("scores", Napi::Float32Array::New(env, n, Copy(env, detections.scores), 0));
  rows.Set("classIds", Napi::Int32Array::New(env, n, Copy(env, detections.class_ids), 0));
  rows.Set("indices", Napi::Int32Array::New(env, n, Copy(env, detections.indices), 0));
  return rows;
}

Napi::Object ToJavaScript(Napi::Env env, const detection::KeyPoints& key_points) {
  Napi::Object result = Napi::Object::New(env);
  const auto set = [&](const char* name, const std::vector<float>& numbers) {
    result.Set(name, Napi::Float32Array::New(env, numbers.size(), Copy(env, numbers), 0));
  };
  set("points", key_points.positions);
  set("confidence", key_points.confidence);
  set("covariance", key_points.covariance);
  return result;
}

Napi::Object ToJavaScript(Napi::Env env, const detection::Instances& instances) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", ToJavaScript(env, instances.detections));
  result.Set("keyPoints", ToJavaScript(env, instances.key_points));
  return result;
}

Napi::Value ToJavaScript(Napi::Env env, const std::vector<std::int32_t>& positions) {
  return Napi::Int32Array::New(env, positions.size(), Copy(env, positions), 0);
}

Napi::Value ToJavaScript(Napi::Env env, const std::vector<double>& microseconds) {
  return Napi::Float64Array::New(env, microseconds.size(), Copy(env, microseconds), 0);
}

Napi::Value ToJavaScript(Napi::Env env, const masks::MaskRuns& masks) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("runs", Napi::Uint32Array::New(env, masks.runs.size(), Copy(env, masks.runs), 0));
  result.Set("offsets", Napi::Uint32Array::New(env, masks.offsets.size(), Copy(env, masks.offsets), 0));
  return result;
}

std::size_t RequireCount(Napi::Value value, const std::string& name, std::int64_t minimum) {
  return static_cast<std::size_t>(RequireInteger(value, name, minimum, kMaximumCount));
}

std::size_t RequireStride(Napi::Value value, const std::string& name) {
  return static_cast<std::size_t>(RequireInteger(value, name, 0, kMaximumStride));
}

MatrixArgument MatrixArgument::Read(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  MatrixArgument argument{name, Field(object, "data"), {}};
  argument.layout.offset = RequireStride(Field(object, "offset"), name + ".offset");
  argument.layout.candidate_stride = RequireStride(Field(object, "candidateStride"), name + ".candidateStride");
  argument.layout.attribute_stride = RequireStride(Field(object, "attributeStride"), name + ".attributeStride");
  return argument;
}

detection::Matrix MatrixArgument::View(std::size_t candidates, std::size_t attributes, std::vector<Span<float>>& arrays) const {
  arrays.push_back(RequireFloat32Array(data, name + ".data"));
  const Span<float>& array = arrays.back();
  const Result<detection::Matrix> view = detection::ViewMatrix(array.data, array.size, layout, candidates, attributes, name);
  if (!view.ok()) throw MakeError(data.Env(), view.status());
  return view.value();
}

detection::BoxFormat ReadBoxFormat(Napi::Value value, const std::string& name) {
  constexpr detection::BoxFormat kFormats[] = {detection::BoxFormat::kCenterSize, detection::BoxFormat::kCorners,
                                               detection::BoxFormat::kOffsets};
  return kFormats[RequireOneOf(value, name, {"cxcywh", "xyxy", "offsets"})];
}

detection::InputSize ReadInputSize(Napi::Value value, const std::string& name) {
  const Napi::Object size = RequireObject(value, name);
  const auto side = [&](const char* which) {
    return static_cast<float>(RequireInteger(Field(size, which), name + "." + which, 1, kMaximumSide));
  };
  const float width = side("width");
  return {width, side("height")};
}

detection::ObjectnessUse ReadObjectnessUse(Napi::Value value, const std::string& name) {
  constexpr detection::ObjectnessUse kUses[] = {detection::ObjectnessUse::kNone, detection::ObjectnessUse::kGate,
                                                detection::ObjectnessUse::kProduct};
  return kUses[RequireOneOf(value, name, {"none", "gate", "product"})];
}

SettingsArgument SettingsArgument::Read(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  SettingsArgument argument{name, Field(object, "thresholds"), {}};
  if (const Napi::Value iou = Field(object, "iouThreshold"); !iou.IsNull())
    argument.limits.iou_threshold = static_cast<float>(RequireNumber(iou, name + ".iouThreshold"));
  argument.limits.class_agnostic = RequireBoolean(Field(object, "classAgnostic"), name + ".classAgnostic");
  if (const Napi::Value maximum = Field(object, "maxDetections"); !maximum.IsNull())
    argument.limits.max_detections = RequireCount(maximum, name + ".maxDetections");
  return argument;
}

detection::Thresholds SettingsArgument::Thresholds() const {
  const Span<float> values = RequireFloat32Array(thresholds, name + ".thresholds");
  if (values.size == 0) ThrowArgument(thresholds.Env(), name + ".thresholds", "at least one threshold", thresholds);
  return detection::Thresholds(std::vector<float>(values.data, values.data + values.size));
}

bool AllOwned(const std::vector<Span<float>>& arrays) {
  for (const Span<float>& array : arrays) {
    if (!IsOwnedMemory(array.data, array.size * sizeof(float))) return false;
  }
  return true;
}

std::vector<Napi::Object> Owners(const std::vector<Span<float>>& arrays) {
  std::vector<Napi::Object> owners;
  for (const Span<float>& array : arrays) owners.push_back(array.owner);
  return owners;
}

}  // namespace im
