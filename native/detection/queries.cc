#include "queries.h"

#include <algorithm>

#include "nms.h"
#include "sigmoid.h"

namespace im::detection {

Detections SelectQueries(const QueriesHead& head, const Thresholds& thresholds, std::size_t limit) {
  // A pair that no threshold lets pass can be left out before the best are chosen: all better pairs are still there.
  const float bound = LogitBound(thresholds.lowest());
  std::vector<float> probabilities;
  std::vector<std::size_t> pairs;
  const std::size_t total = head.queries * head.classes;
  for (std::size_t pair = 0; pair < total; ++pair) {
    const float logit = head.logits.data[pair];
    if (!(logit >= bound)) continue;
    const float probability = Sigmoid(logit);
    if (!(probability > thresholds.lowest())) continue;
    probabilities.push_back(probability);
    pairs.push_back(pair);
  }
  std::vector<std::int32_t> order = OrderByScore(probabilities);
  order.resize(std::min(order.size(), head.queries));

  Detections found;
  for (const std::int32_t position : order) {
    if (found.size() >= limit) break;
    const auto i = static_cast<std::size_t>(position);
    const std::size_t query = pairs[i] / head.classes;
    const std::int32_t class_id = head.class_mapping[pairs[i] % head.classes];
    if (class_id < 0 || !thresholds.Above(probabilities[i], class_id)) continue;
    const Box box = CornersFromCenter(head.boxes.At(query, 0), head.boxes.At(query, 1), head.boxes.At(query, 2), head.boxes.At(query, 3));
    found.Add(box, probabilities[i], class_id, static_cast<std::int32_t>(query));
  }
  return found;
}

}  // namespace im::detection
