#include "maps/placement.h"

namespace im::maps {
namespace {

bool IsSide(std::size_t value) { return value >= 1 && value <= kMaximumSide; }

// Length of an axis after trimming; 0 when nothing, or too much, is left.
std::size_t Trimmed(std::size_t length, std::int64_t before, std::int64_t after) {
  constexpr auto limit = static_cast<std::int64_t>(kMaximumSide);
  if (before < -limit || before > limit || after < -limit || after > limit) return 0;
  const std::int64_t left = static_cast<std::int64_t>(length) - before - after;
  return left >= 1 && left <= limit ? static_cast<std::size_t>(left) : 0;
}

}  // namespace

Status Validate(const DenseMap& map, const Placement& placement) {
  const auto refuse = [](const char* message) { return InvalidArgument("maps", message); };
  if (!IsSide(map.width) || !IsSide(map.height) || !IsSide(map.channels))
    return refuse("A map needs 1 to 65535 channels, rows and columns.");
  if (!IsSide(placement.width) || !IsSide(placement.height) || !IsSide(placement.canvas_width) ||
      !IsSide(placement.canvas_height)) {
    return refuse("A map can be resized to sides of 1 to 65535 only.");
  }
  if (Trimmed(map.width, placement.trim_left, placement.trim_right) == 0 ||
      Trimmed(map.height, placement.trim_top, placement.trim_bottom) == 0) {
    return refuse("Trimming leaves nothing of the map, or more than 65535 rows or columns.");
  }
  // Also what is only cut: the part that is read has to lie in the map.
  if (placement.trim_left >= static_cast<std::int64_t>(map.width) ||
      placement.trim_right >= static_cast<std::int64_t>(map.width) ||
      placement.trim_top >= static_cast<std::int64_t>(map.height) ||
      placement.trim_bottom >= static_cast<std::int64_t>(map.height)) {
    return refuse("Trimming leaves nothing of the map.");
  }
  if (placement.left > placement.canvas_width || placement.width > placement.canvas_width - placement.left ||
      placement.top > placement.canvas_height || placement.height > placement.canvas_height - placement.top) {
    return refuse("The resized map does not lie within the picture.");
  }
  if (placement.canvas_width * placement.canvas_height > kMaximumPixels) return refuse("The picture has more than 2^30 pixels.");
  return {};
}

}  // namespace im::maps
