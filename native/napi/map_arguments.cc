#include "map_arguments.h"

#include "arguments.h"

namespace im {
namespace {

std::size_t Side(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<std::size_t>(
      RequireInteger(Field(object, key), name + "." + key, 1, static_cast<std::int64_t>(maps::kMaximumSide)));
}

}  // namespace

maps::Placement ReadPlacement(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto integer = [](Napi::Object of, const char* key, const std::string& of_name) {
    constexpr auto limit = static_cast<std::int64_t>(maps::kMaximumSide);
    return RequireInteger(Field(of, key), of_name + "." + key, -limit, limit);
  };
  maps::Placement placement;
  const Napi::Object trim = RequireObject(Field(object, "trim"), name + ".trim");
  placement.trim_left = integer(trim, "left", name + ".trim");
  placement.trim_top = integer(trim, "top", name + ".trim");
  placement.trim_right = integer(trim, "right", name + ".trim");
  placement.trim_bottom = integer(trim, "bottom", name + ".trim");
  const Napi::Object resize = RequireObject(Field(object, "resize"), name + ".resize");
  placement.width = Side(resize, "width", name + ".resize");
  placement.height = Side(resize, "height", name + ".resize");
  const Napi::Object canvas = RequireObject(Field(object, "canvas"), name + ".canvas");
  placement.canvas_width = Side(canvas, "width", name + ".canvas");
  placement.canvas_height = Side(canvas, "height", name + ".canvas");
  const auto position = [&](const char* key) {
    return static_cast<std::size_t>(
        RequireInteger(Field(canvas, key), name + ".canvas." + key, 0, static_cast<std::int64_t>(maps::kMaximumSide)));
  };
  placement.left = position("left");
  placement.top = position("top");
  return placement;
}

maps::ClassMapSettings ReadClassMapSettings(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  constexpr std::int64_t kLargestId = 65535;
  maps::ClassMapSettings settings;
  settings.background =
      static_cast<std::uint16_t>(RequireInteger(Field(object, "background"), name + ".background", 0, kLargestId));
  // All properties before the first pointer: a getter may detach an array.
  const Napi::Value ids_value = Field(object, "classIds");
  const Napi::Value thresholds_value = Field(object, "thresholds");
  const Span<const std::int32_t> ids = RequireInt32Array(ids_value, name + ".classIds");
  for (std::size_t i = 0; i < ids.size; ++i) {
    if (ids.data[i] < 0 || ids.data[i] > kLargestId)
      ThrowArgument(value.Env(), name + ".classIds", "ids of 0 to 65535", ids_value);
    settings.class_ids.push_back(static_cast<std::uint16_t>(ids.data[i]));
  }
  const Span<float> thresholds = RequireFloat32Array(thresholds_value, name + ".thresholds");
  if (thresholds.size == 0) ThrowArgument(value.Env(), name + ".thresholds", "at least one threshold", thresholds_value);
  settings.thresholds.assign(thresholds.data, thresholds.data + thresholds.size);
  return settings;
}

Kernel ReadMapFilter(Napi::Value value, const std::string& name) {
  constexpr Kernel kFilters[] = {Kernel::kTriangle, Kernel::kNearestCubic};
  return kFilters[RequireOneOf(value, name, {"triangle", "nearest-cubic"})];
}

}  // namespace im
