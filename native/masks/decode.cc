#include "masks/decode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "masks/bilinear.h"

namespace im::masks {
namespace {

std::int32_t LongestRange(const BilinearTaps& taps) {
  std::int32_t longest = 0;
  for (std::int32_t output = 0; output < taps.count(); ++output) {
    longest = std::max(longest, taps.range(output).end - taps.range(output).begin);
  }
  return longest;
}

class MaskWriter {
 public:
  MaskWriter(const MaskHead& head, const MaskTarget& target)
      : head_(head),
        target_(target),
        axes_(head.width, head.height, target),
        taps_(LongestRange(axes_.columns) + LongestRange(axes_.rows)) {}

  void Write(std::size_t index, const Region& within, std::vector<std::uint32_t>& runs) {
    RunWriter writer(runs);
    const auto height = static_cast<std::uint32_t>(target_.picture.height);
    const std::int32_t shown = axes_.columns.count();
    writer.Add(false, static_cast<std::uint32_t>(shown == 0 ? target_.picture.width : axes_.horizontal.start) * height);
    if (shown > 0) {
      Prepare(index, within);
      for (std::int32_t column = 0; column < shown; ++column) WriteColumn(column, writer);
      writer.Add(false, static_cast<std::uint32_t>(target_.picture.width - axes_.horizontal.start - shown) * height);
    }
    writer.End();
  }

 private:
  // Computes the cells of a mask, and which of them can lift an output above the threshold.
  void Prepare(std::size_t index, const Region& within) {
    region_ = TrimmedRegion(within, target_.trim, head_.width, head_.height);
    ComputeCells(head_, index, region_, cells_);
    line_.resize(static_cast<std::size_t>(region_.height()));
    first_column_ = region_.left - target_.trim.left;
    first_row_ = region_.top - target_.trim.top;

    float greatest = 0.0f;
    bool finite = true;
    for (const float value : cells_) {
      finite = finite && std::isfinite(value);
      greatest = std::max(greatest, std::fabs(value));
    }
    const float margin = finite ? SafeDistance(greatest, taps_) : std::numeric_limits<float>::infinity();
    above_ = target_.threshold + margin;
    below_ = target_.threshold - margin;
    active_ = {first_column_, first_row_, first_column_ + region_.width(), first_row_ + region_.height()};
    if (target_.threshold >= 0.0f && finite) NarrowActive();

    // Ranges rise along an axis, so the groups that meet the active rows are neighbours.
    first_group_ = std::partition_point(axes_.row_groups.begin(), axes_.row_groups.end(),
                                        [&](const TapGroup& g) { return g.range.end <= active_.top; });
    last_group_ = std::partition_point(first_group_, axes_.row_groups.end(),
                                       [&](const TapGroup& g) { return g.range.begin < active_.bottom; });
  }

  // Where all inputs are clearly below the threshold (or beyond the region, and so 0) the output is, too.
  void NarrowActive() {
    const auto height = static_cast<std::size_t>(region_.height());
    Region found{std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max(), 0, 0};
    for (std::int32_t x = 0; x < region_.width(); ++x) {
      const float* column = cells_.data() + static_cast<std::size_t>(x) * height;
      for (std::int32_t y = 0; y < region_.height(); ++y) {
        if (column[y] < below_) continue;
        found.left = std::min(found.left, x);
        found.right = x + 1;
        found.top = std::min(found.top, y);
        found.bottom = std::max(found.bottom, y + 1);
      }
    }
    if (found.empty()) found = {};
    active_ = {first_column_ + found.left, first_row_ + found.top, first_column_ + found.right, first_row_ + found.bottom};
  }

