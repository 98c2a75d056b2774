#include "masks/decode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "masks/bilinear.h"

namespace im::masks {
namespace {

// Outputs of an axis that the picture shows: from `first`, `count` of them, beginning at `start` in the picture.
struct Visible {
  std::int32_t first;
  std::int32_t count;
  std::int32_t start;
};

Visible VisiblePart(std::int32_t position, std::int32_t length, std::int32_t limit) {
  const std::int32_t first = std::max(0, -position);
  const std::int32_t end = std::min(length, limit - position);
  return {first, std::max(0, end - first), std::max(0, position)};
}

// Neighbouring outputs made of the same inputs.
struct Group {
  std::int32_t first;
  std::int32_t end;
  TapRange range;
};

std::vector<Group> GroupByRange(const BilinearTaps& taps) {
  std::vector<Group> groups;
  for (std::int32_t output = 0; output < taps.count(); ++output) {
    const TapRange range = taps.range(output);
    if (!groups.empty() && groups.back().range.begin == range.begin && groups.back().range.end == range.end) {
      groups.back().end = output + 1;
    } else {
      groups.push_back({output, output + 1, range});
    }
  }
  return groups;
}

std::int32_t LongestRange(const BilinearTaps& taps) {
  std::int32_t longest = 0;
  for (std::int32_t output = 0; output < taps.count(); ++output) {
    longest = std::max(longest, taps.range(output).end - taps.range(output).begin);
  }
  return longest;
}

// The sum of products of those taps that lie in the cells, the first of which is number `first`; others are 0. In the order of
// the taps, as everywhere.
float WeightedSum(const float* weights, TapRange range, const float* cells, std::int32_t first, std::int32_t count) {
  float sum = 0.0f;
  const std::int32_t begin = std::max(range.begin, first);
  const std::int32_t end = std::min(range.end, first + count);
  for (std::int32_t input = begin; input < end; ++input) sum += weights[input - range.begin] * cells[input - first];
  return sum;
}

class MaskWriter {
 public:
  MaskWriter(const MaskHead& head, const MaskTarget& target)
      : head_(head),
        target_(target),
        horizontal_(VisiblePart(target.left, target.resize.width, target.picture.width)),
        vertical_(VisiblePart(target.top, target.resize.height, target.picture.height)),
        columns_(TrimmedWidth(), target.resize.width, horizontal_.first, TrimmedWidth() > 0 ? horizontal_.count : 0),
        rows_(TrimmedHeight(), target.resize.height, vertical_.first, TrimmedHeight() > 0 ? vertical_.count : 0),
        row_groups_(GroupByRange(rows_)),
        error_bound_(4e-7f * static_cast<float>(LongestRange(columns_) + LongestRange(rows_) + 8)) {}

  void Write(std::size_t index, const Region& within, std::vector<std::uint32_t>& runs) {
    RunWriter writer(runs);
    const auto height = static_cast<std::uint32_t>(target_.picture.height);
    const std::int32_t shown = columns_.count() == 0 || rows_.count() == 0 ? 0 : columns_.count();
    writer.Add(false, static_cast<std::uint32_t>(shown == 0 ? target_.picture.width : horizontal_.start) * height);
    if (shown > 0) {
      Prepare(index, within);
      for (std::int32_t column = 0; column < shown; ++column) WriteColumn(column, writer);
      writer.Add(false, static_cast<std::uint32_t>(target_.picture.width - horizontal_.start - shown) * height);
    }
    writer.End();
  }

 private:
  std::int32_t TrimmedWidth() const { return head_.width - target_.trim.left - target_.trim.right; }
  std::int32_t TrimmedHeight() const { return head_.height - target_.trim.top - target_.trim.bottom; }

