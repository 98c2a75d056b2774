#include "tensorrt_decode.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "decoding.h"

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
  const Napi::Object head = RequireObject(Field(request, "head"), "request.head");
  if (RequireOneOf(Field(head, "kind"), "request.head.kind", {"dense", "queries"}) == 0) job.head = ReadDense(head);
  else job.head = ReadQueries(head);
  job.pictures = RequireCount(Field(request, "pictures"), "request.pictures", 1);
  const SettingsArgument settings = SettingsArgument::Read(Field(request, "settings"), "request.settings");
  job.limits = settings.limits;
  job.wanted = ReadWanted(Field(request, "outputs"));
  job.thresholds = settings.Thresholds();
  return job;
}

}  // namespace im
