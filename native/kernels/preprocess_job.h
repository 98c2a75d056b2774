// A batch of pictures on its way to the device: what the kernels have to do, and the memory that they do it from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "image/steps.h"
#include "kernels/contrast_body.h"
#include "kernels/preprocess_body.h"

namespace im::kernels {

struct Picture {
  Image image;
  PreprocessSteps steps;
};

// Groups of pixels and rows of the largest canvas of a pass.
struct PassGrid {
  unsigned groups = 0;
  unsigned rows = 0;

  bool operator==(const PassGrid& other) const { return groups == other.groups && rows == other.rows; }
};

// What the contrast of the pictures of a job needs before the passes.
enum class ContrastNeed : std::int32_t { kNothing, kMaps, kTiles };

class PreprocessJob {
 public:
  // Pictures of any sizes whose steps end with the same network input. Refuses what does not make sense (Validate in
  // image/steps.h). The pixels are not copied: they have to stay until WriteTo.
  static Result<PreprocessJob> Make(const std::vector<Picture>& pictures);

  // Bytes to upload: passes, tables, and the part of each picture that is used.
  std::size_t bytes() const { return bytes_; }
  void WriteTo(void* memory) const;
  // Bytes for what lies between launches, on the device only; may be 0.
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  ContrastNeed contrast() const { return contrast_; }
  // Where ContrastTasks lie in the job's memory, one per picture, when there is such a need.
  std::size_t contrast_tasks() const { return Aligned(passes_.size() * sizeof(Pass)); }
  // One launch each, in this order.
  const std::vector<PassGrid>& grids() const { return grids_; }
  std::size_t pictures() const { return pixels_.size(); }
  // Elements of the network input of the whole batch, [pictures, 3, height, width].
  std::size_t output_length() const { return output_length_; }
  Size output() const { return output_; }

 private:
  friend class JobBuilder;
  // Rows of a picture, at a place in the job's memory.
  struct Pixels {
    const std::uint8_t* first = nullptr;
    std::size_t row_bytes = 0;          // that are used
    std::size_t picture_row_bytes = 0;  // from one row to the next
    std::size_t rows = 0;
    std::size_t offset = 0;
  };

  static std::size_t Aligned(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

  std::vector<Pass> passes_;
  ContrastNeed contrast_ = ContrastNeed::kNothing;
  std::vector<ContrastTask> contrast_tasks_;  // behind the passes
  std::vector<std::uint8_t> tables_;          // behind those
  std::vector<Pixels> pixels_;
  std::vector<PassGrid> grids_;
  std::size_t bytes_ = 0;
  std::size_t scratch_bytes_ = 0;
  std::size_t output_length_ = 0;
  Size output_;
};

}  // namespace im::kernels
