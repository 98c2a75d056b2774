// What threads of the map kernels do: a value for every pixel of a picture, out of the planes of a network, as
// maps::MakeClassMap and maps::MakeValueMap make it. One launch, a thread per pixel.
#pragma once

#include <cstdint>

#include "detection/sigmoid.h"
#include "image/host_device.h"
#include "kernels/batch_matrix.h"
#include "maps/arithmetic.h"

namespace im::kernels {

constexpr unsigned kMapBlock = 256;

// Which positions of the trimmed map make a row or column of the resized one. Weights are counted from where those of all
// pictures begin.
struct MapTap {
  std::uint32_t first;
  std::uint32_t count;
  std::uint32_t weights;
  std::uint32_t seen;  // whether any of them is the network's, rather than an extension's
};

struct MapPicture {
  std::uint64_t first_pixel;  // among the results of all pictures
  std::int32_t trim_left;
  std::int32_t trim_top;
  std::uint32_t width;  // of the resized map, and where it lies
  std::uint32_t height;
  std::uint32_t left;
  std::uint32_t top;
  std::uint32_t canvas_width;
  std::uint32_t canvas_height;
  std::uint32_t columns;  // the first of its taps
  std::uint32_t rows;
};

// Offsets are bytes from the job's own address.
struct MapJob {
  std::uint64_t picture_offset;
  std::uint64_t tap_offset;
  std::uint64_t weight_offset;
  std::uint64_t id_offset;  // by channel: uint16, the class that it stands for
  std::uint64_t threshold_offset;
  std::int32_t channels;
  std::int32_t width;
  std::int32_t height;
  float fill;  // stands where the map was extended
  std::uint16_t background;
};

// The only argument of the kernels; all that a captured graph holds.
struct MapArguments {
  const unsigned char* job = nullptr;
  BatchMatrix planes;  // cells (y * width + x) by channels
  // Of all pictures, one after the other.
  float* values = nullptr;
  void* ids = nullptr;  // null where there are none
  bool wide_ids = false;
};

// A place of the resized map of a picture.
class MapPlace {
 public:
  IM_HOST_DEVICE MapPlace(const unsigned char* job, const MapPicture& picture, std::uint32_t x, std::uint32_t y)
      : job_(*reinterpret_cast<const MapJob*>(job)),
        picture_(picture),
        weights_(reinterpret_cast<const float*>(job + job_.weight_offset)),
        column_(reinterpret_cast<const MapTap*>(job + job_.tap_offset)[picture.columns + x]),
        row_(reinterpret_cast<const MapTap*>(job + job_.tap_offset)[picture.rows + y]) {}

  IM_HOST_DEVICE bool seen() const { return column_.seen != 0 && row_.seen != 0; }

  // Blended vertically, then horizontally.
  template <typename Matrix>
  IM_HOST_DEVICE float Read(const Matrix& planes, std::int32_t channel) const {
    float sum = 0.0f;
    IM_KEEP_LOOP
    for (std::uint32_t i = 0; i < column_.count; ++i) {
      const std::int32_t x = static_cast<std::int32_t>(column_.first + i) + picture_.trim_left;
      const bool column_exists = x >= 0 && x < job_.width;
      float blended = 0.0f;
      IM_KEEP_LOOP
      for (std::uint32_t k = 0; k < row_.count; ++k) {
        const std::int32_t y = static_cast<std::int32_t>(row_.first + k) + picture_.trim_top;
        const bool exists = column_exists && y >= 0 && y < job_.height;
        const float value =
            exists ? planes.At(static_cast<std::size_t>(y) * static_cast<std::size_t>(job_.width) + static_cast<std::size_t>(x),
                               static_cast<std::size_t>(channel))
                   : job_.fill;
        blended += weights_[row_.weights + k] * value;
      }
      sum += weights_[column_.weights + i] * blended;
    }
    return sum;
  }

 private:
  const MapJob& job_;
  const MapPicture& picture_;
  const float* weights_;
  const MapTap& column_;
  const MapTap& row_;
};

struct BestChannel {
  std::int32_t channel;
  float probability;
};

// The first of equal ones. Logits are made twice: all of a pixel's would not fit into registers.
template <typename Matrix>
IM_HOST_DEVICE BestChannel FindBestChannel(const MapPlace& place, const Matrix& planes, std::int32_t channels) {
  float best = place.Read(planes, 0);
  if (channels == 1) return {0, detection::Sigmoid(best)};
  std::int32_t channel = 0;
  IM_KEEP_LOOP
  for (std::int32_t c = 1; c < channels; ++c) {
    const float logit = place.Read(planes, c);
    if (logit > best) {
      best = logit;
      channel = c;
    }
  }
  float sum = 0.0f;
  IM_KEEP_LOOP
  for (std::int32_t c = 0; c < channels; ++c) sum += maps::ExpOfNegative(place.Read(planes, c) - best);
  return {channel, 1.0f / sum};
}

// calls write(index, place) for the pixel of a picture, with its place among those of all pictures, and a place of the resized
// map, or null beside it.
template <typename Write>
IM_HOST_DEVICE void ForPixel(const MapArguments& arguments, unsigned pixel, unsigned number, Write write) {
  const auto& job = *reinterpret_cast<const MapJob*>(arguments.job);
  const MapPicture& picture = reinterpret_cast<const MapPicture*>(arguments.job + job.picture_offset)[number];
  if (pixel >= picture.canvas_width * picture.canvas_height) return;
  const std::uint64_t index = picture.first_pixel + pixel;
  // Beside the map they become very large.
  const std::uint32_t x = pixel % picture.canvas_width - picture.left;
  const std::uint32_t y = pixel / picture.canvas_width - picture.top;
  if (x >= picture.width || y >= picture.height) return write(index, nullptr);
  const MapPlace place(arguments.job, picture, x, y);
  write(index, &place);
}

IM_HOST_DEVICE void ClassifyPixel(const MapArguments& arguments, unsigned pixel, unsigned number) {
  const auto& job = *reinterpret_cast<const MapJob*>(arguments.job);
  ForPixel(arguments, pixel, number, [&](std::uint64_t index, const MapPlace* place) {
    std::uint16_t id = job.background;
    float confidence = 0.0f;
    if (place != nullptr) {
      const BestChannel best =
          arguments.planes.With(number, [&](const auto& planes) { return FindBestChannel(*place, planes, job.channels); });
      const std::uint16_t best_id = reinterpret_cast<const std::uint16_t*>(arguments.job + job.id_offset)[best.channel];
      const float threshold = reinterpret_cast<const float*>(arguments.job + job.threshold_offset)[best.channel];
      // What the network never saw cannot be anything but background.
      if (best.probability >= threshold && (best_id == job.background || place->seen())) {
        id = best_id;
        confidence = best.probability;
      }
    }
    arguments.values[index] = confidence;
    if (arguments.wide_ids) static_cast<std::uint16_t*>(arguments.ids)[index] = id;
    else static_cast<std::uint8_t*>(arguments.ids)[index] = static_cast<std::uint8_t>(id);
  });
}

IM_HOST_DEVICE void MeasurePixel(const MapArguments& arguments, unsigned pixel, unsigned number) {
  ForPixel(arguments, pixel, number, [&](std::uint64_t index, const MapPlace* place) {
    arguments.values[index] =
        place == nullptr ? 0.0f : arguments.planes.With(number, [&](const auto& planes) { return place->Read(planes, 0); });
  });
}

}  // namespace im::kernels
