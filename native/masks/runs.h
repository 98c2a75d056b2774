// Masks as runs: lengths of zeros and ones in turn, zeros first, column by column (COCO's order).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace im::masks {

struct MaskRuns {
  std::vector<std::uint32_t> runs;     // of all masks
  std::vector<std::uint32_t> offsets;  // where each mask begins, and the end
};

class RunWriter {
 public:
  explicit RunWriter(std::vector<std::uint32_t>& runs) : runs_(runs) {}

  void Add(bool value, std::uint32_t count) {
    if (count == 0) return;
    if (value != value_) {
      runs_.push_back(length_);
      value_ = value;
      length_ = 0;
    }
    length_ += count;
  }
  void End() { runs_.push_back(length_); }

 private:
  std::vector<std::uint32_t>& runs_;
  bool value_ = false;
  std::uint32_t length_ = 0;
};

}  // namespace im::masks
