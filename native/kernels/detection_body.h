// What threads of the detection kernels do, for heads with one box and one score per class for every candidate. Compiled by nvcc
// into the kernels (detection.cu) and by the C++ compiler into their twins on the host (test/native/fakes/kernel_twins.cc); the
// arithmetic is that of native/detection.
//
// Three launches, none of which needs to know on the host what the one before found:
//   gather    a thread per candidate: who passes the threshold, in any order
//   rank      a thread per candidate that passed: its place is the number of those that are better
//   suppress  a block per picture: greedy suppression of overlaps, best first, in groups
#pragma once

#include <cmath>
#include <cstdint>

#include "detection/priors.h"
#include "detection/sigmoid.h"
#include "kernels/batch_matrix.h"
#include "kernels/found.h"
#include "kernels/team.h"

namespace im::kernels {

// The only argument of each kernel.
struct DetectionArguments {
  BatchMatrix boxes;
  BatchMatrix scores;
  BatchMatrix objectness;
  BatchMatrix priors;  // with kOffsets, those of all pictures
  detection::InputSize input_size;
  const RunSettings* settings = nullptr;
  detection::ThresholdList thresholds;  // one per class
  // Working memory, `candidates` each per picture: keys, classes and scores as they were gathered, then best first.
  std::uint32_t* gathered = nullptr;  // one count per picture; 0 at the beginning
  std::uint64_t* keys = nullptr;
  std::int32_t* classes = nullptr;
  float* scores_gathered = nullptr;
  Found* ranked = nullptr;
  // Results: `limit` per picture, and how many of them there are.
  Found* found = nullptr;
  std::int32_t* found_count = nullptr;
  std::int32_t candidates = 0;
  std::int32_t class_count = 0;
  std::int32_t limit = 0;
  detection::BoxFormat box_format = detection::BoxFormat::kCenterSize;
  detection::ObjectnessUse objectness_use = detection::ObjectnessUse::kNone;
};

constexpr unsigned kSuppressBlock = 256;

struct Decision {
  bool passes;
  float score;
  std::int32_t class_id;
};

// The class of a candidate is the first of its greatest scores, as in detection::GatherDense; NaN is passed over.
IM_HOST_DEVICE Decision Decide(const DetectionArguments& arguments, unsigned picture, std::size_t candidate) {
  using detection::ObjectnessUse;
  const float nothing = -INFINITY;
  const float logit_bound = arguments.settings->logit_bound;
  float object = 0;
  if (arguments.objectness_use != ObjectnessUse::kNone) {
    object = arguments.objectness.At(picture, candidate, 0);
    if (arguments.objectness_use == ObjectnessUse::kProduct) {
      // Most candidates are background, and the exact function is dear.
      if (!(object >= logit_bound)) return {false, 0, 0};
      object = detection::Sigmoid(object);
    }
  }
  float best = nothing;
  std::int32_t best_class = 0;
  arguments.scores.With(picture, [&](const auto& scores) {
    for (std::int32_t c = 0; c < arguments.class_count; ++c) {
      float score = scores.At(candidate, static_cast<std::size_t>(c));
      if (arguments.objectness_use == ObjectnessUse::kProduct) {
        if (!(score >= logit_bound)) continue;
        score = object * detection::Sigmoid(score);
      }
      if (score > best) {
        best = score;
        best_class = c;
      }
    }
  });
  if (arguments.objectness_use != ObjectnessUse::kGate) return {arguments.thresholds.Above(best, best_class), best, best_class};
  return {best > nothing && arguments.thresholds.Above(object, best_class), best, best_class};
}

IM_HOST_DEVICE void GatherCandidate(const DetectionArguments& arguments, unsigned candidate, unsigned picture) {
  if (candidate >= static_cast<unsigned>(arguments.candidates)) return;
  const Decision decision = Decide(arguments, picture, candidate);
  if (!decision.passes) return;
  const std::int64_t place = static_cast<std::int64_t>(picture) * arguments.candidates + CountUp(arguments.gathered + picture);
  arguments.keys[place] = detection::ScoreKey(decision.score, candidate);
  arguments.classes[place] = decision.class_id;
  arguments.scores_gathered[place] = decision.score;
}

IM_HOST_DEVICE Box BoxOfCandidate(const DetectionArguments& arguments, unsigned picture, std::size_t candidate) {
  const PictureMatrix boxes = arguments.boxes.Of(picture);
  if (arguments.box_format != detection::BoxFormat::kOffsets) return BoxOf(boxes, arguments.box_format, candidate);
  return BoxFromPrior(arguments.priors.Of(picture), boxes, candidate, arguments.input_size);
}

// Keys are all different, so are the ranks: every place is written once, whatever the order was.
IM_HOST_DEVICE void RankCandidate(const DetectionArguments& arguments, unsigned place, unsigned picture) {
  const std::uint32_t count = arguments.gathered[picture];
  if (place >= count) return;
  const std::int64_t start = static_cast<std::int64_t>(picture) * arguments.candidates;
  const std::uint64_t* keys = arguments.keys + start;
  const std::uint64_t key = keys[place];
  std::uint32_t rank = 0;
  for (std::uint32_t i = 0; i < count; ++i) rank += keys[i] < key ? 1u : 0u;
  const std::int32_t candidate = detection::PositionOf(key);
  const Box box = BoxOfCandidate(arguments, picture, static_cast<std::size_t>(candidate));
  arguments.ranked[start + rank] = {box, arguments.scores_gathered[start + place], arguments.classes[start + place], candidate,
                                    0};
}

// -------------------------------------------------------------------------------------------------------------- suppression

// So many boxes, best first, are decided about at a time: the bits of a word.
constexpr int kSuppressGroup = 64;

// What the threads of a block share.
struct SuppressShared {
  std::uint64_t overlaps[kSuppressGroup];  // bit j of entry i: member i overlaps j, which is better
  std::uint32_t covered[kSuppressGroup];   // whether a box that stays from an earlier group overlaps it
  std::uint64_t staying;                   // members that stay
  std::int32_t kept;                       // boxes that stay, before this group
  std::int32_t kept_after;
};

IM_HOST_DEVICE int CountBits(std::uint64_t bits) {
#if defined(__CUDA_ARCH__)
  return __popcll(bits);
#else
  int count = 0;
  for (; bits != 0; bits &= bits - 1) ++count;
  return count;
#endif
}

IM_HOST_DEVICE bool Suppresses(const DetectionArguments& arguments, const Found& kept, const Found& box) {
  if (arguments.settings->class_agnostic == 0 && kept.class_id != box.class_id) return false;
  return IntersectionOverUnion(kept.box, Area(kept.box), box.box, Area(box.box)) > arguments.settings->iou_threshold;
}

template <typename Team>
IM_HOST_DEVICE void SuppressPicture(const Team& team, const DetectionArguments& arguments, unsigned picture,
                                    SuppressShared& shared) {
  const auto count = static_cast<std::int32_t>(arguments.gathered[picture]);
  const Found* ranked = arguments.ranked + static_cast<std::int64_t>(picture) * arguments.candidates;
  Found* found = arguments.found + static_cast<std::int64_t>(picture) * arguments.limit;
  team.ForEach(1, [&](int) { shared.kept = shared.kept_after = 0; });
  for (std::int32_t start = 0; start < count && shared.kept_after < arguments.limit; start += kSuppressGroup) {
    const int members = count - start < kSuppressGroup ? count - start : kSuppressGroup;
    team.ForEach(kSuppressGroup, [&](int i) {
      shared.covered[i] = 0;
      if (i == 0) shared.kept = shared.kept_after;
      std::uint64_t overlaps = 0;
      for (int j = 0; j < i && i < members; ++j) {
        if (Suppresses(arguments, ranked[start + j], ranked[start + i])) overlaps |= std::uint64_t{1} << j;
      }
      shared.overlaps[i] = overlaps;
    });
    team.ForEach(shared.kept * kSuppressGroup, [&](int pair) {
      const int i = pair % kSuppressGroup;
      // All who write here write the same.
      if (i < members && Suppresses(arguments, found[pair / kSuppressGroup], ranked[start + i])) shared.covered[i] = 1;
    });
    team.ForEach(1, [&](int) {
      std::uint64_t staying = 0;
      std::int32_t kept = shared.kept;
      for (int i = 0; i < members && kept < arguments.limit; ++i) {
        if (shared.covered[i] != 0 || (shared.overlaps[i] & staying) != 0) continue;
        staying |= std::uint64_t{1} << i;
        ++kept;
      }
      shared.staying = staying;
      shared.kept_after = kept;
    });
    team.ForEach(members, [&](int i) {
      const std::uint64_t bit = std::uint64_t{1} << i;
      if ((shared.staying & bit) != 0) found[shared.kept + CountBits(shared.staying & (bit - 1))] = ranked[start + i];
    });
  }
  team.ForEach(1, [&](int) { arguments.found_count[picture] = shared.kept_after; });
}

}  // namespace im::kernels
