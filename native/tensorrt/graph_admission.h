// Which shapes get a graph. Capturing one costs as much as many launches save, so with more shapes than graphs the ones that come
// most often keep theirs, and another one takes a place only when it has come clearly more often of late.
//
// Runs are counted by shape, and all counts are halved now and then, so that what stops coming makes room in the end: the
// frequency estimate with ageing of TinyLFU (Einziger, Friedman, Manes, "TinyLFU: A Highly Efficient Cache Admission Policy",
// 2015), with exact counts, since shapes are few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tensorrt/tensors.h"

namespace im::trt {

class GraphAdmission {
 public:
  using Key = std::vector<Shape>;

  // `graphs`: how many shapes may have one. With 0, nothing is to be counted.
  explicit GraphAdmission(std::size_t graphs) : graphs_(graphs) {}

  // One run. Whether its shape is to get a graph now: it has come before, has none, and there is a place or it has come clearly
  // more often than the weakest that has one.
  bool Count(const Key& key);
  void Captured(const Key& key);
  // Its graph has made room.
  void Dropped(const Key& key);
  // Its graph could not be made, or went for want of memory: it is not tried for a number of its runs that doubles each time.
  void Failed(const Key& key);
  // Of those with a graph, which there must be: the one that came least often, of those the one not used for longest.
  Key Weakest() const;
  // Those with a graph in whose place this one may have one.
  std::vector<Key> WeakerThan(const Key& key) const;

 private:
  struct Entry {
    std::uint64_t count = 0;  // of runs, halved with time
    std::uint64_t last = 0;   // its last run
    bool captured = false;
    std::uint64_t failures = 0;
    std::uint64_t pause = 0;  // runs until it may be tried again
  };
  using Entries = std::map<Key, Entry>;

  void Age();
  // Bounds what is remembered of shapes without a graph.
  void Forget();
  Entries::const_iterator Weakest(bool captured) const;
  static bool IsWeaker(const Entry& holder, const Entry& candidate);

  const std::size_t graphs_;
  std::uint64_t runs_ = 0;
  std::size_t captured_ = 0;
  Entries entries_;
};

}  // namespace im::trt