  void WriteColumn(std::int32_t column, RunWriter& writer) {
    const bool blank = 0.0f > target_.threshold;
    const TapRange range = axes_.columns.range(column);
    writer.Add(false, static_cast<std::uint32_t>(axes_.vertical.start));
    if (active_.empty() || range.end <= active_.left || range.begin >= active_.right) {
      writer.Add(blank, static_cast<std::uint32_t>(axes_.rows.count()));
    } else {
      ResizeColumn(range, axes_.columns.weights(column));
      std::int32_t written = 0;
      for (auto group = first_group_; group != last_group_; ++group) {
        if (group->first > written) writer.Add(blank, static_cast<std::uint32_t>(group->first - written));
        WriteGroup(*group, writer);
        written = group->end;
      }
      writer.Add(blank, static_cast<std::uint32_t>(axes_.rows.count() - written));
    }
    writer.Add(false, static_cast<std::uint32_t>(target_.picture.height - axes_.vertical.start - axes_.rows.count()));
  }

  // The cells of one output column, still at the height of the mask.
  void ResizeColumn(TapRange range, const float* weights) {
    const auto height = static_cast<std::size_t>(region_.height());
    std::fill(line_.begin(), line_.end(), 0.0f);
    const TapRange used = Clipped(range, first_column_, region_.width());
    for (std::int32_t input = used.begin; input < used.end; ++input) {
      const float weight = weights[input - range.begin];
      const float* cells = cells_.data() + static_cast<std::size_t>(input - first_column_) * height;
      float* line = line_.data();
      for (std::size_t y = 0; y < height; ++y) line[y] += weight * cells[y];
    }
  }

  // Between two rows of cells everything is on the side of the threshold that both are on.
  void WriteGroup(const TapGroup& group, RunWriter& writer) {
    const auto count = static_cast<std::uint32_t>(group.end - group.first);
    const TapRange used = Clipped(group.range, first_row_, region_.height());
    const bool whole = used.begin == group.range.begin && used.end == group.range.end;
    bool all_above = whole;
    bool all_below = whole || target_.threshold >= 0.0f;
    const float* line = line_.data() + (used.begin - first_row_);
    const std::int32_t taps = used.end - used.begin;
    for (std::int32_t i = 0; i < taps; ++i) {
      const float value = line[i];
      all_above = all_above && value > above_;
      all_below = all_below && value < below_;
    }
    if (all_above || all_below) {
      writer.Add(all_above, count);
      return;
    }
    // Weights of neighbours lie one after the other.
    const float* weights = axes_.rows.weights(group.first) + (used.begin - group.range.begin);
    for (std::int32_t output = group.first; output < group.end; ++output) {
      writer.Add(WeightedSum(weights, taps, [line](std::int32_t i) { return line[i]; }) > target_.threshold, 1);
      weights += group.range.end - group.range.begin;
    }
  }

  const MaskHead& head_;
  const MaskTarget& target_;
  const MaskAxes axes_;
  const std::int32_t taps_;  // that one pixel is made of, at most, in both sums

  // Of the mask being written. Active cells and first rows and columns count from where the trimmed mask begins.
  Region region_;
  std::vector<float> cells_;
  std::vector<float> line_;
  std::int32_t first_column_ = 0;
  std::int32_t first_row_ = 0;
  Region active_;
  float above_ = 0.0f;
  float below_ = 0.0f;
  std::vector<TapGroup>::const_iterator first_group_;
  std::vector<TapGroup>::const_iterator last_group_;
};

}  // namespace

MaskRuns DecodeMasks(const MaskHead& head, const MaskSelection& selection, const MaskTarget& target) {
  MaskRuns masks;
  masks.offsets.push_back(0);
  MaskWriter writer(head, target);
  for (std::size_t i = 0; i < selection.indices.size(); ++i) {
    const Region whole{0, 0, head.width, head.height};
    const Region within =
        selection.boxes.empty() ? whole : RegionOfBox(selection.boxes[i], selection.box_scale, head.width, head.height);
    writer.Write(static_cast<std::size_t>(selection.indices[i]), within, masks.runs);
    masks.offsets.push_back(static_cast<std::uint32_t>(masks.runs.size()));
  }
  return masks;
}

}  // namespace im::masks
