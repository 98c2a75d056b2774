#include "image/resample.h"

#include <algorithm>
#include <vector>

#include "image/interpolation.h"

namespace im {
namespace {

// The last few rows of something, so that output rows which share input rows do not compute them twice.
template <typename T>
class RowCache {
 public:
  Status Allocate(int capacity, std::size_t row_length) {
    row_length_ = row_length;
    held_.assign(static_cast<std::size_t>(capacity), -1);
    return rows_.Allocate(static_cast<std::size_t>(capacity) * row_length);
  }

  // Row y, computed by compute(y, memory) unless it is still there. Any `capacity` neighbouring rows fit at the same time.
  template <typename Compute>
  const T* Get(int y, Compute compute) {
    const std::size_t place = static_cast<std::size_t>(y) % held_.size();
    T* row = rows_.data() + place * row_length_;
    if (held_[place] != y) {
      compute(y, row);
      held_[place] = y;
    }
    return row;
  }

 private:
  std::size_t row_length_ = 0;
  std::vector<int> held_;
  Scratch<T> rows_;
};

std::size_t SlotBytes(int pixels) { return std::size_t{4} * static_cast<std::size_t>(pixels); }

SourceRow Part(const SourceRow& row, int begin, int count) {
  return {row.pixels + static_cast<std::ptrdiff_t>(begin) * row.channels, count, row.channels};
}

class CopiedRows final : public ResampledRows {
 public:
  CopiedRows(SourceRows& source, Columns columns, const RowKernels& kernels)
      : source_(source), columns_(columns), kernels_(kernels) {}
  Status Prepare() { return slots_.Allocate(SlotBytes(columns_.count)); }

  const std::uint8_t* Row(int y) override {
    const SourceRow row = Part(source_.Row(y), columns_.begin, columns_.count);
    if (row.channels == 4) return row.pixels;  // these are slots already
    kernels_.expand(row, slots_.data());
    return slots_.data();
  }

 private:
  SourceRows& source_;
  Columns columns_;
  const RowKernels& kernels_;
  Scratch<std::uint8_t> slots_;
};

class HalvedRows final : public ResampledRows {
 public:
  HalvedRows(SourceRows& source, Columns columns, const RowKernels& kernels)
      : source_(source), columns_(columns), kernels_(kernels) {}
  Status Prepare() { return slots_.Allocate(SlotBytes(columns_.count)); }

  const std::uint8_t* Row(int y) override {
    const SourceRow top = source_.Row(2 * y);
    const SourceRow bottom = source_.Row(2 * y + 1);
    kernels_.halve(Part(top, 2 * columns_.begin, 2 * columns_.count), Part(bottom, 2 * columns_.begin, 2 * columns_.count),
                   columns_.count, slots_.data());
    return slots_.data();
  }

 private:
  SourceRows& source_;
  Columns columns_;
  const RowKernels& kernels_;
  Scratch<std::uint8_t> slots_;
};

class LinearRows final : public ResampledRows {
 public:
  LinearRows(SourceRows& source, const ResizeStep& step, Columns columns, const RowKernels& kernels)
      : source_(source), height_(step.height), width_(step.width), columns_(columns), kernels_(kernels) {}

  Status Prepare() {
    const int channels = source_.Row(0).channels;
    table_.reserve(static_cast<std::size_t>(columns_.count));
    for (int x = columns_.begin; x < columns_.begin + columns_.count; ++x) {
      const LinearCoefficient weights = LinearColumnWeights(x, source_.width(), width_);
      table_.push_back(
          {weights.index * channels, static_cast<std::int16_t>(weights.first), static_cast<std::int16_t>(weights.second)});
    }
    IM_RETURN_IF_ERROR(cache_.Allocate(2, SlotBytes(columns_.count)));
    return slots_.Allocate(SlotBytes(columns_.count));
  }

  const std::uint8_t* Row(int y) override {
    const LinearCoefficient weights = LinearRowWeights(y, source_.height(), height_);
    const int last = source_.height() - 1;
    if (source_.height() >= 2 * height_) {
      const int next = LinearRowWeights(y + 1, source_.height(), height_).index;
      for (const int row : {next, next + 1}) source_.Prefetch(std::clamp(row, 0, last));
    }
    const auto blend_columns = [this](int row, std::int16_t* slots) {
      kernels_.linear_columns(source_.Row(row), table_.data(), columns_.count, slots);
    };
    const std::int16_t* top = cache_.Get(std::clamp(weights.index, 0, last), blend_columns);
    // A weight of zero (enlarging and shrinking by odd factors) makes the second row needless.
    const std::int16_t* bottom = weights.second == 0 ? top : cache_.Get(std::clamp(weights.index + 1, 0, last), blend_columns);
    kernels_.linear_rows(top, bottom, weights.first, weights.second, columns_.count, slots_.data());
    return slots_.data();
  }

