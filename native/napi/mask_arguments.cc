#include "mask_arguments.h"

#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "decoding.h"

namespace im {
namespace {

using masks::kMaximumSide;

std::int32_t RequireSide(Napi::Value value, const std::string& name) {
  return static_cast<std::int32_t>(RequireInteger(value, name, 1, kMaximumSide));
}

std::int32_t RequireShift(Napi::Value value, const std::string& name) {
  return static_cast<std::int32_t>(RequireInteger(value, name, -kMaximumSide, kMaximumSide));
}

masks::MaskSize RequireSize(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  return {RequireSide(Field(object, "width"), name + ".width"), RequireSide(Field(object, "height"), name + ".height")};
}

struct HeadArgument {
  masks::MaskHead head;
  MatrixArgument planes;
  std::optional<MatrixArgument> coefficients;
  std::size_t candidates = 0;  // rows of the coefficients

  static HeadArgument Read(Napi::Value value) {
    const Napi::Object object = RequireObject(value, "head");
    HeadArgument argument;
    argument.head.width = RequireSide(Field(object, "width"), "head.width");
    argument.head.height = RequireSide(Field(object, "height"), "head.height");
    argument.head.channels = RequireCount(Field(object, "channels"), "head.channels", 1);
    argument.head.sigmoid = RequireBoolean(Field(object, "sigmoid"), "head.sigmoid");
    argument.planes = MatrixArgument::Read(Field(object, "planes"), "head.planes");
    if (const Napi::Value coefficients = Field(object, "coefficients"); !coefficients.IsNull()) {
      argument.coefficients = MatrixArgument::Read(coefficients, "head.coefficients");
      argument.candidates = RequireCount(Field(coefficients.As<Napi::Object>(), "candidates"), "head.coefficients.candidates");
    }
    return argument;
  }

  std::size_t rows() const { return coefficients ? candidates : head.channels; }

  void View(std::vector<Span<float>>& arrays) {
    const std::size_t cells = static_cast<std::size_t>(head.width) * static_cast<std::size_t>(head.height);
    head.planes = planes.View(cells, head.channels, arrays);
    if (coefficients) head.coefficients = coefficients->View(candidates, head.channels, arrays);
  }
};

// The elements of a matrix in memory of our own, in an order that suits neither more nor less than the old one.
detection::Matrix CopyMatrix(const detection::Matrix& matrix, std::size_t candidates, std::size_t attributes,
                             std::vector<float>& memory) {
  memory.resize(candidates * attributes);
  for (std::size_t attribute = 0; attribute < attributes; ++attribute) {
    for (std::size_t candidate = 0; candidate < candidates; ++candidate) {
      memory[attribute * candidates + candidate] = matrix.At(candidate, attribute);
    }
  }
  return {memory.data(), 1, candidates};
}

}  // namespace

masks::MaskTarget ReadMaskTarget(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const Napi::Object trim = RequireObject(Field(object, "trim"), name + ".trim");
  masks::MaskTarget target{};
  target.trim.left = RequireShift(Field(trim, "left"), name + ".trim.left");
  target.trim.top = RequireShift(Field(trim, "top"), name + ".trim.top");
  target.trim.right = RequireShift(Field(trim, "right"), name + ".trim.right");
  target.trim.bottom = RequireShift(Field(trim, "bottom"), name + ".trim.bottom");
  target.resize = RequireSize(Field(object, "resize"), name + ".resize");
  target.left = RequireShift(Field(object, "left"), name + ".left");
  target.top = RequireShift(Field(object, "top"), name + ".top");
  const Napi::Value picture = Field(object, "picture");
  target.picture = RequireSize(picture, name + ".picture");
  if (std::int64_t{target.picture.width} * target.picture.height > std::numeric_limits<std::int32_t>::max()) {
    ThrowArgument(object.Env(), name + ".picture", "fewer than 2^31 pixels", picture);
  }
  target.threshold = static_cast<float>(RequireNumber(Field(object, "threshold"), name + ".threshold"));
  return target;
}

MaskArguments MaskArguments::Read(Napi::Value head_value, Napi::Value selection_value, Napi::Value target_value) {
  const Napi::Env env = head_value.Env();
  HeadArgument argument = HeadArgument::Read(head_value);
  const Napi::Object object = RequireObject(selection_value, "selection");
  const Napi::Value indices_argument = Field(object, "indices");
  const Napi::Value boxes_argument = Field(object, "boxes");
  MaskArguments arguments;
  masks::MaskSelection& selection = arguments.selection;
  selection.box_scale = static_cast<float>(RequireNumber(Field(object, "boxScale"), "selection.boxScale"));
  arguments.target = ReadMaskTarget(target_value, "target");

  // No JavaScript runs from here on.
  argument.View(arguments.arrays);
  const Span<const std::int32_t> indices = RequireInt32Array(indices_argument, "selection.indices");
  for (std::size_t i = 0; i < indices.size; ++i) {
    if (indices.data[i] < 0 || static_cast<std::size_t>(indices.data[i]) >= argument.rows()) {
      ThrowArgument(env, "selection.indices", "rows from 0 to " + std::to_string(argument.rows()) + ", exclusive",
                    indices_argument);
    }
  }
  selection.indices.assign(indices.data, indices.data + indices.size);
  arguments.cut = !boxes_argument.IsNull();
  if (arguments.cut) {
    const Span<float> boxes = RequireFloat32Array(boxes_argument, "selection.boxes");
    if (boxes.size != 4 * indices.size) ThrowArgument(env, "selection.boxes", "4 numbers for each index", boxes_argument);
    selection.boxes.resize(indices.size);
    if (indices.size != 0) std::memcpy(selection.boxes.data(), boxes.data, boxes.size * sizeof(float));
  }
  arguments.head = argument.head;
  arguments.candidates = argument.candidates;
  return arguments;
}

std::shared_ptr<const MaskArrays> MaskArguments::CopyArrays() {
  auto memory = std::make_shared<MaskArrays>();
  const std::size_t cells = static_cast<std::size_t>(head.width) * static_cast<std::size_t>(head.height);
  head.planes = CopyMatrix(head.planes, cells, head.channels, memory->planes);
  if (head.coefficients) head.coefficients = CopyMatrix(*head.coefficients, candidates, head.channels, memory->coefficients);
  arrays.clear();
  return memory;
}

}  // namespace im
