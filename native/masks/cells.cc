#include "masks/cells.h"

#include <algorithm>

#include "detection/sigmoid.h"

namespace im::masks {
namespace {

// A row of cells whose planes lie one after the other: each plane is added to the whole row, which compilers vectorise.
void CombineRow(const float* first, std::size_t channel_stride, const float* weights, std::size_t channels, float* sums,
                std::size_t count) {
  std::fill_n(sums, count, 0.0f);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float* plane = first + channel * channel_stride;
    const float weight = weights[channel];
    for (std::size_t i = 0; i < count; ++i) sums[i] += weight * plane[i];
  }
}

}  // namespace

void ComputeCells(const MaskHead& head, std::size_t index, const Region& region, std::vector<float>& cells) {
  const auto width = static_cast<std::size_t>(region.width());
  const auto height = static_cast<std::size_t>(region.height());
  cells.resize(width * height);
  std::vector<float> weights(head.coefficients ? head.channels : 0);
  for (std::size_t channel = 0; channel < weights.size(); ++channel) weights[channel] = head.coefficients->At(index, channel);
  std::vector<float> row(width);
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t cell =
        (static_cast<std::size_t>(region.top) + y) * static_cast<std::size_t>(head.width) + static_cast<std::size_t>(region.left);
    const float* first = head.planes.data + cell * head.planes.candidate_stride;
    const std::size_t cell_stride = head.planes.candidate_stride;
    const std::size_t channel_stride = head.planes.attribute_stride;
    if (!head.coefficients) {
      for (std::size_t x = 0; x < width; ++x) row[x] = first[x * cell_stride + index * channel_stride];
    } else if (cell_stride == 1) {
      CombineRow(first, channel_stride, weights.data(), head.channels, row.data(), width);
    } else {
      for (std::size_t x = 0; x < width; ++x)
        row[x] = CombineCell(first + x * cell_stride, channel_stride, weights.data(), head.channels);
    }
    for (std::size_t x = 0; x < width; ++x) cells[x * height + y] = head.sigmoid ? detection::Sigmoid(row[x]) : row[x];
  }
}

}  // namespace im::masks
