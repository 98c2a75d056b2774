#include "tensorrt/graph_admission.h"

#include <algorithm>
#include <tuple>

namespace im::trt {
namespace {

// Counts are halved after so many runs for each graph: they stay below twice that, and a few halvings forget any of them.
constexpr std::uint64_t kRunsPerGraph = 16;
// Remembered shapes for each graph.
constexpr std::size_t kRemembered = 5;
// Shapes that come in turn differ by two at most, whatever their number.
constexpr std::uint64_t kMargin = 4;
// In runs of the shape.
constexpr std::uint64_t kFirstPause = 32;
constexpr std::uint64_t kMostDoublings = 10;

}  // namespace

bool GraphAdmission::Count(const Key& key) {
  if (++runs_ % (kRunsPerGraph * graphs_) == 0) Age();
  const auto [found, is_new] = entries_.try_emplace(key);
  Entry& entry = found->second;
  ++entry.count;
  entry.last = runs_;
  if (is_new) Forget();
  if (is_new || entry.captured) return false;
  if (entry.pause > 0) {
    --entry.pause;
    return false;
  }
  return captured_ < graphs_ || IsWeaker(Weakest(true)->second, entry);
}

void GraphAdmission::Captured(const Key& key) {
  Entry& entry = entries_[key];
  if (!entry.captured) ++captured_;
  entry.captured = true;
}

void GraphAdmission::Dropped(const Key& key) {
  Entry& entry = entries_[key];
  if (entry.captured) --captured_;
  entry.captured = false;
}

void GraphAdmission::Failed(const Key& key) {
  Dropped(key);
  Entry& entry = entries_[key];
  entry.pause = kFirstPause << std::min(entry.failures, kMostDoublings);
  ++entry.failures;
}

GraphAdmission::Key GraphAdmission::Weakest() const { return Weakest(true)->first; }

std::vector<GraphAdmission::Key> GraphAdmission::WeakerThan(const Key& key) const {
  std::vector<Key> weaker;
  const auto candidate = entries_.find(key);
  for (const auto& [other, entry] : entries_) {
    if (candidate != entries_.end() && entry.captured && IsWeaker(entry, candidate->second)) weaker.push_back(other);
  }
  return weaker;
}

void GraphAdmission::Age() {
  for (auto& [key, entry] : entries_) {
    entry.count /= 2;
    // What has a graph for long has outlived its failures.
    if (entry.captured && entry.failures > 0) --entry.failures;
  }
}

void GraphAdmission::Forget() {
  if (entries_.size() <= kRemembered * graphs_) return;
  entries_.erase(Weakest(false));
}

GraphAdmission::Entries::const_iterator GraphAdmission::Weakest(bool captured) const {
  auto weakest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->second.captured != captured) continue;
    if (weakest == entries_.end() ||
        std::tie(entry->second.count, entry->second.last) < std::tie(weakest->second.count, weakest->second.last)) {
      weakest = entry;
    }
  }
  return weakest;
}

bool GraphAdmission::IsWeaker(const Entry& holder, const Entry& candidate) {
  return candidate.count >= 2 * holder.count + kMargin;
}

}  // namespace im::trt
