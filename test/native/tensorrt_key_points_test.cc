// Engines whose key points the device decodes, in one go with the network, on the stand-ins: behind a head of candidates, and
// queries that have their own.
#include <cmath>
#include <random>

#include "detection/nms.h"
#include "detection/rows.h"
#include "fakes/decode_fixture.h"

namespace im::trt {
namespace {

using detection::Instances;

constexpr std::size_t kPlaces = 3;
// What is put in is handed out: a head [3, 12, 20], and from number 240 on boxes, logits and points of five queries with two
// classes and three points, of eight numbers each.
constexpr std::size_t kAnchors = 20, kClasses = 2, kSlots = 2, kAttributes = 4 + kClasses + 3 * kSlots;
constexpr std::size_t kQueries = 5, kQuerySlots = 3, kNumbers = 8;
constexpr std::size_t kBoxes = kAttributes * kAnchors, kLogits = kBoxes + kQueries * 4, kPoints = kLogits + kQueries * kClasses;
constexpr std::size_t kOfOne = kPoints + kQueries * kClasses * kQuerySlots * kNumbers;
constexpr char kPlan[] =
    "name poses\nscratch 512\n"
    "in values 0 2 -1 510\nout head 0 3 -1 12 20\nout dets 0 3 -1 5 4 at 240\nout labels 0 3 -1 5 2 at 260\n"
    "out points 0 4 -1 5 6 8 at 270\nout rows 0 3 -1 20 12\nprofile 0 values 2 1 510 2 510 4 510\n";
static_assert(kBoxes == 240 && kLogits == 260 && kPoints == 270 && kOfOne == 510);

std::vector<float> RandomOutputs(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(kPlaces * kOfOne);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = i % kOfOne;
    const auto number = static_cast<float>(random() % 1000) / 1000.0f;
    values[i] = place < 4 * kAnchors ? number * 100 : place < kLogits ? number : number * 6 - 1;
  }
  return values;
}

detection::Matrix At(const std::vector<float>& values, std::size_t picture, std::size_t place, std::size_t candidate_stride,
                     std::size_t attribute_stride) {
  return {values.data() + picture * kOfOne + place, candidate_stride, attribute_stride};
}

// One kind of job, what the CPU makes of it, and what else may stand in it from run to run of a graph.
struct PointsJob {
  static DecodeJob Make(std::size_t pictures) {
    DecodeJob job;
    DenseLayout dense;
    dense.boxes = {0, true, 0};
    dense.scores = {0, true, 4};
    dense.extras = 3 * kSlots;
    job.head = dense;
    job.pictures = pictures;
    job.thresholds = detection::Thresholds({0.4f});
    job.limits = {0.6f, false, 12};
    job.key_points = KeyPointsLayout{{0, true, 4 + kClasses}, kSlots};
    return job;
  }
  static Instances Expected(const std::vector<float>& values, const DecodeJob& job, std::size_t picture) {
    detection::DenseHead head;
    head.candidates = kAnchors;
    head.classes = kClasses;
    head.boxes = At(values, picture, 0, 1, kAnchors);
    head.scores = At(values, picture, 4 * kAnchors, 1, kAnchors);
    Instances instances;
    instances.detections = detection::SelectBest(detection::GatherDense(head, job.thresholds), job.limits);
    const detection::Matrix points = At(values, picture, (4 + kClasses) * kAnchors, 1, kAnchors);
    instances.key_points = detection::GatherKeyPoints(points, instances.detections.indices, kSlots);
    return instances;
  }
  static void Vary(DecodeJob& job, unsigned round) { job.limits.class_agnostic = round % 2 == 0; }
};

struct RowsJob {
  static DecodeJob Make(std::size_t pictures) {
    DecodeJob job;
    job.head = RowsLayout{4, true};
    job.pictures = pictures;
    job.thresholds = detection::Thresholds({0.4f});
    job.limits = {std::nullopt, false, 12};
    job.key_points = KeyPointsLayout{{4, false, 6}, kSlots};
    return job;
  }
  static Instances Expected(const std::vector<float>& values, const DecodeJob& job, std::size_t picture) {
    detection::RowsHead head;
    head.rows = At(values, picture, 0, kAttributes, 1);
    head.count = kAnchors;
    head.inclusive = true;
    Instances instances;
    instances.detections = detection::FilterRows(head, job.thresholds, job.limits.max_detections);
    instances.key_points =
        detection::GatherKeyPoints(At(values, picture, 6, kAttributes, 1), instances.detections.indices, kSlots);
    return instances;
  }
};

struct QueriesJob {
  static DecodeJob Make(std::size_t pictures) {
    DecodeJob job;
    KeyPointQueriesLayout layout;
    layout.queries = {1, 2, {1, 0}};
    layout.points = 3;
    layout.slots = kQuerySlots;
    for (std::size_t i = 0; i < pictures; ++i) layout.scales.push_back({640, 480, 100 + static_cast<double>(i), 50});
    job.head = layout;
    job.pictures = pictures;
    job.thresholds = detection::Thresholds({0.4f});
    job.limits = {std::nullopt, false, 8};
    return job;
  }
  static Instances Expected(const std::vector<float>& values, const DecodeJob& job, std::size_t picture) {
    const auto& layout = std::get<KeyPointQueriesLayout>(job.head);
    detection::KeyPointQueriesHead head;
    head.boxes = At(values, picture, kBoxes, 4, 1);
    head.logits = At(values, picture, kLogits, kClasses, 1);
    head.points = At(values, picture, kPoints, kNumbers, 1);
    head.queries = kQueries;
    head.classes = kClasses;
    head.slots = kQuerySlots;
    head.class_mapping = layout.queries.class_mapping;
    head.scale = layout.scales[picture];
    return detection::DecodeKeyPointQueries(head, job.thresholds, job.limits.max_detections);
  }
  static void Vary(DecodeJob& job, unsigned round) {
    auto& layout = std::get<KeyPointQueriesLayout>(job.head);
    layout.scales[0].covariance_height = 10 + round;
    layout.queries.class_mapping = {0, round % 3 == 0 ? -1 : 1};
  }
};

class KeyPointsTest : public DecodeFixture {
 protected:
  static InputView Values(const std::vector<float>& values) { return View(values, {kPlaces, kOfOne}); }

