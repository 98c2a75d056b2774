// A batch of pictures on its way to the device: what the kernel has to do, and the memory that it does it from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "image/steps.h"
#include "kernels/preprocess_body.h"

namespace im::kernels {

struct Picture {
  Image image;
  PreprocessSteps steps;
};

// What keeps the kernel from carrying steps out; the CPU executor carries out all.
enum class Unsupported {
  kNothing,
  kContrast,  // needs a histogram of the whole picture first
  kFilter,    // gaussian
};
Unsupported WhyUnsupported(const PreprocessSteps& steps);
// A sentence for people, "" for kNothing.
std::string UnsupportedText(Unsupported reason);

// Groups of pixels and rows of the largest canvas of a pass.
struct PassGrid {
  unsigned groups = 0;
  unsigned rows = 0;

  bool operator==(const PassGrid& other) const { return groups == other.groups && rows == other.rows; }
};

class PreprocessJob {
 public:
  // Pictures of any sizes whose steps end with the same network input. Refuses what does not make sense (Validate in
  // image/steps.h) and what is not supported. The pixels are not copied: they have to stay until WriteTo.
  static Result<PreprocessJob> Make(const std::vector<Picture>& pictures);

  // Bytes to upload: passes, tables, and the part of each picture that is used.
  std::size_t bytes() const { return bytes_; }
  void WriteTo(void* memory) const;
  // Bytes between passes, on the device only; may be 0.
  std::size_t scratch_bytes() const { return scratch_bytes_; }
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

  std::vector<Pass> passes_;
  std::vector<std::uint8_t> tables_;  // behind the passes
  std::vector<Pixels> pixels_;
  std::vector<PassGrid> grids_;
  std::size_t bytes_ = 0;
  std::size_t scratch_bytes_ = 0;
  std::size_t output_length_ = 0;
  Size output_;
};

}  // namespace im::kernels
