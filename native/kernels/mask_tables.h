// Where masks lie in each picture of a batch, as the kernels read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/mask_job.h"
#include "masks/placement.h"

namespace im::kernels {

class MaskTables {
 public:
  // `width` and `height` of the masks, in cells.
  MaskTables(std::int32_t width, std::int32_t height, const std::vector<masks::MaskTarget>& targets);

  // A MaskJob and the tables.
  std::size_t bytes() const;
  // Writes the tables behind the job, and into the job where they lie.
  void WriteTo(void* memory, MaskJob job) const;

  const std::vector<MaskPicture>& pictures() const { return pictures_; }

 private:
  void Add(const masks::MaskTarget& target, const masks::MaskAxes& axes);
  std::uint32_t AddWeights(const masks::BilinearTaps& taps, std::int32_t output);

  std::vector<MaskPicture> pictures_;
  std::vector<MaskColumn> columns_;
  std::vector<MaskRows> rows_;
  std::vector<float> weights_;
};

}  // namespace im::kernels