  // Computes the cells of a mask, and which of them can lift an output above the threshold.
  void Prepare(std::size_t index, const Region& within) {
    region_.left = std::max(within.left, target_.trim.left);
    region_.top = std::max(within.top, target_.trim.top);
    region_.right = std::max(region_.left, std::min(within.right, head_.width - target_.trim.right));
    region_.bottom = std::max(region_.top, std::min(within.bottom, head_.height - target_.trim.bottom));
    // Nothing may be read of a region without cells.
    if (region_.empty()) region_ = {region_.left, region_.top, region_.left, region_.top};
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
    const float margin = finite ? greatest * error_bound_ : std::numeric_limits<float>::infinity();
    above_ = target_.threshold + margin;
    below_ = target_.threshold - margin;
    active_ = {first_column_, first_row_, first_column_ + region_.width(), first_row_ + region_.height()};
    if (target_.threshold >= 0.0f && finite) NarrowActive();

    // Ranges rise along an axis, so the groups that meet the active rows are neighbours.
    first_group_ =
        std::partition_point(row_groups_.begin(), row_groups_.end(), [&](const Group& g) { return g.range.end <= active_.top; });
    last_group_ =
        std::partition_point(first_group_, row_groups_.end(), [&](const Group& g) { return g.range.begin < active_.bottom; });
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
    const TapRange range = columns_.range(column);
    writer.Add(false, static_cast<std::uint32_t>(vertical_.start));
    if (active_.empty() || range.end <= active_.left || range.begin >= active_.right) {
      writer.Add(blank, static_cast<std::uint32_t>(rows_.count()));
    } else {
      ResizeColumn(range, columns_.weights(column));
      std::int32_t written = 0;
      for (auto group = first_group_; group != last_group_; ++group) {
        if (group->first > written) writer.Add(blank, static_cast<std::uint32_t>(group->first - written));
        WriteGroup(*group, writer);
        written = group->end;
      }
      writer.Add(blank, static_cast<std::uint32_t>(rows_.count() - written));
    }
    writer.Add(false, static_cast<std::uint32_t>(target_.picture.height - vertical_.start - rows_.count()));
  }

  // The cells of one output column, still at the height of the mask.
  void ResizeColumn(TapRange range, const float* weights) {
    const auto height = static_cast<std::size_t>(region_.height());
    std::fill(line_.begin(), line_.end(), 0.0f);
    const std::int32_t begin = std::max(range.begin, first_column_);
    const std::int32_t end = std::min(range.end, first_column_ + region_.width());
    for (std::int32_t input = begin; input < end; ++input) {
      const float weight = weights[input - range.begin];
      const float* cells = cells_.data() + static_cast<std::size_t>(input - first_column_) * height;
      float* line = line_.data();
      for (std::size_t y = 0; y < height; ++y) line[y] += weight * cells[y];
    }
  }

  // Between two rows of cells everything is on the side of the threshold that both are on.
  void WriteGroup(const Group& group, RunWriter& writer) {
    const auto count = static_cast<std::uint32_t>(group.end - group.first);
    const std::int32_t begin = std::max(group.range.begin, first_row_);
    const std::int32_t end = std::min(group.range.end, first_row_ + region_.height());
    const bool whole = begin == group.range.begin && end == group.range.end;
    bool all_above = whole;
    bool all_below = whole || target_.threshold >= 0.0f;
    for (std::int32_t input = begin; input < end; ++input) {
      const float value = line_[static_cast<std::size_t>(input - first_row_)];
      all_above = all_above && value > above_;
      all_below = all_below && value < below_;
    }
    if (all_above || all_below) {
      writer.Add(all_above, count);
      return;
    }
    for (std::int32_t output = group.first; output < group.end; ++output) {
      const float sum = WeightedSum(rows_.weights(output), group.range, line_.data(), first_row_, region_.height());
      writer.Add(sum > target_.threshold, 1);
    }
  }

  const MaskHead& head_;
  const MaskTarget& target_;
  const Visible horizontal_;
  const Visible vertical_;
  const BilinearTaps columns_;
  const BilinearTaps rows_;
  const std::vector<Group> row_groups_;
  // Of both weighted sums, relative to the greatest cell: several times the rounding errors of as many float32 additions.
  const float error_bound_;

  // Of the mask being written. Active cells and first rows and columns count from where the trimmed mask begins.
  Region region_;
  std::vector<float> cells_;
  std::vector<float> line_;
  std::int32_t first_column_ = 0;
  std::int32_t first_row_ = 0;
  Region active_;
  float above_ = 0.0f;
  float below_ = 0.0f;
  std::vector<Group>::const_iterator first_group_;
  std::vector<Group>::const_iterator last_group_;
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
