#include "tensorrt/graph_admission.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>
#include <vector>

namespace im::trt {
namespace {

// An executor's use of it: what is admitted is captured, in the place of the weakest where there is none.
class GraphAdmissionTest : public testing::Test {
 protected:
  static GraphAdmission::Key KeyOf(std::int64_t shape) { return {{shape, 3}}; }

  // Whether the run was a launch.
  bool Run(std::int64_t shape) {
    const GraphAdmission::Key key = KeyOf(shape);
    const bool launched = captured_.count(key) > 0;
    if (admission_->Count(key)) {
      EXPECT_FALSE(launched);
      if (captured_.size() == kGraphs) Drop(admission_->Weakest());
      admission_->Captured(key);
      captured_.insert(key);
      ++captures_;
    }
    return launched;
  }
  // Launches among `rounds` rounds of the shapes first, first + 1, ...
  int InTurn(int rounds, std::int64_t first, std::int64_t shapes) {
    int launches = 0;
    for (int round = 0; round < rounds; ++round) {
      for (std::int64_t shape = first; shape < first + shapes; ++shape) launches += Run(shape) ? 1 : 0;
    }
    return launches;
  }
  void Drop(const GraphAdmission::Key& key) {
    admission_->Dropped(key);
    EXPECT_EQ(captured_.erase(key), 1u);
  }

  static constexpr std::size_t kGraphs = 8;
  std::optional<GraphAdmission> admission_{kGraphs};
  std::set<GraphAdmission::Key> captured_;
  int captures_ = 0;
};

TEST_F(GraphAdmissionTest, ShapesThatAllHaveAPlaceAreLaunchedFromTheThirdRoundOn) {
  EXPECT_EQ(InTurn(2, 0, 8), 0);
  EXPECT_EQ(InTurn(1000, 0, 8), 8000);
  EXPECT_EQ(captures_, 8);
}

TEST_F(GraphAdmissionTest, MoreShapesInTurnTakeNoPlacesFromEachOther) {
  for (const std::int64_t shapes : {9, 15, 32, 33, 40, 41, 100}) {
    admission_.emplace(kGraphs);
    captured_.clear();
    captures_ = 0;
    InTurn(2, 0, shapes);
    const int launches = InTurn(1000, 0, shapes);
    EXPECT_LE(captures_, 8) << shapes;
    // Shapes that are forgotten before they come again have no graph at all.
    EXPECT_EQ(launches, 1000 * captures_) << shapes;
    EXPECT_EQ(captures_, shapes <= 40 ? 8 : 0) << shapes;
  }
}

TEST_F(GraphAdmissionTest, WhatStopsComingMakesRoom) {
  InTurn(1000, 0, 8);
  InTurn(100, 100, 8);
  EXPECT_EQ(InTurn(10, 100, 8), 80);
  EXPECT_EQ(captures_, 16);
}

TEST_F(GraphAdmissionTest, WhatComesMostOftenGetsAPlaceAmongManyOthers) {
  InTurn(100, 0, 8);
  for (int round = 0; round < 30; ++round) {
    InTurn(1, 0, 8);
    for (int i = 0; i < 8; ++i) Run(50);
  }
  EXPECT_TRUE(Run(50));
  EXPECT_EQ(captures_, 9);
}

TEST_F(GraphAdmissionTest, ShapesAtRandomCauseFewCaptures) {
  std::mt19937 random(7);
  int launches = 0;
  for (int run = 0; run < 20000; ++run) launches += Run(static_cast<std::int64_t>(random() % 16)) ? 1 : 0;
  EXPECT_LE(captures_, 400);
  EXPECT_GE(launches, 9000);
}

TEST_F(GraphAdmissionTest, AFailureIsTriedAgainAfterEverMoreRuns) {
  const GraphAdmission::Key key = KeyOf(1);
  std::vector<int> tries;
  for (int run = 0; run < 1000; ++run) {
    if (!admission_->Count(key)) continue;
    tries.push_back(run);
    admission_->Failed(key);
  }
  EXPECT_EQ(tries, (std::vector<int>{1, 34, 99, 228, 485, 998}));
}

TEST_F(GraphAdmissionTest, FailuresTakeNoPlaces) {
  for (std::int64_t shape = 0; shape < 8; ++shape) {
    admission_->Count(KeyOf(shape));
    EXPECT_TRUE(admission_->Count(KeyOf(shape)));
    admission_->Failed(KeyOf(shape));
  }
  InTurn(2, 20, 8);
  EXPECT_EQ(InTurn(10, 20, 8), 80);
}

TEST_F(GraphAdmissionTest, NamesThoseThatMayMakeRoom) {
  InTurn(2, 0, 3);
  EXPECT_TRUE(admission_->WeakerThan(KeyOf(5)).empty());
  for (int i = 0; i < 20; ++i) admission_->Count(KeyOf(5));
  EXPECT_EQ(admission_->WeakerThan(KeyOf(5)), (std::vector<GraphAdmission::Key>{KeyOf(0), KeyOf(1), KeyOf(2)}));
  EXPECT_EQ(admission_->Weakest(), KeyOf(0));
}

}  // namespace
}  // namespace im::trt
