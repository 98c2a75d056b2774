// What threads of the detection kernels do, for heads with one box and one score per class for every candidate. Compiled by nvcc
// into the kernels (detection.cu) and by the C++ compiler into their twins on the host (test/native/fakes/kernel_twins.cc); the
// arithmetic is that of native/detection.
//
// Three launches, none of which needs to know on the host what the one before found:
//   gather    a few threads per candidate, with a share of the classes each: who passes the threshold, in any order
//   rank      a thread per candidate that passed: its place is the number of those that are better
//   suppress  a block per picture: greedy suppression of overlaps, best first, in groups
#pragma once

#include <cmath>
#include <cstdint>

#include "detection/priors.h"
#include "detection/sigmoid.h"
#include "kernels/batch_matrix.h"
#include "kernels/found.h"
#include "kernels/gather.h"
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

// Neighbouring threads look at neighbouring candidates, whose scores of one class lie side by side in most heads. There are too
// few candidates for all multiprocessors, so each has several threads, and no thread more than one candidate.
constexpr unsigned kSlices = 4;
constexpr unsigned kGatheredCandidates = kGatherBlock / kSlices;  // by a block

struct ClassScore {
  float score;
  std::int32_t class_id;
};

struct GatheredCandidate {
  ClassScore best;
  std::uint32_t candidate;
};

struct CandidatesShared {
  ClassScore best[kGatherBlock];  // of a candidate's slices, one after the other
  GatherShared<kGatheredCandidates, GatheredCandidate> gather;
};

// What thresholds apply to beside the classes; 1 where there is no objectness. `passes`: whether any class can.
IM_HOST_DEVICE float ReadObjectness(const DetectionArguments& arguments, unsigned picture, std::size_t candidate, bool& passes) {
  using detection::ObjectnessUse;
  passes = true;
  if (arguments.objectness_use == ObjectnessUse::kNone) return 1.0f;
  const float object = arguments.objectness.At(picture, candidate, 0);
  if (arguments.objectness_use == ObjectnessUse::kGate) return object;
  // Most candidates are background, and the exact function is dear.
  passes = object >= arguments.settings->logit_bound;
  return passes ? detection::Sigmoid(object) : 0.0f;
}

// The first greatest score of the classes from `begin` to `end`; NaN is passed over.
IM_HOST_DEVICE ClassScore FindBestClass(const DetectionArguments& arguments, unsigned picture, std::size_t candidate,
                                        float object, std::int32_t begin, std::int32_t end) {
  const bool product = arguments.objectness_use == detection::ObjectnessUse::kProduct;
  const float logit_bound = arguments.settings->logit_bound;
  ClassScore best{-INFINITY, 0};
  arguments.scores.With(picture, [&](const auto& scores) {
    for (std::int32_t c = begin; c < end; ++c) {
      float score = scores.At(candidate, static_cast<std::size_t>(c));
      if (product) {
        if (!(score >= logit_bound)) continue;
        score = object * detection::Sigmoid(score);
      }
      if (score > best.score) best = {score, c};
    }
  });
  return best;
}

// The class of a candidate is the first of its greatest scores, as in detection::GatherDense.
template <typename Team>
IM_HOST_DEVICE void GatherCandidates(const Team& team, const DetectionArguments& arguments, unsigned block, unsigned picture,
                                     CandidatesShared& shared) {
  const auto candidate_of = [=](int i) { return block * kGatheredCandidates + static_cast<unsigned>(i) % kGatheredCandidates; };
  const std::int32_t share =
      (arguments.class_count + static_cast<std::int32_t>(kSlices) - 1) / static_cast<std::int32_t>(kSlices);
  team.ForEach(static_cast<int>(kGatherBlock), [&](int i) {
    shared.best[i] = {-INFINITY, 0};
    const unsigned candidate = candidate_of(i);
    if (candidate >= static_cast<unsigned>(arguments.candidates)) return;
    bool passes;
    const float object = ReadObjectness(arguments, picture, candidate, passes);
    const std::int32_t begin = i / static_cast<std::int32_t>(kGatheredCandidates) * share;
    const std::int32_t end = begin + share < arguments.class_count ? begin + share : arguments.class_count;
    if (passes) shared.best[i] = FindBestClass(arguments, picture, candidate, object, begin, end);
  });
  const std::int64_t start = static_cast<std::int64_t>(picture) * arguments.candidates;
  GatherPassing(
      team, arguments.gathered + picture, shared.gather,
      [&](int i, GatheredCandidate& item) {
        const unsigned candidate = candidate_of(i);
        if (candidate >= static_cast<unsigned>(arguments.candidates)) return false;
        ClassScore best = shared.best[i];
        for (unsigned slice = 1; slice < kSlices; ++slice) {
          const ClassScore other = shared.best[slice * kGatheredCandidates + static_cast<unsigned>(i)];
          if (other.score > best.score) best = other;
        }
        item = {best, candidate};
        if (arguments.objectness_use != detection::ObjectnessUse::kGate)
          return arguments.thresholds.Above(best.score, best.class_id);
        return best.score > -INFINITY &&
               arguments.thresholds.Above(arguments.objectness.At(picture, candidate, 0), best.class_id);
      },
      [&](std::uint32_t number, const GatheredCandidate& item) {
        const std::int64_t place = start + number;
        arguments.keys[place] = detection::ScoreKey(item.best.score, item.candidate);
        arguments.classes[place] = item.best.class_id;
        arguments.scores_gathered[place] = item.best.score;
      });
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
