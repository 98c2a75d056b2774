#include "maps/class_map.h"

#include <algorithm>
#include <limits>

#include "detection/sigmoid.h"
#include "maps/arithmetic.h"
#include "maps/rows.h"

namespace im::maps {
namespace {

// Two loops over rows that do not overlap, kept free of anything that would hinder whole registers.
void TakeGreater(const float* IM_RESTRICT row, std::int32_t channel, float* IM_RESTRICT best, std::int32_t* IM_RESTRICT channels,
                 std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) {
    const float value = row[x];
    const float leader = best[x];
    const std::int32_t of_leader = channels[x];
    best[x] = value > leader ? value : leader;
    const std::int32_t mask = -static_cast<std::int32_t>(value > leader);
    channels[x] = (channel & mask) | (of_leader & ~mask);
  }
}

void AddExponentials(const float* IM_RESTRICT row, const float* IM_RESTRICT best, float* IM_RESTRICT sum, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) sum[x] += ExpOfNegative(row[x] - best[x]);
}

// Probabilities of the most probable channel of each pixel of a row, and which one it is (the first of equal ones).
class BestChannel {
 public:
  BestChannel(std::size_t channels, std::size_t width)
      : channels_(channels), width_(width), logits_(channels * width), best_(width), channel_(width) {}

  float* logits(std::size_t channel) { return logits_.data() + channel * width_; }
  const std::vector<std::int32_t>& channel() const { return channel_; }

  void Find(float* probability) {
    if (channels_ == 1) {
      for (std::size_t x = 0; x < width_; ++x) probability[x] = detection::Sigmoid(logits_[x]);
      return;
    }
    std::copy_n(logits_.data(), width_, best_.data());
    std::fill(channel_.begin(), channel_.end(), 0);
    for (std::size_t c = 1; c < channels_; ++c)
      TakeGreater(logits(c), static_cast<std::int32_t>(c), best_.data(), channel_.data(), width_);
    std::fill_n(probability, width_, 0.0f);
    for (std::size_t c = 0; c < channels_; ++c) AddExponentials(logits(c), best_.data(), probability, width_);
    for (std::size_t x = 0; x < width_; ++x) probability[x] = 1.0f / probability[x];
  }

 private:
  std::size_t channels_;
  std::size_t width_;
  std::vector<float> logits_;
  std::vector<float> best_;
  std::vector<std::int32_t> channel_;
};

}  // namespace

bool HasWideIds(const ClassMapSettings& settings) {
  const auto is_wide = [](std::uint16_t id) { return id > std::numeric_limits<std::uint8_t>::max(); };
  return is_wide(settings.background) || std::any_of(settings.class_ids.begin(), settings.class_ids.end(), is_wide);
}

std::vector<float> ThresholdsByChannel(const ClassMapSettings& settings) {
  std::vector<float> thresholds;
  for (const std::uint16_t id : settings.class_ids) {
    thresholds.push_back(settings.thresholds.size() == 1   ? settings.thresholds[0]
                         : id < settings.thresholds.size() ? settings.thresholds[id]
                                                           : std::numeric_limits<float>::quiet_NaN());
  }
  return thresholds;
}

template <typename Id>
Status MakeClassMap(const DenseMap& logits, const Placement& placement, const ClassMapSettings& settings, Id* classes,
                    float* confidence) {
  IM_RETURN_IF_ERROR(Validate(logits, placement));
  if (settings.class_ids.size() != logits.channels)
    return InvalidArgument("maps", "There must be one class id for each channel.");
  if (settings.thresholds.empty()) return InvalidArgument("maps", "There must be at least one threshold.");
  const auto fits = [](std::uint16_t id) { return id <= std::numeric_limits<Id>::max(); };
  if (!fits(settings.background) || !std::all_of(settings.class_ids.begin(), settings.class_ids.end(), fits)) {
    return InvalidArgument("maps", "A class id does not fit the map.");
  }
  const auto background = static_cast<Id>(settings.background);
  const std::size_t pixels = placement.canvas_width * placement.canvas_height;
  std::fill_n(classes, pixels, background);
  std::fill_n(confidence, pixels, 0.0f);

  const std::vector<float> thresholds = ThresholdsByChannel(settings);
  ResizedRows rows(logits, placement, static_cast<float>(settings.background));
  std::vector<char> seen(placement.width);
  for (std::size_t x = 0; x < placement.width; ++x) seen[x] = rows.SeenColumn(x) ? 1 : 0;
  BestChannel best(logits.channels, placement.width);
  std::vector<float> probability(placement.width);
  for (std::size_t y = 0; y < placement.height; ++y) {
    for (std::size_t channel = 0; channel < logits.channels; ++channel) rows.Read(channel, y, best.logits(channel));
    best.Find(probability.data());
    const bool seen_row = rows.SeenRow(y);
    const std::size_t start = (placement.top + y) * placement.canvas_width + placement.left;
    for (std::size_t x = 0; x < placement.width; ++x) {
      const auto channel = static_cast<std::size_t>(best.channel()[x]);
      const auto id = static_cast<Id>(settings.class_ids[channel]);
      // What the network never saw cannot be anything but background, whatever the fill of the extension would make of it.
      if (!(probability[x] >= thresholds[channel]) || (id != background && !(seen_row && seen[x] != 0))) continue;
      classes[start + x] = id;
      confidence[start + x] = probability[x];
    }
  }
  return {};
}

template Status MakeClassMap(const DenseMap&, const Placement&, const ClassMapSettings&, std::uint8_t*, float*);
template Status MakeClassMap(const DenseMap&, const Placement&, const ClassMapSettings&, std::uint16_t*, float*);

Status MakeValueMap(const DenseMap& map, const Placement& placement, Kernel kernel, float* values) {
  IM_RETURN_IF_ERROR(Validate(map, placement));
  std::fill_n(values, placement.canvas_width * placement.canvas_height, 0.0f);
  ResizedRows rows(map, placement, 0.0f, kernel);
  for (std::size_t y = 0; y < placement.height; ++y) {
    rows.Read(0, y, values + (placement.top + y) * placement.canvas_width + placement.left);
  }
  return {};
}

}  // namespace im::maps
