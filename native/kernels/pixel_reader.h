// How the preprocessing kernels read pixels: whatever the layout, as slots, four bytes with the last of them 0.
#pragma once

#include <cstdint>
#include <cstring>

#include "image/host_device.h"
#include "image/pixels.h"

namespace im::kernels {

struct PixelSource {
  std::int64_t offset = 0;  // of pixel (0, 0), which may lie outside when only others are read
  std::int64_t row_bytes = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::int32_t channels = 0;  // 1, 3 or 4 bytes per pixel
  std::int32_t in_scratch = 0;
  std::int32_t red = -1;  // which channel is red, when the picture is made gray on the way; else -1
  std::int32_t mapped = 0;
  std::int64_t map = 0;  // in scratch memory: what every value becomes, after that; when `mapped`
};

// What lies behind the pixels, because whole words are read.
constexpr int kReadAhead = 16;

IM_HOST_DEVICE std::uint32_t LoadWord(const unsigned char* place) {
#if defined(__CUDA_ARCH__)
  return *reinterpret_cast<const std::uint32_t*>(place);
#else
  std::uint32_t word;
  memcpy(&word, place, sizeof word);
  return word;
#endif
}

// Two neighbouring pixels as slots. The second one means nothing at the end of a row; it has no weight there.
struct SlotPair {
  std::uint32_t first;
  std::uint32_t second;
};

IM_HOST_DEVICE int ChannelOf(std::uint32_t slot, int channel) { return static_cast<int>(slot >> (8 * channel) & 255u); }

IM_HOST_DEVICE std::uint32_t MakeSlot(int first, int second, int third) {
  return static_cast<std::uint32_t>(first) | static_cast<std::uint32_t>(second) << 8 | static_cast<std::uint32_t>(third) << 16;
}

IM_HOST_DEVICE std::uint32_t GraySlot(std::uint32_t slot, int red) {
  return Gray(ChannelOf(slot, red), ChannelOf(slot, 1), ChannelOf(slot, 2 - red)) * 0x010101u;
}

IM_HOST_DEVICE std::uint32_t MappedSlot(std::uint32_t slot, const unsigned char* map) {
  return MakeSlot(map[ChannelOf(slot, 0)], map[ChannelOf(slot, 1)], map[ChannelOf(slot, 2)]);
}

// Memory as one pass over one picture sees it.
class PixelReader {
 public:
  IM_HOST_DEVICE PixelReader(const PixelSource& source, const unsigned char* job, const unsigned char* scratch)
      : source_(source),
        base_(source.in_scratch != 0 ? scratch : job),
        map_(source.mapped != 0 ? scratch + source.map : nullptr) {}

  IM_HOST_DEVICE std::uint32_t Slot(int x, int y) const { return Pair(x, y).first; }

  IM_HOST_DEVICE SlotPair Pair(int x, int y) const {
    const std::int64_t offset = source_.offset + y * source_.row_bytes + static_cast<std::int64_t>(x) * source_.channels;
    SlotPair pair;
    if (source_.channels == 4) {
      pair = {LoadWord(base_ + offset) & 0xffffffu, LoadWord(base_ + offset + 4) & 0xffffffu};
    } else if (source_.channels == 3) {
      pair = Packed(offset);
    } else {
      pair = {base_[offset] * 0x010101u, base_[offset + 1] * 0x010101u};
    }
    if (source_.red >= 0) pair = {GraySlot(pair.first, source_.red), GraySlot(pair.second, source_.red)};
    if (map_ != nullptr) pair = {MappedSlot(pair.first, map_), MappedSlot(pair.second, map_)};
    return pair;
  }

 private:
  // Six bytes from any place on, by whole words.
  IM_HOST_DEVICE SlotPair Packed(std::int64_t offset) const {
    const unsigned char* words = base_ + (offset & ~std::int64_t{3});
    const int shift = static_cast<int>(offset & 3) * 8;
    const std::uint64_t middle = LoadWord(words + 4);
    const std::uint64_t low = (LoadWord(words) | middle << 32) >> shift;
    const std::uint64_t high = (middle | static_cast<std::uint64_t>(LoadWord(words + 8)) << 32) >> shift;
    return {static_cast<std::uint32_t>(low) & 0xffffffu, static_cast<std::uint32_t>((low >> 24 & 255u) | high << 8) & 0xffffffu};
  }

  const PixelSource& source_;
  const unsigned char* base_;
  const unsigned char* map_;
};

template <typename T>
IM_HOST_DEVICE const T* TableAt(const unsigned char* job, std::int64_t offset) {
  return reinterpret_cast<const T*>(job + offset);
}

}  // namespace im::kernels
