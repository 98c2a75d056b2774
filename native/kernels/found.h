// What the detection kernels of every kind of head share: what they are told for a run, and what they hand back.
#pragma once

#include <cstdint>

#include "detection/arithmetic.h"
#include "image/host_device.h"

namespace im::kernels {

using detection::Box;

// Of one run. It lies in memory of the device, so that a captured graph can be launched with others than it was recorded with.
struct RunSettings {
  float iou_threshold;
  float logit_bound;  // no logit below it can pass
  float lowest;       // no score at or below it can pass
  std::int32_t class_agnostic;
};

// As it is downloaded.
struct Found {
  Box box;
  float score;
  std::int32_t class_id;
  std::int32_t candidate;  // or query
  std::int32_t padding;
};
static_assert(sizeof(Found) == 32);

// Threads of a block that look at one candidate, or pair, each.
constexpr unsigned kGatherBlock = 128;

}  // namespace im::kernels
