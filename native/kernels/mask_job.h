// What the mask kernels share with the host: their argument, and what lies in the memory that it points to.
#pragma once

#include <cstdint>

#include "image/host_device.h"
#include "kernels/found.h"
#include "masks/arithmetic.h"

namespace im::kernels {

// One output column of a picture. Weights are counted from where those of all pictures begin.
struct MaskColumn {
  masks::TapRange range;
  std::uint32_t weights;
};

// Neighbouring output rows that are made of the same cells; the weights of each follow those of the one before.
struct MaskRows {
  std::int32_t first;
  std::int32_t end;
  masks::TapRange range;
  std::uint32_t weights;
};

// masks::MaskTarget with its axes.
struct MaskPicture {
  masks::Region trim;
  std::int32_t width;
  std::int32_t height;
  // The part of the picture that the mask can reach.
  std::int32_t column_start;
  std::int32_t column_count;
  std::int32_t row_start;
  std::int32_t row_count;
  std::int32_t row_groups;
  float threshold;
  // Of its first.
  std::uint32_t columns;
  std::uint32_t rows;
};

// One mask, at the place of its instance: picture * limit + rank.
struct MaskPlace {
  masks::Region region;  // cells that are computed
  std::uint64_t cells;   // where they lie, row by row
  std::int32_t index;    // row of the coefficients, or plane
  std::uint32_t number;  // among all masks of the batch
  std::uint32_t first_tile;
  std::uint32_t tiles;
  // Visible columns and groups of rows that the cells have a part in.
  std::int32_t first_column;
  std::int32_t column_count;
  std::int32_t first_group;
  std::int32_t group_end;
};

// Found out on the device.
struct MaskTotals {
  std::uint32_t masks;     // of the batch
  std::uint32_t placed;    // that had room for cells and columns
  std::uint32_t complete;  // that had room for runs, too
  std::uint32_t tiles;     // of those that are placed
  std::uint32_t runs;      // of those that are complete
};

// At the beginning of what is uploaded. Offsets are bytes.
struct MaskJob {
  // Elements from one cell (y * width + x) to the next, and so on.
  std::uint64_t cell_stride;
  std::uint64_t plane_stride;
  std::uint64_t planes_per_picture;
  std::uint64_t row_stride;
  std::uint64_t coefficient_stride;
  std::uint64_t coefficients_per_picture;
  std::int32_t width;
  std::int32_t height;
  std::int32_t channels;  // that are combined; 0: an instance's index is its plane
  std::int32_t rows;      // rows of coefficients, or planes
  std::int32_t pictures;
  std::int32_t limit;  // instances of a picture
  std::int32_t sigmoid;
  std::int32_t cut_to_boxes;
  std::int32_t half_coefficients;  // float16 instead of float32
  float box_scale;
  std::uint32_t tile_capacity;
  std::uint64_t cell_capacity;
  std::uint64_t run_capacity;
  // In what is uploaded.
  std::uint64_t picture_offset;
  std::uint64_t column_offset;
  std::uint64_t row_offset;
  std::uint64_t weight_offset;
  // In working memory.
  std::uint64_t totals_offset;
  std::uint64_t first_offset;        // number of the first mask of each picture, and of all
  std::uint64_t place_offset;        // MaskPlace of each instance
  std::uint64_t tile_place_offset;   // of each tile, the instance
  std::uint64_t tile_run_offset;     // of each tile, how many runs it has, and then the first one's number
  std::uint64_t column_run_offset;   // of each column, its first run's number within the tile
  std::uint64_t cell_values_offset;  // float32
  std::uint64_t run_end_offset;      // where each run ends: a pixel, or kLastOfMask | number of pixels
  // In the results. They begin with the MaskTotals.
  std::uint64_t first_result_offset;  // as first_offset
  std::uint64_t begin_result_offset;  // number of the first run of each complete mask, and of all
  std::uint64_t run_result_offset;    // lengths
};

// The only argument of each kernel. Pictures' elements lie `..._per_picture` apart.
struct MaskArguments {
  const unsigned char* job;
  const void* planes;
  const void* coefficients;  // null when nothing is combined
  const Found* found;        // `limit` per picture
  const std::int32_t* found_count;
  unsigned char* working;
  unsigned char* results;  // memory of the host
};

// Threads of a block, each with a place, a cell, a column.
constexpr int kMaskBlock = 128;
// Threads that sum up, and that write results.
constexpr int kMaskSumBlock = 256;
// Prototypes, at most; every family has as many.
constexpr int kMaskChannels = 32;
// Instances that a block of cells works for at a time: the bits of a word.
constexpr int kMaskGroup = 32;
constexpr std::uint32_t kLastOfMask = 0x80000000u;

// The parts of it all.
struct MaskView {
  IM_HOST_DEVICE explicit MaskView(const MaskArguments& from)
      : arguments(from), job(*reinterpret_cast<const MaskJob*>(from.job)) {}

  IM_HOST_DEVICE const MaskPicture& picture(std::int32_t index) const {
    return reinterpret_cast<const MaskPicture*>(arguments.job + job.picture_offset)[index];
  }
  IM_HOST_DEVICE const MaskColumn* columns(const MaskPicture& picture) const {
    return reinterpret_cast<const MaskColumn*>(arguments.job + job.column_offset) + picture.columns;
  }
  IM_HOST_DEVICE const MaskRows* rows(const MaskPicture& picture) const {
    return reinterpret_cast<const MaskRows*>(arguments.job + job.row_offset) + picture.rows;
  }
  IM_HOST_DEVICE const float* weights() const { return reinterpret_cast<const float*>(arguments.job + job.weight_offset); }

  IM_HOST_DEVICE MaskTotals& totals() const { return *At<MaskTotals>(job.totals_offset); }
  IM_HOST_DEVICE std::uint32_t* first_of_picture() const { return At<std::uint32_t>(job.first_offset); }
  IM_HOST_DEVICE MaskPlace* places() const { return At<MaskPlace>(job.place_offset); }
  IM_HOST_DEVICE std::uint32_t* tile_places() const { return At<std::uint32_t>(job.tile_place_offset); }
  IM_HOST_DEVICE std::uint64_t* tile_runs() const { return At<std::uint64_t>(job.tile_run_offset); }
  IM_HOST_DEVICE std::uint32_t* column_runs() const { return At<std::uint32_t>(job.column_run_offset); }
  IM_HOST_DEVICE float* cells() const { return At<float>(job.cell_values_offset); }
  IM_HOST_DEVICE std::uint32_t* run_ends() const { return At<std::uint32_t>(job.run_end_offset); }

  IM_HOST_DEVICE std::uint32_t* result(std::uint64_t offset) const {
    return reinterpret_cast<std::uint32_t*>(arguments.results + offset);
  }
  // Instances of a picture, whatever memory says.
  IM_HOST_DEVICE std::int32_t instances(std::int32_t picture) const {
    const std::int32_t count = arguments.found_count[picture];
    return count < 0 ? 0 : masks::Lesser(count, job.limit);
  }

  const MaskArguments& arguments;
  const MaskJob& job;

 private:
  template <typename T>
  IM_HOST_DEVICE T* At(std::uint64_t offset) const {
    return reinterpret_cast<T*>(arguments.working + offset);
  }
};

}  // namespace im::kernels
