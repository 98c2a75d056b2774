#include "queries.h"

#include <algorithm>
#include <cstddef>
#include <functional>

#include "nms.h"
#include "sigmoid.h"

namespace im::detection {

Detections SelectQueries(const QueriesHead& head, const Thresholds& thresholds, std::size_t limit) {
  // A pair that no threshold lets pass can be left out before the best are chosen: all better pairs are still there.
  float bound = LogitBound(thresholds.lowest());
  const float* logits = head.logits.data;
  const std::size_t total = head.queries * head.classes;
  std::vector<float> eligible;
  for (std::size_t pair = 0; pair < total; ++pair) {
    if (logits[pair] >= bound) eligible.push_back(logits[pair]);
  }
  // So can pairs that are certainly worse than the last of the best.
  if (eligible.size() > head.queries && head.queries > 0) {
    const auto last = eligible.begin() + static_cast<std::ptrdiff_t>(head.queries - 1);
    std::nth_element(eligible.begin(), last, eligible.end(), std::greater<float>());
    bound = std::max(bound, TieBound(*last, Sigmoid(*last)));
  }
  std::vector<float> probabilities;
  std::vector<std::size_t> pairs;
  for (std::size_t pair = 0; pair < total; ++pair) {
    if (!(logits[pair] >= bound)) continue;
    probabilities.push_back(Sigmoid(logits[pair]));
    pairs.push_back(pair);
  }
  Detections found;
  for (const std::int32_t position : OrderByScore(probabilities, head.queries)) {
    if (found.size() >= limit) break;
    const auto i = static_cast<std::size_t>(position);
    const std::size_t query = pairs[i] / head.classes;
    const std::int32_t class_id = head.class_mapping[pairs[i] % head.classes];
    if (class_id < 0 || !thresholds.Above(probabilities[i], class_id)) continue;
    const Box box =
        CornersFromCenter(head.boxes.At(query, 0), head.boxes.At(query, 1), head.boxes.At(query, 2), head.boxes.At(query, 3));
    found.Add(box, probabilities[i], class_id, static_cast<std::int32_t>(query));
  }
  return found;
}

}  // namespace im::detection
