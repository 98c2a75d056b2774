#include "image_arguments.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "lane_task.h"

namespace im {
namespace {

int Side(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, 1, kMaximumSide));
}

int Offset(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, -kMaximumSide, kMaximumSide));
}

Size ReadSize(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  return {Side(object, "width", name), Side(object, "height", name)};
}

Rectangle ReadRectangle(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto position = [&](const char* key) {
    return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, 0, kMaximumSide));
  };
  return {position("left"), position("top"), Side(object, "width", name), Side(object, "height", name)};
}

GeometryStep ReadStep(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto number = [&](const char* key) { return RequireNumber(Field(object, key), name + "." + key); };
  if (RequireOneOf(Field(object, "kind"), name + ".kind", {"resize", "sample"}) == 1) {
    return SampleStep{Side(object, "width", name),
                      Side(object, "height", name),
                      number("originX"),
                      number("originY"),
                      number("stepX"),
                      number("stepY")};
  }
  ResizeStep step;
  step.filter = static_cast<Filter>(
      RequireOneOf(Field(object, "filter"), name + ".filter", {"linear", "pillow", "none", "triangle", "cubic", "gaussian"}));
  step.width = Side(object, "width", name);
  step.height = Side(object, "height", name);
  const std::string canvas_name = name + ".canvas";
  const Napi::Object canvas = RequireObject(Field(object, "canvas"), canvas_name);
  step.canvas = {Side(canvas, "width", canvas_name), Side(canvas, "height", canvas_name), Offset(canvas, "left", canvas_name),
                 Offset(canvas, "top", canvas_name),
                 static_cast<float>(RequireNumber(Field(canvas, "fill"), canvas_name + ".fill"))};
  return step;
}

bool IsNull(Napi::Value value) { return value.IsNull() || value.IsUndefined(); }

void ReadTriple(Napi::Object object, const char* key, const std::string& name, float (&values)[3]) {
  const Napi::Value value = Field(object, key);
  if (IsNull(value)) return;
  if (!value.IsArray() || value.As<Napi::Array>().Length() != 3)
    ThrowArgument(value.Env(), name + "." + key, "an array of three numbers", value);
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < 3; ++i)
    values[i] = static_cast<float>(RequireNumber(list.Get(i), name + "." + key + "[" + std::to_string(i) + "]"));
}

Normalization ReadNormalization(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  Normalization result;
  if (!IsNull(Field(object, "divisor")))
    result.divisor = static_cast<float>(RequireNumber(Field(object, "divisor"), name + ".divisor"));
  if (!IsNull(Field(object, "factor")))
    result.factor = static_cast<float>(RequireNumber(Field(object, "factor"), name + ".factor"));
  ReadTriple(object, "mean", name, result.mean);
  ReadTriple(object, "std", name, result.std);
  return result;
}

}  // namespace

Image ReadImage(Napi::Value value) {
  const Napi::Object description = RequireObject(value, "image");
  Image image;
  image.width = Side(description, "width", "image");
  image.height = Side(description, "height", "image");
  image.channels = static_cast<int>(RequireInteger(Field(description, "channels"), "image.channels", 1, 4));
  image.color_format =
      static_cast<ColorFormat>(RequireOneOf(Field(description, "colorFormat"), "image.colorFormat", {"rgb", "bgr"}));
  return image;
}

PreprocessSteps ReadSteps(Napi::Value value) {
  const Napi::Object object = RequireObject(value, "steps");
  PreprocessSteps steps;
  steps.source = ReadSize(Field(object, "source"), "steps.source");
  steps.crop = ReadRectangle(Field(object, "crop"), "steps.crop");
  steps.grayscale = RequireBoolean(Field(object, "grayscale"), "steps.grayscale");
  if (!IsNull(Field(object, "contrast"))) {
    steps.contrast = static_cast<Contrast>(RequireOneOf(
        Field(object, "contrast"), "steps.contrast", {"contrast-stretching", "histogram-equalization", "adaptive-equalization"}));
  }
  const Napi::Value geometry = Field(object, "geometry");
  if (!geometry.IsArray()) ThrowArgument(value.Env(), "steps.geometry", "an array", geometry);
  const auto list = geometry.As<Napi::Array>();
  // Looked at once: a getter may change it.
  const std::uint32_t count = list.Length();
  if (count < 1 || count > 2) ThrowArgument(value.Env(), "steps.geometry", "one or two steps", geometry);
  for (std::uint32_t i = 0; i < count; ++i)
    steps.geometry.push_back(ReadStep(list.Get(i), "steps.geometry[" + std::to_string(i) + "]"));
  steps.swap_channels = RequireBoolean(Field(object, "swapChannels"), "steps.swapChannels");
  steps.normalization = ReadNormalization(Field(object, "normalization"), "steps.normalization");
  steps.output = ReadSize(Field(object, "output"), "steps.output");
  return steps;
}

StablePicture ReadPicture(Napi::Value pixels, Napi::Value image, Napi::Value steps) {
  const Napi::Env env = image.Env();
  StablePicture result{{ReadImage(image), ReadSteps(steps)}, nullptr, {}};
  const bool borrowed = RequireBoolean(Field(RequireObject(image, "image"), "borrowed"), "image.borrowed");
  // Last: reading an object can run a getter, and a getter can detach the pixels.
  const Span<const std::uint8_t> bytes = RequireUint8Array(pixels, "pixels");
  RequireLength(env, "pixels", ByteCount(result.picture.image), "bytes", bytes.size);
  result.picture.image.pixels = bytes.data;
  const Status valid = Validate(result.picture.image, result.picture.steps);
  if (!valid.ok()) ThrowStatus(env, valid);
  result.owner = bytes.owner;
  if (borrowed) {
    StableBytes stable = Stabilize(env, bytes, "the picture");
    result.copy = std::move(stable.copy);
    result.picture.image.pixels = static_cast<const std::uint8_t*>(stable.data);
  }
  return result;
}

void RequireLength(Napi::Env env, const char* name, std::size_t expected, const char* unit, std::size_t received) {
  if (received == expected) return;
  ThrowArgument(env, name, "an array of " + std::to_string(expected) + " " + unit,
                Napi::Number::New(env, static_cast<double>(received)));
}

}  // namespace im
