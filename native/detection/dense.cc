#include "dense.h"

#include <algorithm>
#include <limits>

#include "kernels.h"
#include "sigmoid.h"

namespace im::detection {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();
// The maxima of a block stay in the first-level cache, its 80 class rows in the second.
constexpr std::size_t kBlock = 1024;
// From this share of survivors on, finding the classes of the whole block by rows is cheaper than column by column.
constexpr std::size_t kCrowded = kBlock / 16;

// Most candidates are background, so the work is ordered by price: the maximum over the classes for all, which class it was
// for those above the lowest threshold, and the box for those that pass.
class Gatherer {
 public:
  Gatherer(const DenseHead& head, const Thresholds& thresholds)
      : head_(head), thresholds_(thresholds), logit_bound_(LogitBound(thresholds.lowest())) {}

  Detections Run() {
    if (head_.objectness_use == ObjectnessUse::kGate) {
      for (std::size_t i = 0; i < head_.candidates; ++i) {
        if (!(head_.objectness.At(i, 0) > thresholds_.lowest())) continue;
        float maximum;
        FindMaxima(i, 1, &maximum);
        ConsiderGated(i, maximum);
      }
    } else {
      for (std::size_t start = 0; start < head_.candidates; start += kBlock) {
        ScanBlock(start, std::min(kBlock, head_.candidates - start));
      }
    }
    return std::move(found_);
  }

 private:
  void ScanBlock(std::size_t start, std::size_t count) {
    float maxima[kBlock];
    std::uint32_t survivors[kBlock];
    FindMaxima(start, count, maxima);
    std::size_t survivor_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
      survivors[survivor_count] = static_cast<std::uint32_t>(i);
      survivor_count += MayPass(start + i, maxima[i]) ? 1 : 0;
    }
    if (head_.objectness_use == ObjectnessUse::kNone && head_.scores.candidate_stride == 1 && survivor_count >= kCrowded) {
      std::int32_t classes[kBlock];
      kernels_.first_rows(head_.scores.data + start, head_.scores.attribute_stride, head_.classes, count, maxima, classes);
      for (std::size_t s = 0; s < survivor_count; ++s) Pass(start + survivors[s], maxima[survivors[s]], classes[survivors[s]]);
    } else {
      for (std::size_t s = 0; s < survivor_count; ++s) Consider(start + survivors[s], maxima[survivors[s]]);
    }
  }

  bool MayPass(std::size_t candidate, float maximum) const {
    if (head_.objectness_use == ObjectnessUse::kNone) return maximum > thresholds_.lowest();
    return maximum >= logit_bound_ && head_.objectness.At(candidate, 0) >= logit_bound_;
  }

  void Consider(std::size_t candidate, float maximum) {
    if (head_.objectness_use == ObjectnessUse::kProduct) {
      ConsiderProduct(candidate, maximum);
    } else {
      Pass(candidate, maximum, ClassOf(candidate, maximum));
    }
  }

  void Pass(std::size_t candidate, float score, std::int32_t class_id) {
    if (thresholds_.Above(score, class_id)) Add(candidate, score, class_id);
  }

  void ConsiderGated(std::size_t candidate, float maximum) {
    if (maximum == kNothing) return;
    const std::int32_t class_id = ClassOf(candidate, maximum);
    if (thresholds_.Above(head_.objectness.At(candidate, 0), class_id)) Add(candidate, maximum, class_id);
  }

  // The best class is that of the first greatest product. Logits that differ may round to one product, so every class that
  // could tie with the greatest logit is computed.
  void ConsiderProduct(std::size_t candidate, float maximum) {
    const float object = Sigmoid(head_.objectness.At(candidate, 0));
    const float bound = TieBound(maximum, object * Sigmoid(maximum));
    float best = kNothing;
    std::int32_t best_class = 0;
    for (std::size_t c = 0; c < head_.classes; ++c) {
      const float logit = head_.scores.At(candidate, c);
      if (!(logit >= bound)) continue;
      const float score = object * Sigmoid(logit);
      if (score > best) {
        best = score;
        best_class = static_cast<std::int32_t>(c);
      }
    }
    Pass(candidate, best, best_class);
  }

  // The greatest class score of each of `count` candidates.
  void FindMaxima(std::size_t start, std::size_t count, float* maxima) const {
    const Matrix& scores = head_.scores;
    const float* first = scores.data + start * scores.candidate_stride;
    if (scores.candidate_stride == 1) {
      kernels_.column_maxima(first, scores.attribute_stride, head_.classes, count, maxima);
    } else if (scores.attribute_stride == 1) {
      kernels_.row_maxima(first, scores.candidate_stride, count, head_.classes, maxima);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        maxima[i] = kNothing;
        for (std::size_t c = 0; c < head_.classes; ++c) {
          const float score = scores.At(start + i, c);
          if (score > maxima[i]) maxima[i] = score;
        }
      }
    }
  }

  std::int32_t ClassOf(std::size_t candidate, float maximum) const {
    for (std::size_t c = 0; c < head_.classes; ++c) {
      if (head_.scores.At(candidate, c) == maximum) return static_cast<std::int32_t>(c);
    }
    return 0;
  }

  void Add(std::size_t candidate, float score, std::int32_t class_id) {
    const Box box = head_.box_format == BoxFormat::kOffsets ? BoxFromPrior(head_.priors, head_.boxes, candidate, head_.input_size)
                                                            : BoxOf(head_.boxes, head_.box_format, candidate);
    found_.Add(box, score, class_id, static_cast<std::int32_t>(candidate));
  }

  const DenseHead& head_;
  const Thresholds& thresholds_;
  const float logit_bound_;
  const Kernels& kernels_ = ChosenKernels();
  Detections found_;
};

}  // namespace

Detections GatherDense(const DenseHead& head, const Thresholds& thresholds) { return Gatherer(head, thresholds).Run(); }

}  // namespace im::detection
