// Rows of the resized picture, computed one after the other from rows of the source.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "image/contrast.h"
#include "image/row_kernels.h"
#include "image/scratch.h"
#include "image/steps.h"

namespace im {

// A part of a picture, row by row, optionally made gray and mapped on the way.
class SourceRows {
 public:
  SourceRows(const Image& image, const Rectangle& part, const RowKernels& kernels);

  Status MakeGray();
  Status Map(const ByteMap& map);

  int width() const { return width_; }
  int height() const { return height_; }
  // Valid until the row after the next one is asked for.
  SourceRow Row(int y);
  // Begins to fetch a row of the picture. Rows that are far apart come as a surprise to the processor.
  void Prefetch(int y) const;

 private:
  const RowKernels& kernels_;
  const std::uint8_t* pixels_;
  std::size_t row_bytes_;
  int width_;
  int height_;
  int channels_;
  int red_;
  bool gray_ = false;
  bool mapped_ = false;
  ByteMap map_{};
  Scratch<std::uint8_t> gray_rows_;    // two
  Scratch<std::uint8_t> mapped_rows_;  // two
};

// Columns of the resized picture that are wanted.
struct Columns {
  int begin;
  int count;
};

class ResampledRows {
 public:
  virtual ~ResampledRows() = default;
  // Slots of the wanted columns of row y; valid until the next call. Cheapest in rising order.
  virtual const std::uint8_t* Row(int y) = 0;
};

// Weights of filter `pillow` for outputs begin .. begin + count - 1 of one axis.
PillowTable MakePillowTable(int begin, int count, int input_size, int output_size);

Result<std::unique_ptr<ResampledRows>> Resample(SourceRows& source, const ResizeStep& step, Columns columns,
                                                const RowKernels& kernels);
Result<std::unique_ptr<ResampledRows>> Resample(SourceRows& source, const SampleStep& step, Columns columns,
                                                const RowKernels& kernels);

}  // namespace im
