#include "tensorrt_decode.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "decoding.h"
#include "map_arguments.h"
#include "mask_arguments.h"
#include "memory.h"

namespace im {
namespace {

// Far more than any engine has outputs.
constexpr std::uint32_t kMaximumOutputs = 1024;

trt::HeadPart ReadPart(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  trt::HeadPart part;
  part.output = RequireCount(Field(object, "output"), name + ".output");
  part.attributes_first = RequireOneOf(Field(object, "attributes"), name + ".attributes", {"first", "last"}) == 0;
  part.from = RequireCount(Field(object, "from"), name + ".from");
  return part;
}

trt::DenseLayout ReadDense(Napi::Object head) {
  trt::DenseLayout layout;
  layout.boxes = ReadPart(Field(head, "boxes"), "request.head.boxes");
  layout.box_format = ReadBoxFormat(Field(head, "boxFormat"), "request.head.boxFormat");
  if (layout.box_format == detection::BoxFormat::kOffsets) {
    const Napi::Object priors = RequireObject(Field(head, "priors"), "request.head.priors");
    const std::size_t output = RequireCount(Field(priors, "output"), "request.head.priors.output");
    layout.priors = trt::PriorsLayout{output, ReadInputSize(Field(priors, "inputSize"), "request.head.priors.inputSize")};
  }
  layout.scores = ReadPart(Field(head, "scores"), "request.head.scores");
  layout.extras = RequireCount(Field(head, "extras"), "request.head.extras");
  layout.objectness_use = ReadObjectnessUse(Field(head, "objectnessUse"), "request.head.objectnessUse");
  const Napi::Value objectness = Field(head, "objectness");
  if (layout.objectness_use != detection::ObjectnessUse::kNone)
    layout.objectness = ReadPart(objectness, "request.head.objectness");
  return layout;
}

trt::QueriesLayout ReadQueries(Napi::Object head) {
  trt::QueriesLayout layout;
  layout.boxes = RequireCount(Field(head, "boxes"), "request.head.boxes");
  layout.logits = RequireCount(Field(head, "logits"), "request.head.logits");
  const Span<const std::int32_t> mapping = RequireInt32Array(Field(head, "classMapping"), "request.head.classMapping");
  layout.class_mapping.assign(mapping.data, mapping.data + mapping.size);
  return layout;
}

trt::RowsLayout ReadRows(Napi::Object head) {
  return {RequireCount(Field(head, "output"), "request.head.output"),
          RequireBoolean(Field(head, "inclusive"), "request.head.inclusive")};
}

Napi::Array RequireList(Napi::Value value, const std::string& name) {
  if (!value.IsArray()) ThrowArgument(value.Env(), name, "an array with one entry for each picture", value);
  return value.As<Napi::Array>();
}

trt::KeyPointQueriesLayout ReadKeyPointQueries(Napi::Object head) {
  trt::KeyPointQueriesLayout layout;
  layout.queries = ReadQueries(head);
  layout.points = RequireCount(Field(head, "points"), "request.head.points");
  layout.slots = RequireSlots(Field(head, "slots"), "request.head.slots");
  const Napi::Array scales = RequireList(Field(head, "scales"), "request.head.scales");
  for (std::uint32_t i = 0; i < scales.Length(); ++i)
    layout.scales.push_back(ReadKeyPointScale(scales.Get(i), "request.head.scales[" + std::to_string(i) + "]"));
  return layout;
}

void ReadHead(Napi::Object head, trt::DecodeJob& job) {
  switch (RequireOneOf(Field(head, "kind"), "request.head.kind", {"dense", "queries", "rows", "key-point-queries"})) {
    case 0: job.head = ReadDense(head); break;
    case 1: job.head = ReadQueries(head); break;
    case 2: job.head = ReadRows(head); break;
    default: job.head = ReadKeyPointQueries(head);
  }
}

trt::KeyPointsLayout ReadKeyPoints(Napi::Value value) {
  const Napi::Object object = RequireObject(value, "request.keyPoints");
  return {ReadPart(object, "request.keyPoints"), RequireSlots(Field(object, "slots"), "request.keyPoints.slots")};
}

trt::MasksLayout ReadMasks(Napi::Value value) {
  const Napi::Object object = RequireObject(value, "request.masks");
  trt::MasksLayout masks;
  masks.planes = RequireCount(Field(object, "planes"), "request.masks.planes");
  masks.channels_first = RequireOneOf(Field(object, "channels"), "request.masks.channels", {"first", "last"}) == 0;
  if (const Napi::Value coefficients = Field(object, "coefficients"); !coefficients.IsNull())
    masks.coefficients = ReadPart(coefficients, "request.masks.coefficients");
  masks.sigmoid = RequireBoolean(Field(object, "sigmoid"), "request.masks.sigmoid");
  if (const Napi::Value scale = Field(object, "boxScale"); !scale.IsNull())
    masks.cut = kernels::MaskCut{static_cast<float>(RequireNumber(scale, "request.masks.boxScale"))};
  const Napi::Array targets = RequireList(Field(object, "targets"), "request.masks.targets");
  for (std::uint32_t i = 0; i < targets.Length(); ++i)
    masks.targets.push_back(ReadMaskTarget(targets.Get(i), "request.masks.targets[" + std::to_string(i) + "]"));
  return masks;
}

std::vector<std::size_t> ReadWanted(Napi::Value value) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() > kMaximumOutputs)
    ThrowArgument(value.Env(), "request.outputs", "an array of at most " + std::to_string(kMaximumOutputs) + " indices", value);
  const Napi::Array list = value.As<Napi::Array>();
  const std::uint32_t count = list.Length();
  std::vector<std::size_t> wanted;
  for (std::uint32_t i = 0; i < count; ++i)
    wanted.push_back(RequireCount(list.Get(i), "request.outputs[" + std::to_string(i) + "]"));
  return wanted;
}

