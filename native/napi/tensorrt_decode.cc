#include "tensorrt_decode.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "decoding.h"
#include "mask_arguments.h"

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

trt::KeyPointQueriesLayout ReadKeyPointQueries(Napi::Object head) {
  trt::KeyPointQueriesLayout layout;
  layout.queries = ReadQueries(head);
  layout.points = RequireCount(Field(head, "points"), "request.head.points");
  layout.slots = RequireSlots(Field(head, "slots"), "request.head.slots");
  const Napi::Value scales = Field(head, "scales");
  if (!scales.IsArray()) ThrowArgument(head.Env(), "request.head.scales", "an array of one scale for each picture", scales);
  const Napi::Array list = scales.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i)
    layout.scales.push_back(ReadKeyPointScale(list.Get(i), "request.head.scales[" + std::to_string(i) + "]"));
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
  const Napi::Value targets = Field(object, "targets");
  if (!targets.IsArray()) ThrowArgument(value.Env(), "request.masks.targets", "an array of one target for each picture", targets);
  const Napi::Array list = targets.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i)
    masks.targets.push_back(ReadMaskTarget(list.Get(i), "request.masks.targets[" + std::to_string(i) + "]"));
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

}  // namespace

trt::DecodeJob ReadDecodeJob(Napi::Value value) {
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

}  // namespace im
