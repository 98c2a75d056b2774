#include "kernels/mask_tables.h"

#include <cstring>

#include "kernels/device_parts.h"

namespace im::kernels {
namespace {

template <typename Entry>
std::size_t Bytes(const std::vector<Entry>& entries) {
  return entries.size() * sizeof(Entry);
}

}  // namespace

MaskTables::MaskTables(std::int32_t width, std::int32_t height, const std::vector<masks::MaskTarget>& targets) {
  for (const masks::MaskTarget& target : targets) Add(target, masks::MaskAxes(width, height, target));
}

void MaskTables::Add(const masks::MaskTarget& target, const masks::MaskAxes& axes) {
  MaskPicture picture{};
  picture.trim = target.trim;
  picture.width = target.picture.width;
  picture.height = target.picture.height;
  picture.column_start = axes.horizontal.start;
  picture.column_count = axes.columns.count();
  picture.row_start = axes.vertical.start;
  picture.row_count = axes.rows.count();
  picture.row_groups = static_cast<std::int32_t>(axes.row_groups.size());
  picture.threshold = target.threshold;
  picture.columns = static_cast<std::uint32_t>(columns_.size());
  picture.rows = static_cast<std::uint32_t>(rows_.size());
  pictures_.push_back(picture);
  for (std::int32_t column = 0; column < axes.columns.count(); ++column) {
    columns_.push_back({axes.columns.range(column), AddWeights(axes.columns, column)});
  }
  for (const masks::TapGroup& group : axes.row_groups) {
    rows_.push_back({group.first, group.end, group.range, static_cast<std::uint32_t>(weights_.size())});
    for (std::int32_t row = group.first; row < group.end; ++row) AddWeights(axes.rows, row);
  }
}

std::uint32_t MaskTables::AddWeights(const masks::BilinearTaps& taps, std::int32_t output) {
  const auto first = static_cast<std::uint32_t>(weights_.size());
  const masks::TapRange range = taps.range(output);
  weights_.insert(weights_.end(), taps.weights(output), taps.weights(output) + (range.end - range.begin));
  return first;
}

std::size_t MaskTables::bytes() const {
  Parts parts;
  for (const std::size_t part : {sizeof(MaskJob), Bytes(pictures_), Bytes(columns_), Bytes(rows_), Bytes(weights_)})
    parts.Take(part);
  return parts.total();
}

void MaskTables::WriteTo(void* memory, MaskJob job) const {
  auto* bytes = static_cast<unsigned char*>(memory);
  Parts parts;
  parts.Take(sizeof job);
  const auto write = [&](const auto& entries) -> std::uint64_t {
    const std::size_t offset = parts.Take(Bytes(entries));
    if (!entries.empty()) std::memcpy(bytes + offset, entries.data(), Bytes(entries));
    return offset;
  };
  job.picture_offset = write(pictures_);
  job.column_offset = write(columns_);
  job.row_offset = write(rows_);
  job.weight_offset = write(weights_);
  std::memcpy(bytes, &job, sizeof job);
}

}  // namespace im::kernels
