// What one thread of the preprocessing kernel does: four neighbouring pixels of one pass over one picture. Compiled by nvcc into
// the kernel (preprocess.cu) and by the C++ compiler into its twin on the host (test/native/fakes/kernel_twins.cc); what happens
// to a pixel is the CPU executor's own arithmetic, from native/image.
//
// Addresses are offsets: from the beginning of the job's memory (passes, tables, pixels; native/kernels/preprocess_job.h) or of
// the scratch memory between passes.
#pragma once

#include <cstdint>

#include "image/host_device.h"
#include "image/interpolation.h"
#include "image/pixels.h"
#include "kernels/half.h"
#include "kernels/pixel_reader.h"

namespace im::kernels {

enum class PassKind : std::int32_t {
  kNothing,  // this picture needs fewer passes than others
  kCopy,
  kLinear,
  kSample,
  kPillowColumns,
  kPillowRows,
  kSmoothColumns,  // float32, to kFloats
  kSmoothRows,     // from there, to kPlanes
};

enum class Sink : std::int32_t {
  kPlanes,  // the network input, normalized
  kSlots,   // scratch memory: four bytes per pixel, the last of them 0
  kFloats,  // scratch memory: four floats per pixel, the last of them 0
};

// One output position of a filter with any number of taps.
struct Window {
  std::int32_t begin;
  std::int32_t taps;
  std::int32_t weights;  // index of the first of them
  float beyond;          // weight of what lies beside the picture
};

// Fills a canvas with a picture and what is around it.
struct Pass {
  PassKind kind = PassKind::kNothing;
  Sink sink = Sink::kPlanes;
  PixelSource source;
  std::int32_t canvas_width = 0;
  std::int32_t canvas_height = 0;
  std::int32_t left = 0;  // where the picture lies on the canvas
  std::int32_t top = 0;
  std::int32_t width = 0;  // of the picture, after the pass
  std::int32_t height = 0;
  float fill = 0;
  float beyond = 0;  // value of what lies beside the picture
  std::int32_t cubic = 0;
  std::int32_t swap_channels = 0;
  Normalization normalization;
  // kLinear: LinearCoefficient for each column and row. Others: Window for each column or row, and their weights, of 4 bytes
  // each.
  std::int64_t columns = 0;
  std::int64_t rows = 0;
  std::int64_t weights = 0;
  std::int64_t target = 0;  // bytes in scratch memory, or elements in the network input
  double origin_x = 0;      // kSample
  double origin_y = 0;
  double step_x = 0;
  double step_y = 0;
};

// The kernel's only argument. Pictures differ in what they need; pass p of picture i is passes[p * pictures + i].
struct PreprocessArguments {
  const unsigned char* job = nullptr;
  unsigned char* scratch = nullptr;
  void* target = nullptr;
  std::int32_t pass = 0;
  std::int32_t pictures = 0;
  std::int32_t half = 0;  // whether `target` is float16
};

// Pixels per thread: enough for stores of 16 bytes.
constexpr int kGroup = 4;
constexpr unsigned kBlockWidth = 32;
constexpr unsigned kBlockHeight = 8;

template <typename T>
struct alignas(sizeof(T) * kGroup) GroupOf {
  T values[kGroup];
};

// As one vector where the place allows it.
template <typename T>
IM_HOST_DEVICE void StoreGroup(T* place, const T (&values)[kGroup], int count) {
  if (count == kGroup && reinterpret_cast<std::uintptr_t>(place) % sizeof(GroupOf<T>) == 0) {
    GroupOf<T> group;
    IM_UNROLL
    for (int i = 0; i < kGroup; ++i) group.values[i] = values[i];
    *reinterpret_cast<GroupOf<T>*>(place) = group;
    return;
  }
  IM_UNROLL
  for (int i = 0; i < kGroup; ++i) {
    if (i < count) place[i] = values[i];
  }
}

// ---------------------------------------------------------------------------------------------------------------- filters

IM_HOST_DEVICE std::uint32_t LinearSlot(const Pass& pass, const PixelReader& reader, const unsigned char* job, int x, int y) {
  const LinearCoefficient column = TableAt<LinearCoefficient>(job, pass.columns)[x];
  const LinearCoefficient row = TableAt<LinearCoefficient>(job, pass.rows)[y];
  const int last = pass.source.height - 1;
  // The index is -1 at least.
  const int upper = row.index < 0 ? 0 : row.index > last ? last : row.index;
  const int lower = row.index < last ? row.index + 1 : last;
  const SlotPair top = reader.Pair(column.index, upper);
  const SlotPair bottom = reader.Pair(column.index, lower);
  int blended[3];
  IM_UNROLL
  for (int channel = 0; channel < 3; ++channel) {
    blended[channel] =
        BlendRows(BlendColumns(ChannelOf(top.first, channel), ChannelOf(top.second, channel), column.first, column.second),
                  BlendColumns(ChannelOf(bottom.first, channel), ChannelOf(bottom.second, channel), column.first, column.second),
                  row.first, row.second);
  }
  return MakeSlot(blended[0], blended[1], blended[2]);
}

IM_HOST_DEVICE std::uint32_t SampleSlot(const Pass& pass, const PixelReader& reader, int x, int y) {
  const SamplePosition across = SampleAt(x, pass.origin_x, pass.step_x, pass.source.width);
  const SamplePosition down = SampleAt(y, pass.origin_y, pass.step_y, pass.source.height);
  if (!across.inside || !down.inside) return 0;
  const auto slot = [&](int column, int row) {
    const bool inside = column >= 0 && row >= 0 && column < pass.source.width && row < pass.source.height;
    return inside ? reader.Slot(column, row) : 0u;
  };
  const std::uint32_t top_left = slot(across.index, down.index);
  const std::uint32_t top_right = slot(across.index + 1, down.index);
  const std::uint32_t bottom_left = slot(across.index, down.index + 1);
  const std::uint32_t bottom_right = slot(across.index + 1, down.index + 1);
  int blended[3];
  IM_UNROLL
  for (int channel = 0; channel < 3; ++channel) {
    blended[channel] = SampleBlend(ChannelOf(top_left, channel), ChannelOf(top_right, channel), ChannelOf(bottom_left, channel),
                                   ChannelOf(bottom_right, channel), across.fraction, down.fraction);
  }
  return MakeSlot(blended[0], blended[1], blended[2]);
}

// Both directions: a tap is one pixel further along one axis.
IM_HOST_DEVICE std::uint32_t PillowSlot(const Pass& pass, const PixelReader& reader, const unsigned char* job, int x, int y) {
  const bool across = pass.kind == PassKind::kPillowColumns;
  const Window window = TableAt<Window>(job, across ? pass.columns : pass.rows)[across ? x : y];
  const std::int32_t* weights = TableAt<std::int32_t>(job, pass.weights) + window.weights;
  int sums[3] = {0, 0, 0};
  IM_KEEP_LOOP
  for (int tap = 0; tap < window.taps; ++tap) {
    const std::uint32_t slot = across ? reader.Slot(window.begin + tap, y) : reader.Slot(x, window.begin + tap);
    IM_UNROLL
    for (int channel = 0; channel < 3; ++channel) sums[channel] += ChannelOf(slot, channel) * weights[tap];
  }
  return MakeSlot(PillowRound(sums[0]), PillowRound(sums[1]), PillowRound(sums[2]));
}

IM_HOST_DEVICE void SmoothColumns(const Pass& pass, const PixelReader& reader, const unsigned char* job, int x, int y,
                                  float (&sums)[3]) {
  const Window window = TableAt<Window>(job, pass.columns)[x];
  const float* weights = TableAt<float>(job, pass.weights) + window.weights;
  IM_UNROLL
  for (float& sum : sums) sum = 0.0f;
  IM_KEEP_LOOP
  for (int tap = 0; tap < window.taps; ++tap) {
    const std::uint32_t slot = reader.Slot(window.begin + tap, y);
    IM_UNROLL
    for (int channel = 0; channel < 3; ++channel) sums[channel] += weights[tap] * static_cast<float>(ChannelOf(slot, channel));
  }
  IM_UNROLL
  for (float& sum : sums) sum += window.beyond * pass.beyond;
}

IM_HOST_DEVICE void SmoothRows(const Pass& pass, const unsigned char* job, const unsigned char* scratch, int x, int y,
                               float (&sums)[3]) {
  const Window window = TableAt<Window>(job, pass.rows)[y];
  const float* weights = TableAt<float>(job, pass.weights) + window.weights;
  IM_UNROLL
  for (float& sum : sums) sum = 0.0f;
  IM_KEEP_LOOP
  for (int tap = 0; tap < window.taps; ++tap) {
    const std::int64_t offset =
        pass.source.offset + (window.begin + tap) * pass.source.row_bytes + static_cast<std::int64_t>(x) * 16;
    const GroupOf<float> pixel = *reinterpret_cast<const GroupOf<float>*>(scratch + offset);
    IM_UNROLL
    for (int channel = 0; channel < 3; ++channel) sums[channel] += weights[tap] * pixel.values[channel];
  }
  if (window.beyond != 0.0f) {
    IM_UNROLL
    for (float& sum : sums) sum += window.beyond * pass.beyond;
  }
  if (pass.cubic != 0) {
    IM_UNROLL
    for (float& sum : sums) sum = CubicRound(sum);
  }
}

// ------------------------------------------------------------------------------------------------------------------ a pass

IM_HOST_DEVICE std::uint32_t PassSlot(const Pass& pass, const PixelReader& reader, const unsigned char* job, int x, int y) {
  switch (pass.kind) {
    case PassKind::kLinear: return LinearSlot(pass, reader, job, x, y);
    case PassKind::kSample: return SampleSlot(pass, reader, x, y);
    case PassKind::kPillowColumns:
    case PassKind::kPillowRows: return PillowSlot(pass, reader, job, x, y);
    default: return reader.Slot(x, y);
  }
}

IM_HOST_DEVICE void ToElement(float value, float& element) { element = value; }
IM_HOST_DEVICE void ToElement(float value, Half& element) { element = ToHalf(value); }

template <typename Element>
IM_HOST_DEVICE void StorePlanes(const Pass& pass, const float (&values)[3][kGroup], Element* target, int x, int y, int count) {
  const std::int64_t plane = static_cast<std::int64_t>(pass.canvas_width) * pass.canvas_height;
  IM_UNROLL
  for (int channel = 0; channel < 3; ++channel) {
    const int output = pass.swap_channels != 0 ? 2 - channel : channel;
    Element elements[kGroup];
    IM_UNROLL
    for (int i = 0; i < kGroup; ++i) ToElement(Normalize(values[channel][i], pass.normalization, output), elements[i]);
    StoreGroup(target + pass.target + output * plane + static_cast<std::int64_t>(y) * pass.canvas_width + x, elements, count);
  }
}

// Pixels 4 * group .. 4 * group + 3 of row `y` of the canvas of one picture. Does nothing beyond the canvas.
IM_HOST_DEVICE void PreprocessGroup(const PreprocessArguments& arguments, unsigned group, unsigned row, unsigned picture) {
  const Pass& pass = TableAt<Pass>(arguments.job, 0)[static_cast<std::int64_t>(arguments.pass) * arguments.pictures + picture];
  const int x = static_cast<int>(group) * kGroup;
  const int y = static_cast<int>(row);
  if (pass.kind == PassKind::kNothing || x >= pass.canvas_width || y >= pass.canvas_height) return;
  const int count = pass.canvas_width - x < kGroup ? pass.canvas_width - x : kGroup;
  const PixelReader reader(pass.source, arguments.job, arguments.scratch);
  const bool row_inside = y >= pass.top && y < pass.top + pass.height;
  float values[3][kGroup] = {};
  // The first pixel enters at the end and moves to the front: places are known when this is compiled, though the loop stays one.
  IM_KEEP_LOOP
  for (int i = 0; i < kGroup; ++i) {
    const int column = x + i - pass.left;
    float pixel[3] = {pass.fill, pass.fill, pass.fill};
    if (i < count && row_inside && column >= 0 && column < pass.width) {
      if (pass.kind == PassKind::kSmoothColumns) {
        SmoothColumns(pass, reader, arguments.job, column, y - pass.top, pixel);
      } else if (pass.kind == PassKind::kSmoothRows) {
        SmoothRows(pass, arguments.job, arguments.scratch, column, y - pass.top, pixel);
      } else {
        const std::uint32_t slot = PassSlot(pass, reader, arguments.job, column, y - pass.top);
        IM_UNROLL
        for (int channel = 0; channel < 3; ++channel) pixel[channel] = static_cast<float>(ChannelOf(slot, channel));
      }
    }
    IM_UNROLL
    for (int channel = 0; channel < 3; ++channel) {
      IM_UNROLL
      for (int place = 1; place < kGroup; ++place) values[channel][place - 1] = values[channel][place];
      values[channel][kGroup - 1] = pixel[channel];
    }
  }
  if (pass.sink == Sink::kPlanes) {
    if (arguments.half != 0) StorePlanes(pass, values, static_cast<Half*>(arguments.target), x, y, count);
    else StorePlanes(pass, values, static_cast<float*>(arguments.target), x, y, count);
  } else if (pass.sink == Sink::kSlots) {
    std::uint32_t slots[kGroup];
    IM_UNROLL
    for (int i = 0; i < kGroup; ++i) {
      // Whole numbers from 0 to 255 all of them, the fill too.
      slots[i] = MakeSlot(static_cast<int>(values[0][i]), static_cast<int>(values[1][i]), static_cast<int>(values[2][i]));
    }
    auto* row_start =
        reinterpret_cast<std::uint32_t*>(arguments.scratch + pass.target) + static_cast<std::int64_t>(y) * pass.canvas_width;
    StoreGroup(row_start + x, slots, count);
  } else {
    auto* row_start =
        reinterpret_cast<float*>(arguments.scratch + pass.target) + static_cast<std::int64_t>(y) * pass.canvas_width * 4;
    IM_UNROLL
    for (int i = 0; i < kGroup; ++i) {
      if (i >= count) break;
      const float pixel[4] = {values[0][i], values[1][i], values[2][i], 0.0f};
      StoreGroup(row_start + std::int64_t{4} * (x + i), pixel, kGroup);
    }
  }
}

}  // namespace im::kernels