 private:
  SourceRows& source_;
  int height_;
  int width_;
  Columns columns_;
  const RowKernels& kernels_;
  std::vector<LinearColumn> table_;
  RowCache<std::int16_t> cache_;
  Scratch<std::uint8_t> slots_;
};

class PillowRows final : public ResampledRows {
 public:
  PillowRows(SourceRows& source, const ResizeStep& step, Columns columns, const RowKernels& kernels)
      : source_(source), width_(step.width), height_(step.height), columns_(columns), kernels_(kernels) {}

  Status Prepare() {
    if (width_ != source_.width()) across_ = MakePillowTable(columns_.begin, columns_.count, source_.width(), width_);
    if (height_ != source_.height()) down_ = MakePillowTable(0, height_, source_.height(), height_);
    pointers_.resize(std::size_t{2} * static_cast<std::size_t>(std::max(down_.pairs_per_output, 1)));
    IM_RETURN_IF_ERROR(cache_.Allocate(static_cast<int>(std::min(pointers_.size(), static_cast<std::size_t>(source_.height()))),
                                       SlotBytes(columns_.count)));
    return slots_.Allocate(SlotBytes(columns_.count));
  }

  const std::uint8_t* Row(int y) override {
    if (height_ == source_.height()) return Across(y);
    const PillowTable::Window window = down_.windows[static_cast<std::size_t>(y)];
    // Rows behind the window's own weigh nothing; any row will do for them.
    const int pairs = (window.taps + 1) / 2;
    for (int tap = 0; tap < 2 * pairs; ++tap) {
      pointers_[static_cast<std::size_t>(tap)] = Across(window.begin + std::min(tap, window.taps - 1));
    }
    kernels_.pillow_rows(pointers_.data(), down_.Pairs(static_cast<std::size_t>(y)), pairs, 0, columns_.count, slots_.data());
    return slots_.data();
  }

 private:
  // A source row after the horizontal pass.
  const std::uint8_t* Across(int row) {
    return cache_.Get(row, [this](int y, std::uint8_t* slots) {
      if (width_ == source_.width()) {
        kernels_.expand(Part(source_.Row(y), columns_.begin, columns_.count), slots);
      } else {
        kernels_.pillow_columns(source_.Row(y), across_, 0, slots);
      }
    });
  }

  SourceRows& source_;
  int width_;
  int height_;
  Columns columns_;
  const RowKernels& kernels_;
  PillowTable across_;
  PillowTable down_;
  RowCache<std::uint8_t> cache_;
  std::vector<const std::uint8_t*> pointers_;
  Scratch<std::uint8_t> slots_;
};

class SampledRows final : public ResampledRows {
 public:
  SampledRows(SourceRows& source, const SampleStep& step, Columns columns, const RowKernels& kernels)
      : source_(source), step_(step), columns_(columns), kernels_(kernels) {}

  Status Prepare() {
    across_.reserve(static_cast<std::size_t>(columns_.count));
    for (int x = columns_.begin; x < columns_.begin + columns_.count; ++x) {
      across_.push_back(SampleAt(x, step_.origin_x, step_.step_x, source_.width()));
    }
    // One pixel more on either side, which stays black: neighbours outside need no special case.
    IM_RETURN_IF_ERROR(cache_.Allocate(3, SlotBytes(source_.width() + 2)));
    return slots_.Allocate(SlotBytes(columns_.count));
  }

  const std::uint8_t* Row(int y) override {
    const SamplePosition down = SampleAt(y, step_.origin_y, step_.step_y, source_.height());
    std::fill_n(slots_.data(), SlotBytes(columns_.count), std::uint8_t{0});
    if (!down.inside) return slots_.data();
    const std::uint8_t* upper = Framed(down.index);
    const std::uint8_t* lower = Framed(down.index + 1);
    std::uint8_t* slot = slots_.data();
    for (const SamplePosition& side : across_) {
      if (side.inside) {
        const std::ptrdiff_t left = std::ptrdiff_t{4} * (side.index + 1);
        for (std::ptrdiff_t i = left; i < left + 3; ++i) {
          slot[i - left] = SampleBlend(upper[i], upper[i + 4], lower[i], lower[i + 4], side.fraction, down.fraction);
        }
      }
      slot += 4;
    }
    return slots_.data();
  }

 private:
  // Row -1 .. height with a black pixel at both ends; rows outside are black.
  const std::uint8_t* Framed(int row) {
    return cache_.Get(row + 1, [this](int shifted, std::uint8_t* slots) {
      const int y = shifted - 1;
      const std::size_t bytes = SlotBytes(source_.width() + 2);
      std::fill_n(slots, bytes, std::uint8_t{0});
      if (y >= 0 && y < source_.height()) kernels_.expand(source_.Row(y), slots + 4);
    });
  }

