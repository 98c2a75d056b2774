#include "image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "image/contrast.h"
#include "image/interpolation.h"

namespace im {
namespace {

// A picture somewhere in memory, row by row.
struct View {
  const std::uint8_t* pixels;
  int width;
  int height;
  int channels;
  std::ptrdiff_t stride;  // bytes from one row to the next

  SourceRow Row(int y) const { return {pixels + y * stride, width, channels}; }
};

std::size_t Count(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

// ---- where finished rows go: the network input, or a picture in memory for the next step ----

class PlaneSink {
 public:
  PlaneSink(const PreprocessSteps& steps, float* target, const RowKernels& kernels) : steps_(steps), kernels_(kernels) {
    for (int channel = 0; channel < 3; ++channel) {
      channels_[channel] = steps.swap_channels ? 2 - channel : channel;
      planes_[channel] = target + static_cast<std::size_t>(channels_[channel]) * Count(steps.output.width, steps.output.height);
    }
  }

  // `count` pixels of row `y` from column `x` on.
  void Write(int y, int x, int count, const std::uint8_t* slots) {
    const std::size_t offset = Count(y, steps_.output.width) + static_cast<std::size_t>(x);
    float* const rows[3] = {planes_[0] + offset, planes_[1] + offset, planes_[2] + offset};
    kernels_.to_planes(slots, count, steps_.normalization, channels_, rows);
  }

  void Fill(int y, int x, int count, float value) {
    const std::size_t offset = Count(y, steps_.output.width) + static_cast<std::size_t>(x);
    for (int channel = 0; channel < 3; ++channel) {
      std::fill_n(planes_[channel] + offset, count, Normalize(value, steps_.normalization, channels_[channel]));
    }
  }

 private:
  const PreprocessSteps& steps_;
  const RowKernels& kernels_;
  int channels_[3];
  float* planes_[3];
};

class PictureSink {
 public:
  explicit PictureSink(Size size) : size_(size), slots_(4 * Count(size.width, size.height)) {}

  void Write(int y, int x, int count, const std::uint8_t* slots) { std::memcpy(At(y, x), slots, 4 * static_cast<std::size_t>(count)); }
  void Fill(int y, int x, int count, float value) {
    const auto byte = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
    std::memset(At(y, x), byte, 4 * static_cast<std::size_t>(count));
  }
  View Picture() const { return {slots_.data(), size_.width, size_.height, 4, std::ptrdiff_t{4} * size_.width}; }

 private:
  std::uint8_t* At(int y, int x) { return slots_.data() + 4 * (Count(y, size_.width) + static_cast<std::size_t>(x)); }

  Size size_;
  std::vector<std::uint8_t> slots_;
};

// ---- which part of the resized picture the canvas shows ----

struct Span {
  int begin;  // of the resized picture
  int end;
  int canvas;  // where `begin` lands
  int Length() const { return end - begin; }
};

Span Visible(int resized, int canvas, int offset) {
  const int begin = std::max(0, -offset);
  const int end = std::min(resized, canvas - offset);
  return {begin, std::max(begin, end), begin + offset};
}

// Rows of a resized picture. `Row` is asked for ascending rows.
class LinearRows {
 public:
  LinearRows(const View& source, const ResizeStep& step, Span columns, const RowKernels& kernels)
      : source_(source), step_(step), columns_(columns), kernels_(kernels), slots_(4 * static_cast<std::size_t>(columns.Length())) {
    halving_ = step.width * 2 == source.width && step.height * 2 == source.height && columns.begin == 0;
    if (halving_) return;
    table_.reserve(static_cast<std::size_t>(columns.Length()));
    for (int x = columns.begin; x < columns.end; ++x) {
      const LinearCoefficient weights = LinearColumnWeights(x, source.width, step.width);
      table_.push_back({weights.index * source.channels, static_cast<std::int16_t>(weights.first), static_cast<std::int16_t>(weights.second)});
    }
    for (auto& row : cache_) row.slots.resize(4 * static_cast<std::size_t>(columns.Length()));
  }

  const std::uint8_t* Row(int y) {
    if (halving_) {
      kernels_.halve(source_.Row(2 * y), source_.Row(2 * y + 1), columns_.Length(), slots_.data());
      return slots_.data();
    }
    const LinearCoefficient weights = LinearRowWeights(y, source_.height, step_.height);
    const int last = source_.height - 1;
    const int top = std::clamp(weights.index, 0, last);
    const int bottom = std::clamp(weights.index + 1, 0, last);
    const std::int16_t* upper = Horizontal(top, bottom);
    const std::int16_t* lower = Horizontal(bottom, top);
    kernels_.linear_rows(upper, lower, weights.first, weights.second, columns_.Length(), slots_.data());
    return slots_.data();
  }

 private:
  struct CachedRow {
    int y = -1;
    std::vector<std::int16_t> slots;
  };

  // Neighbouring output rows share source rows, so the last two are kept.
  const std::int16_t* Horizontal(int y, int keep) {
    for (const CachedRow& row : cache_) {
      if (row.y == y) return row.slots.data();
    }
    CachedRow& row = cache_[0].y == keep ? cache_[1] : cache_[0];
    kernels_.linear_columns(source_.Row(y), table_.data(), columns_.Length(), row.slots.data());
    row.y = y;
    return row.slots.data();
  }

  const View& source_;
  const ResizeStep& step_;
  Span columns_;
  const RowKernels& kernels_;
  bool halving_ = false;
  std::vector<LinearColumn> table_;
  CachedRow cache_[2];
  std::vector<std::uint8_t> slots_;
};

PillowTable MakePillowTable(Span outputs, int input_size, int output_size) {
  PillowTable table;
  std::vector<PillowWindow> windows;
  int most = 1;
  for (int output = outputs.begin; output < outputs.end; ++output) {
    windows.push_back(PillowWindowAt(output, input_size, output_size));
    most = std::max(most, windows.back().end - windows.back().begin);
  }
  table.pairs_per_output = (most + 1) / 2;
  table.pairs.resize(windows.size() * static_cast<std::size_t>(table.pairs_per_output), PillowPair{{0, 0}, {0, 0}});
  std::vector<double> raw(static_cast<std::size_t>(most));
  for (std::size_t output = 0; output < windows.size(); ++output) {
    const PillowWindow& window = windows[output];
    const int taps = window.end - window.begin;
    double sum = 0;
    for (int tap = 0; tap < taps; ++tap) sum += raw[static_cast<std::size_t>(tap)] = PillowRawWeight(window, window.begin + tap);
    for (int tap = 0; tap < taps; ++tap) {
      const int weight = PillowFixedPoint(raw[static_cast<std::size_t>(tap)] / sum);
      PillowPair& pair = table.pairs[output * static_cast<std::size_t>(table.pairs_per_output) + static_cast<std::size_t>(tap / 2)];
      pair.high[tap % 2] = static_cast<std::int16_t>(weight >> 11);
      pair.low[tap % 2] = static_cast<std::int16_t>(weight & 2047);
    }
    table.windows.push_back({window.begin, taps});
  }
  return table;
}

class PillowRows {
 public:
  PillowRows(const View& source, const ResizeStep& step, Span columns, Span rows, const RowKernels& kernels)
      : source_(source), columns_(columns), first_row_(rows.begin), kernels_(kernels), slots_(4 * static_cast<std::size_t>(columns.Length())) {
    // An axis whose size does not change is left alone.
    resize_columns_ = step.width != source.width;
    resize_rows_ = step.height != source.height;
    if (resize_columns_) column_table_ = MakePillowTable(columns, source.width, step.width);
    if (!resize_rows_) return;
    row_table_ = MakePillowTable(rows, source.height, step.height);
    ring_.resize(2 * static_cast<std::size_t>(row_table_.pairs_per_output));
    for (CachedRow& row : ring_) row.slots.resize(slots_.size());
    pointers_.resize(ring_.size());
  }

  const std::uint8_t* Row(int y) {
    if (!resize_rows_) {
      Horizontal(y, slots_.data());
      return slots_.data();
    }
    const auto output = static_cast<std::size_t>(y - first_row_);
    const PillowTable::Window& window = row_table_.windows[output];
    const int pairs = (window.taps + 1) / 2;
    for (int tap = 0; tap < 2 * pairs; ++tap) {
      // A tap behind the last has no weight; any row will do.
      pointers_[static_cast<std::size_t>(tap)] = Cached(window.begin + std::min(tap, window.taps - 1));
    }
    kernels_.pillow_rows(pointers_.data(), row_table_.pairs.data() + output * static_cast<std::size_t>(row_table_.pairs_per_output), pairs,
                         columns_.Length(), slots_.data());
    return slots_.data();
  }

 private:
  struct CachedRow {
    int y = -1;
    std::vector<std::uint8_t> slots;
  };

  void Horizontal(int y, std::uint8_t* slots) {
    const SourceRow row = source_.Row(y);
    if (resize_columns_) {
      kernels_.pillow_columns(row, column_table_, slots);
    } else {
      kernels_.expand({row.pixels + std::ptrdiff_t{columns_.begin} * row.channels, columns_.Length(), row.channels}, slots);
    }
  }

  // A window never has more rows than the ring, and windows only move down: a row is not overwritten while it is needed.
  const std::uint8_t* Cached(int y) {
    CachedRow& row = ring_[static_cast<std::size_t>(y) % ring_.size()];
    if (row.y != y) {
      Horizontal(y, row.slots.data());
      row.y = y;
    }
    return row.slots.data();
  }

  const View& source_;
  Span columns_;
  int first_row_;
  const RowKernels& kernels_;
  bool resize_columns_ = false;
  bool resize_rows_ = false;
  PillowTable column_table_;
  PillowTable row_table_;
  std::vector<CachedRow> ring_;
  std::vector<const std::uint8_t*> pointers_;
  std::vector<std::uint8_t> slots_;
};

class CopiedRows {
 public:
  CopiedRows(const View& source, Span columns, const RowKernels& kernels)
      : source_(source), columns_(columns), kernels_(kernels), slots_(4 * static_cast<std::size_t>(columns.Length())) {}

  const std::uint8_t* Row(int y) {
    const SourceRow row = source_.Row(y);
    kernels_.expand({row.pixels + std::ptrdiff_t{columns_.begin} * row.channels, columns_.Length(), row.channels}, slots_.data());
    return slots_.data();
  }

 private:
  const View& source_;
  Span columns_;
  const RowKernels& kernels_;
  std::vector<std::uint8_t> slots_;
};

template <typename Rows, typename Sink>
void PlaceOnCanvas(Rows rows, Span columns, Span visible_rows, const Canvas& canvas, Sink& sink) {
  const int right = columns.canvas + columns.Length();
  for (int y = 0; y < canvas.height; ++y) {
    const int row = y - visible_rows.canvas + visible_rows.begin;
    if (columns.Length() == 0 || row < visible_rows.begin || row >= visible_rows.end) {
      sink.Fill(y, 0, canvas.width, canvas.fill);
      continue;
    }
    sink.Fill(y, 0, columns.canvas, canvas.fill);
    sink.Write(y, columns.canvas, columns.Length(), rows.Row(row));
    sink.Fill(y, right, canvas.width - right, canvas.fill);
  }
}

template <typename Sink>
void Run(const ResizeStep& step, const View& source, const RowKernels& kernels, Sink& sink) {
  Span columns = Visible(step.width, step.canvas.width, step.canvas.left);
  const Span rows = Visible(step.height, step.canvas.height, step.canvas.top);
  if (columns.Length() == 0) columns.canvas = 0;
  switch (step.filter) {
    case Filter::kLinear: return PlaceOnCanvas(LinearRows(source, step, columns, kernels), columns, rows, step.canvas, sink);
    case Filter::kPillow: return PlaceOnCanvas(PillowRows(source, step, columns, rows, kernels), columns, rows, step.canvas, sink);
    case Filter::kNone: return PlaceOnCanvas(CopiedRows(source, columns, kernels), columns, rows, step.canvas, sink);
  }
}

template <typename Sink>
void Run(const SampleStep& step, const View& source, const RowKernels&, Sink& sink) {
  std::vector<SamplePosition> columns;
  for (int x = 0; x < step.width; ++x) columns.push_back(SampleAt(x, step.origin_x, step.step_x, source.width));
  std::vector<std::uint8_t> slots(4 * static_cast<std::size_t>(step.width));
  const auto read = [&](int x, int y, int channel) {
    if (x < 0 || y < 0 || x >= source.width || y >= source.height) return 0;
    return int{source.pixels[y * source.stride + std::ptrdiff_t{x} * source.channels + (source.channels == 1 ? 0 : channel)]};
  };
  for (int v = 0; v < step.height; ++v) {
    const SamplePosition row = SampleAt(v, step.origin_y, step.step_y, source.height);
    std::fill(slots.begin(), slots.end(), std::uint8_t{0});
    for (int u = 0; row.inside && u < step.width; ++u) {
      const SamplePosition& column = columns[static_cast<std::size_t>(u)];
      for (int channel = 0; column.inside && channel < 3; ++channel) {
        slots[4 * static_cast<std::size_t>(u) + static_cast<std::size_t>(channel)] =
            SampleBlend(read(column.index, row.index, channel), read(column.index + 1, row.index, channel), read(column.index, row.index + 1, channel),
                        read(column.index + 1, row.index + 1, channel), column.fraction, row.fraction);
      }
    }
    sink.Write(v, 0, step.width, slots.data());
  }
}

// Grayscale and contrast work on a packed copy of the crop; a gray one has a single channel.
View PrepareColors(const View& crop, const PreprocessSteps& steps, ColorFormat format, const RowKernels& kernels, std::vector<std::uint8_t>& memory) {
  if (!steps.contrast.has_value() && (!steps.grayscale || crop.channels == 1)) return crop;
  const int channels = steps.grayscale || crop.channels == 1 ? 1 : 3;
  memory.resize(Count(crop.width, crop.height) * static_cast<std::size_t>(channels));
  const View packed{memory.data(), crop.width, crop.height, channels, std::ptrdiff_t{crop.width} * channels};
  for (int y = 0; y < crop.height; ++y) {
    const SourceRow row = crop.Row(y);
    std::uint8_t* out = memory.data() + y * packed.stride;
    if (crop.channels == channels) {
      std::memcpy(out, row.pixels, Count(crop.width, channels));
    } else if (channels == 1) {
      kernels.gray(row, format == ColorFormat::kRgb ? 0 : 2, out);
    } else {
      for (int x = 0; x < crop.width; ++x) std::memcpy(out + 3 * x, row.pixels + std::ptrdiff_t{4} * x, 3);
    }
  }
  if (steps.contrast.has_value()) ApplyContrast(*steps.contrast, {memory.data(), crop.width, crop.height, channels});
  return packed;
}

template <typename Sink>
void RunStep(const GeometryStep& step, const View& source, const RowKernels& kernels, Sink& sink) {
  std::visit([&](const auto& concrete) { Run(concrete, source, kernels, sink); }, step);
}

}  // namespace

Status Preprocess(const Image& image, const PreprocessSteps& steps, float* target, const RowKernels& kernels) {
  IM_RETURN_IF_ERROR(Validate(image, steps));
  const std::ptrdiff_t stride = std::ptrdiff_t{image.width} * image.channels;
  const View crop{image.pixels + steps.crop.top * stride + std::ptrdiff_t{steps.crop.left} * image.channels, steps.crop.width, steps.crop.height,
                  image.channels, stride};
  std::vector<std::uint8_t> packed;
  const View colors = PrepareColors(crop, steps, image.color_format, kernels, packed);
  PlaneSink sink(steps, target, kernels);
  if (steps.geometry.size() == 1) {
    RunStep(steps.geometry[0], colors, kernels, sink);
    return {};
  }
  PictureSink between(OutputSize(steps.geometry[0]));
  RunStep(steps.geometry[0], colors, kernels, between);
  const View picture = between.Picture();
  RunStep(steps.geometry[1], picture, kernels, sink);
  return {};
}

}  // namespace im