// In memory that goes on being the vector's.
template <typename TypedArray, typename Element>
Napi::Value Adopt(Napi::Env env, std::vector<Element>&& elements) {
  auto* owner = new std::vector<Element>(std::move(elements));
  const auto release = [](void* hint) { delete static_cast<std::vector<Element>*>(hint); };
  return TypedArray::New(env, owner->size(), AdoptBuffer(env, owner->data(), owner->size() * sizeof(Element), release, owner), 0);
}

Napi::Value MapToJavaScript(Napi::Env env, kernels::PictureMap&& map) {
  const bool narrow = !map.ids.empty();
  if (!narrow && map.wide_ids.empty()) return Adopt<Napi::Float32Array>(env, std::move(map.values));
  Napi::Object result = Napi::Object::New(env);
  result.Set("classMap",
             narrow ? Adopt<Napi::Uint8Array>(env, std::move(map.ids)) : Adopt<Napi::Uint16Array>(env, std::move(map.wide_ids)));
  result.Set("confidence", Adopt<Napi::Float32Array>(env, std::move(map.values)));
  return result;
}

}  // namespace

trt::DecodeJob ReadDetectionJob(Napi::Value value) {
  const Napi::Object request = RequireObject(value, "request");
  trt::DecodeJob job;
  ReadHead(RequireObject(Field(request, "head"), "request.head"), job);
  job.pictures = RequireCount(Field(request, "pictures"), "request.pictures", 1);
  const SettingsArgument settings = SettingsArgument::Read(Field(request, "settings"), "request.settings");
  job.limits = settings.limits;
  if (const Napi::Value masks = Field(request, "masks"); !masks.IsUndefined()) job.masks = ReadMasks(masks);
  if (const Napi::Value points = Field(request, "keyPoints"); !points.IsUndefined()) job.key_points = ReadKeyPoints(points);
  job.wanted = ReadWanted(Field(request, "outputs"));
  job.thresholds = settings.Thresholds();
  return job;
}

trt::DecodeJob ReadMapJob(Napi::Value value) {
  const Napi::Object request = RequireObject(value, "request");
  trt::MapLayout map;
  map.planes = RequireCount(Field(request, "planes"), "request.planes");
  map.kind = ReadMapFilter(Field(request, "filter"), "request.filter");
  if (const Napi::Value classes = Field(request, "classes"); !classes.IsNull())
    map.kind = ReadClassMapSettings(classes, "request.classes");
  const Napi::Array placements = RequireList(Field(request, "placements"), "request.placements");
  for (std::uint32_t i = 0; i < placements.Length(); ++i)
    map.placements.push_back(ReadPlacement(placements.Get(i), "request.placements[" + std::to_string(i) + "]"));
  trt::DecodeJob job;
  job.pictures = map.placements.size();
  job.map = std::move(map);
  job.wanted = ReadWanted(Field(request, "outputs"));
  return job;
}

Napi::Value ToJavaScript(Napi::Env env, trt::Decoded&& decoded) {
  if (decoded.map) return MapToJavaScript(env, std::move(*decoded.map));
  Napi::Object picture = Napi::Object::New(env);
  picture.Set("rows", ToJavaScript(env, decoded.detections));
  if (decoded.masks) picture.Set("masks", decoded.masks->complete ? ToJavaScript(env, decoded.masks->masks) : env.Null());
  if (decoded.key_points) picture.Set("keyPoints", ToJavaScript(env, *decoded.key_points));
  return picture;
}

}  // namespace im