  // Counts the points.
  template <typename Kind>
  static Status Run(Executor& executor, const std::vector<float>& values, const DecodeJob& job, std::size_t* points = nullptr) {
    IM_RETURN_IF_ERROR(executor.Submit({Values(values)}, &job));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    for (const OutputView& output : outputs.value()) {
      if (output.data != nullptr) return Status(Code::kRuntime, "test", "an output was downloaded");
    }
    const std::vector<Decoded> found = executor.Results();
    if (found.size() != job.pictures) return Status(Code::kRuntime, "test", "results of other pictures");
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Instances expected = Kind::Expected(values, job, i);
      if (!found[i].key_points || kernels::Bits(found[i].detections) != kernels::Bits(expected.detections) ||
          kernels::Bits(*found[i].key_points) != kernels::Bits(expected.key_points)) {
        return Status(Code::kRuntime, "test", "wrong key points");
      }
      if (points != nullptr) *points += expected.key_points.confidence.size();
    }
    return {};
  }

  template <typename Kind>
  void ExpectThoseOfTheCpu() {
    const auto executor = MakeExecutor(kPlan);
    ASSERT_TRUE(executor.ok()) << executor.status().message();
    std::size_t points = 0;
    for (unsigned round = 0; round < 8; ++round) {
      // The batch has a place left.
      DecodeJob job = Kind::Make(2);
      job.thresholds =
          round % 2 == 0 ? detection::Thresholds({0.1f * static_cast<float>(round)}) : detection::Thresholds({0.6f, 0.2f});
      Kind::Vary(job, round);
      const Status status = Run<Kind>(*executor.value(), RandomOutputs(round), job, &points);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    EXPECT_GT(points, 100u) << "the rounds compare next to nothing";
    EXPECT_EQ(executor.value()->statistics().graphs_captured, 1u);
    EXPECT_EQ(executor.value()->statistics().graph_launches, 6u);
    EXPECT_EQ(executor.value()->statistics().last_capture_failure, "");
  }

  template <typename Kind>
  void ExpectToSurvive() {
    const std::vector<float> values = RandomOutputs(1);
    const auto scenario = [&]() -> Status {
      const auto executor = MakeExecutor(kPlan);
      if (!executor.ok()) return executor.status();
      for (int round = 0; round < 3; ++round) IM_RETURN_IF_ERROR(Run<Kind>(*executor.value(), values, Kind::Make(2)));
      return {};
    };
    ExpectToSurviveEveryFailure(scenario);
    state() = FakeCudaState();
    ExpectToSurviveEveryTensorRtFailure(scenario);
  }
};

TEST_P(KeyPointsTest, OfCandidatesAreThoseOfTheCpuInWhateverGraph) { ExpectThoseOfTheCpu<PointsJob>(); }
TEST_P(KeyPointsTest, OfQueriesAreThoseOfTheCpuInWhateverGraph) { ExpectThoseOfTheCpu<QueriesJob>(); }

TEST_P(KeyPointsTest, WhatAGraphHoldsByValueHasAGraphOfItsOwn) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  std::vector<DecodeJob> jobs(4, PointsJob::Make(2));
  jobs[1].limits.max_detections = 3;
  jobs[2].pictures = 1;
  jobs[3].key_points.reset();
  std::vector<DecodeJob> queries(2, QueriesJob::Make(2));
  queries[1].limits.max_detections = 3;
  for (unsigned round = 0; round < 3; ++round) {
    const std::vector<float> values = RandomOutputs(round);
    for (std::size_t i = 0; i < 3; ++i) {
      const Status status = Run<PointsJob>(*executor.value(), values, jobs[i]);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    for (const DecodeJob& job : queries) {
      const Status status = Run<QueriesJob>(*executor.value(), values, job);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    const Status rows = Run<RowsJob>(*executor.value(), values, RowsJob::Make(2));
    EXPECT_TRUE(rows.ok()) << rows.message();
    // And boxes alone.
    ASSERT_TRUE(executor.value()->Submit({Values(values)}, &jobs[3]).ok());
    ASSERT_TRUE(executor.value()->Wait().ok());
    EXPECT_TRUE(Check(executor.value()->Results(),
                      {PointsJob::Expected(values, jobs[3], 0).detections, PointsJob::Expected(values, jobs[3], 1).detections})
                    .ok());
    EXPECT_FALSE(executor.value()->Results()[0].key_points);
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 7u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 7u);
}

TEST_P(KeyPointsTest, RefusesLayoutsThatTheOutputsDoNotHold) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> values = RandomOutputs(1);
  const auto is_refused = [&](const DecodeJob& job) {
    return executor.value()->Submit({Values(values)}, &job).code() == Code::kInvalidArgument;
  };
  const auto refused = [&](auto change) {
    DecodeJob job = PointsJob::Make(2);
    change(*job.key_points);
    return is_refused(job);
  };
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.slots = 3; }));
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.slots = 0; }));
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.part.from = 7; }));
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.part.from = kAttributes; }));
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.part.attributes_first = false; })) << "other candidates";
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.part.output = 3; })) << "four dimensions";
  EXPECT_TRUE(refused([](KeyPointsLayout& points) { points.part.output = 5; }));
  const auto queries_refused = [&](auto change) {
    DecodeJob job = QueriesJob::Make(2);
    change(std::get<KeyPointQueriesLayout>(job.head));
    return is_refused(job);
  };
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.points = 1; })) << "three dimensions";
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.points = SIZE_MAX; }));
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.slots = 2; }));
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.slots = 0; }));
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.scales.pop_back(); }));
  EXPECT_TRUE(queries_refused([](KeyPointQueriesLayout& layout) { layout.queries.boxes = 2; })) << "no four coordinates";
  DecodeJob both = QueriesJob::Make(2);
  both.key_points = PointsJob::Make(2).key_points;
  EXPECT_TRUE(is_refused(both));
  DecodeJob with_masks = QueriesJob::Make(2);
  with_masks.masks = MasksLayout{};
  EXPECT_TRUE(is_refused(with_masks));
  const Status fine = Run<QueriesJob>(*executor.value(), values, QueriesJob::Make(2));
  EXPECT_TRUE(fine.ok()) << fine.message();
}

TEST_P(KeyPointsTest, OfCandidatesSurviveTheFailureOfEveryCall) { ExpectToSurvive<PointsJob>(); }
TEST_P(KeyPointsTest, OfQueriesSurviveTheFailureOfEveryCall) { ExpectToSurvive<QueriesJob>(); }

INSTANTIATE_TEST_SUITE_P(Releases, KeyPointsTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