  SourceRows& source_;
  SampleStep step_;
  Columns columns_;
  const RowKernels& kernels_;
  std::vector<SamplePosition> across_;
  RowCache<std::uint8_t> cache_;
  Scratch<std::uint8_t> slots_;
};

template <typename Rows>
Result<std::unique_ptr<ResampledRows>> Prepared(std::unique_ptr<Rows> rows) {
  IM_RETURN_IF_ERROR(rows->Prepare());
  return std::unique_ptr<ResampledRows>(std::move(rows));
}

}  // namespace

PillowTable MakePillowTable(int begin, int count, int input_size, int output_size) {
  PillowTable table;
  table.windows.reserve(static_cast<std::size_t>(count));
  int most_taps = 1;
  for (int output = begin; output < begin + count; ++output) {
    const PillowWindow window = PillowWindowAt(output, input_size, output_size);
    table.windows.push_back({window.begin, window.end - window.begin});
    most_taps = std::max(most_taps, window.end - window.begin);
  }
  table.pairs_per_output = (most_taps + 1) / 2;
  table.pairs.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(table.pairs_per_output));
  std::vector<double> raw(static_cast<std::size_t>(most_taps));
  for (int i = 0; i < count; ++i) {
    const PillowWindow window = PillowWindowAt(begin + i, input_size, output_size);
    double sum = 0;
    for (int input = window.begin; input < window.end; ++input) {
      raw[static_cast<std::size_t>(input - window.begin)] = PillowRawWeight(window, input);
      sum += raw[static_cast<std::size_t>(input - window.begin)];
    }
    PillowPair* pairs = table.pairs.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(table.pairs_per_output);
    for (int tap = 0; tap < window.end - window.begin; ++tap) {
      const double weight = raw[static_cast<std::size_t>(tap)];
      const int fixed = PillowFixedPoint(sum != 0 ? weight / sum : weight);
      pairs[tap / 2].high[tap % 2] = static_cast<std::int16_t>(fixed / 2048);
      pairs[tap / 2].low[tap % 2] = static_cast<std::int16_t>(fixed % 2048);
    }
  }
  return table;
}

SourceRows::SourceRows(const Image& image, const Rectangle& part, const RowKernels& kernels)
    : kernels_(kernels),
      pixels_(image.pixels +
              (static_cast<std::size_t>(part.top) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(part.left)) *
                  static_cast<std::size_t>(image.channels)),
      row_bytes_(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels)),
      width_(part.width),
      height_(part.height),
      channels_(image.channels),
      red_(image.color_format == ColorFormat::kRgb ? 0 : 2) {}

Status SourceRows::MakeGray() {
  gray_ = channels_ != 1;
  return gray_ ? gray_rows_.Allocate(std::size_t{2} * static_cast<std::size_t>(width_)) : Status();
}

Status SourceRows::Map(const ByteMap& map) {
  map_ = map;
  mapped_ = true;
  return mapped_rows_.Allocate(std::size_t{2} * static_cast<std::size_t>(width_) *
                               static_cast<std::size_t>(gray_ ? 1 : channels_));
}

void SourceRows::Prefetch([[maybe_unused]] int y) const {
#if defined(__GNUC__)
  constexpr int kCacheLine = 64;
  const std::uint8_t* row = pixels_ + static_cast<std::size_t>(y) * row_bytes_;
  for (int offset = 0; offset < width_ * channels_; offset += kCacheLine) __builtin_prefetch(row + offset);
#endif
}

SourceRow SourceRows::Row(int y) {
  SourceRow row{pixels_ + static_cast<std::size_t>(y) * row_bytes_, width_, channels_};
  const std::size_t place = static_cast<std::size_t>(y % 2) * static_cast<std::size_t>(width_);
  if (gray_) {
    std::uint8_t* gray = gray_rows_.data() + place;
    kernels_.gray(row, red_, gray);
    row = {gray, width_, 1};
  }
  if (mapped_) {
    const std::size_t bytes = static_cast<std::size_t>(width_) * static_cast<std::size_t>(row.channels);
    std::uint8_t* mapped = mapped_rows_.data() + place * static_cast<std::size_t>(row.channels);
    std::transform(row.pixels, row.pixels + bytes, mapped, [this](std::uint8_t value) { return map_[value]; });
    row.pixels = mapped;
  }
  return row;
}

Result<std::unique_ptr<ResampledRows>> Resample(SourceRows& source, const ResizeStep& step, Columns columns,
                                                const RowKernels& kernels) {
  // All filters leave a picture alone whose size does not change.
  if (step.filter == Filter::kNone || (step.width == source.width() && step.height == source.height())) {
    return Prepared(std::make_unique<CopiedRows>(source, columns, kernels));
  }
  if (step.filter == Filter::kPillow) return Prepared(std::make_unique<PillowRows>(source, step, columns, kernels));
  if (source.width() == 2 * step.width && source.height() == 2 * step.height) {
    return Prepared(std::make_unique<HalvedRows>(source, columns, kernels));
  }
  return Prepared(std::make_unique<LinearRows>(source, step, columns, kernels));
}

Result<std::unique_ptr<ResampledRows>> Resample(SourceRows& source, const SampleStep& step, Columns columns,
                                                const RowKernels& kernels) {
  return Prepared(std::make_unique<SampledRows>(source, step, columns, kernels));
}

}  // namespace im
