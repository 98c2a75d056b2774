// Engines whose outputs the device decodes, on the stand-ins: TensorRT's returns its input, so a head is what was put in.
#include <cmath>
#include <random>

#include "detection/nms.h"
#include "detection/queries.h"
#include "detection/rows.h"
#include "fakes/decode_fixture.h"

namespace im::trt {
namespace {

using detection::Detections;
using detection::Thresholds;

constexpr std::size_t kAnchors = 40;
constexpr std::size_t kClasses = 3;
constexpr std::size_t kAttributes = 4 + kClasses;
constexpr std::size_t kOfOne = kAttributes * kAnchors;
// Attributes in rows, and the same numbers as another output.
constexpr char kPlan[] =
    "name detector\nscratch 512\n"
    "in images 0 3 -1 7 40\nout head 0 3 -1 7 40\nout rest 0 3 -1 7 40\nout whole 3 3 -1 7 40\nout flat 0 2 -1 280\n"
    "profile 0 images 3 1 7 40 2 7 40 4 7 40\n";
constexpr char kQueriesPlan[] =
    "name queries\nscratch 0\n"
    "in logits_in 0 3 -1 10 4\nout dets 0 3 -1 10 4\nout labels 0 3 -1 10 4\n"
    "profile 0 logits_in 3 1 10 4 2 10 4 4 10 4\n";
constexpr char kMixedPlan[] =
    "name mixed\nscratch 0\n"
    "in images 0 3 -1 7 40\nin halves 1 3 -1 7 40\nout head 0 3 -1 7 40\nout half 1 3 -1 7 40\n"
    "profile 0 images 3 1 7 40 2 7 40 4 7 40\nprofile 0 halves 3 1 7 40 2 7 40 4 7 40\n";
constexpr char kRowsPlan[] =
    "name rows\nscratch 0\n"
    "in values 0 3 -1 30 8\nout rows 0 3 -1 30 8\nout narrow 0 3 -1 30 5\n"
    "profile 0 values 3 1 30 8 2 30 8 4 30 8\n";
// Offsets, scores and, from the first picture's numbers, priors of ten candidates; and priors of another shape.
constexpr char kPriorsPlan[] =
    "name priors\nscratch 0\n"
    "in values 0 2 -1 110\nout loc 0 3 -1 10 4\nout conf 0 3 -1 10 3 at 40\nout priors 0 2 10 4 at 70\n"
    "out batched 0 3 1 10 4 at 70\nout wide 0 2 8 5\nout few 0 2 9 4\nout flat 0 1 40\n"
    "profile 0 values 2 1 110 2 110 4 110\n";
constexpr char kGrowingPlan[] =
    "name detector\nscratch 0\n"
    "in images 0 3 -1 7 40\nout head 0 3 -1 7 -2\n"
    "profile 0 images 3 1 7 40 2 7 40 4 7 40\n";

std::vector<float> RandomHeads(unsigned seed, std::size_t pictures) {
  std::mt19937 random(seed);
  std::vector<float> values(pictures * kOfOne);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool box = i % kOfOne < 4 * kAnchors;
    values[i] = static_cast<float>(random() % 1000) / (box ? 10.0f : 1000.0f);
  }
  return values;
}

DecodeJob Job(std::size_t pictures, std::vector<float> thresholds = {0.4f}) {
  DecodeJob job;
  DenseLayout dense;
  dense.boxes = {0, true, 0};
  dense.scores = {0, true, 4};
  job.head = dense;
  job.pictures = pictures;
  job.thresholds = Thresholds(std::move(thresholds));
  job.limits = {0.5f, false, 20};
  return job;
}

std::vector<Detections> Expected(const std::vector<float>& heads, const DecodeJob& job) {
  std::vector<Detections> expected;
  for (std::size_t picture = 0; picture < job.pictures; ++picture) {
    const float* data = heads.data() + picture * kOfOne;
    detection::DenseHead head;
    head.candidates = kAnchors;
    head.classes = kClasses;
    head.boxes = {data, 1, kAnchors};
    head.scores = {data + 4 * kAnchors, 1, kAnchors};
    expected.push_back(detection::SelectBest(detection::GatherDense(head, job.thresholds), job.limits));
  }
  return expected;
}

class DecodeTest : public DecodeFixture {
 protected:
  static InputView Heads(const std::vector<float>& heads) {
    return View(heads, {static_cast<std::int64_t>(heads.size() / kOfOne), kAttributes, kAnchors});
  }

  static Status Run(Executor& executor, const std::vector<float>& heads, const DecodeJob& job) {
    IM_RETURN_IF_ERROR(executor.Submit({Heads(heads)}, &job));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    return Check(executor.Results(), Expected(heads, job));
  }
};

TEST_P(DecodeTest, FindsWhatTheCpuFindsInWhateverGraph) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::size_t found = 0;
  for (unsigned round = 0; round < 6; ++round) {
    // The batch has a place left, and thresholds change from run to run.
    const std::vector<float> heads = RandomHeads(round, 3);
    DecodeJob job =
        Job(2, round % 2 == 0 ? std::vector<float>{0.1f * static_cast<float>(round)} : std::vector<float>{0.9f, 0.2f});
    job.limits.iou_threshold = 0.1f * static_cast<float>(round);
    job.limits.class_agnostic = round % 3 == 0;
    const Status status = Run(*executor.value(), heads, job);
    EXPECT_TRUE(status.ok()) << status.message();
    for (const Decoded& one : executor.value()->Results()) found += one.detections.size();
  }
  EXPECT_GT(found, 50u);
  // The second run of a kind is captured, the third and those after it are launched.
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 1u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 4u);
  EXPECT_EQ(executor.value()->statistics().last_capture_failure, "");
}

TEST_P(DecodeTest, WhatAGraphHoldsByValueHasAGraphOfItsOwn) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> heads = RandomHeads(7, 3);
  std::vector<DecodeJob> jobs(6, Job(3, {0.2f}));
  jobs[1].pictures = 1;
  jobs[2].limits.max_detections = 4;
  std::get<DenseLayout>(jobs[3].head).boxes.output = 1;
  jobs[4].wanted = {1};
  jobs[5].wanted = {0};
  for (int round = 0; round < 3; ++round) {
    for (const DecodeJob& job : jobs) {
      const Status status = Run(*executor.value(), heads, job);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    // And one without decoding, whose outputs are all there.
    ASSERT_TRUE(executor.value()->Submit({Heads(heads)}).ok());
    const auto outputs = executor.value()->Wait();
    ASSERT_TRUE(outputs.ok());
    EXPECT_EQ(std::memcmp(outputs.value()[1].data, heads.data(), heads.size() * sizeof(float)), 0);
    EXPECT_TRUE(executor.value()->Results().empty());
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 7u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 7u);
}

TEST_P(DecodeTest, DownloadsOnlyWhatIsWantedBesides) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> heads = RandomHeads(3, 2);
  DecodeJob job = Job(2);
  job.wanted = {1};
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(executor.value()->Submit({Heads(heads)}, &job).ok());
    const auto outputs = executor.value()->Wait();
    ASSERT_TRUE(outputs.ok());
    EXPECT_EQ(outputs.value()[0].data, nullptr);
    EXPECT_EQ(outputs.value()[0].bytes, 0u);
    EXPECT_EQ(outputs.value()[0].shape, (Shape{2, kAttributes, kAnchors}));
    ASSERT_EQ(outputs.value()[1].bytes, heads.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(outputs.value()[1].data, heads.data(), outputs.value()[1].bytes), 0);
    EXPECT_EQ(outputs.value()[2].data, nullptr);
  }
}

TEST_P(DecodeTest, FindsTheBestOfQueries) {
  const auto executor = MakeExecutor(kQueriesPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::mt19937 random(3);
  std::size_t found = 0;
  for (unsigned round = 0; round < 4; ++round) {
    std::vector<float> values(3 * 40);
    for (float& value : values) value = static_cast<float>(random() % 100) / 20.0f - 2.0f;
    QueriesLayout queries;
    queries.boxes = 0;
    queries.logits = 1;
    queries.class_mapping = round % 2 == 0 ? std::vector<std::int32_t>{0, -1, 1, 2} : std::vector<std::int32_t>{2, 0, -1};
    DecodeJob job;
    job.head = queries;
    job.pictures = 2;
    job.thresholds = Thresholds({0.5f + 0.05f * static_cast<float>(round)});
    ASSERT_TRUE(executor.value()->Submit({View(values, {3, 10, 4})}, &job).ok());
    ASSERT_TRUE(executor.value()->Wait().ok());
    std::vector<Detections> expected;
    for (std::size_t picture = 0; picture < 2; ++picture) {
      detection::QueriesHead head;
      head.queries = 10;
      head.classes = 4;
      head.boxes = head.logits = {values.data() + picture * 40, 4, 1};
      head.class_mapping = queries.class_mapping;
      head.class_mapping.resize(4, -1);
      expected.push_back(detection::SelectQueries(head, job.thresholds, SIZE_MAX));
      found += expected.back().size();
    }
    EXPECT_TRUE(Check(executor.value()->Results(), expected).ok()) << round;
  }
  EXPECT_GT(found, 20u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 2u);
}

TEST_P(DecodeTest, ReadsFloat16BesideFloat32) {
  const auto executor = MakeExecutor(kMixedPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::size_t found = 0;
  for (unsigned round = 0; round < 8; ++round) {
    const std::vector<float> heads = kernels::RoundedToHalves(RandomHeads(round, 2));
    const std::vector<kernels::Half> halves = kernels::ToHalves(heads);
    DecodeJob job = Job(2, {0.8f});
    auto& dense = std::get<DenseLayout>(job.head);
    dense.boxes.output = round % 2;
    dense.scores.output = round / 2 % 2;
    const Shape shape{2, kAttributes, kAnchors};
    const InputView in_halves{halves.data(), halves.size() * sizeof(kernels::Half), shape, nullptr};
    ASSERT_TRUE(executor.value()->Submit({View(heads, shape), in_halves}, &job).ok());
    ASSERT_TRUE(executor.value()->Wait().ok());
    EXPECT_TRUE(Check(executor.value()->Results(), Expected(heads, job)).ok()) << round;
    for (const Decoded& one : executor.value()->Results()) found += one.detections.size();
  }
  EXPECT_GT(found, 50u);
}

TEST_P(DecodeTest, FiltersRows) {
  const auto executor = MakeExecutor(kRowsPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::mt19937 random(4);
  std::size_t found = 0;
  for (unsigned round = 0; round < 8; ++round) {
    std::vector<float> values(3 * 30 * 8);
    for (float& value : values) value = static_cast<float>(random() % 5) / 4.0f;
    DecodeJob job;
    job.head = RowsLayout{0, round % 2 == 0};
    job.pictures = 2;
    // Others, and at times more, of which a graph cannot know.
    job.thresholds = Thresholds(std::vector<float>(round < 4 ? 1 : 3, 0.25f * static_cast<float>(round % 4)));
    job.limits.max_detections = 20;
    ASSERT_TRUE(executor.value()->Submit({View(values, {3, 30, 8})}, &job).ok());
    ASSERT_TRUE(executor.value()->Wait().ok());
    std::vector<Detections> expected;
    for (std::size_t picture = 0; picture < 2; ++picture) {
      const detection::RowsHead head{{values.data() + picture * 240, 8, 1}, 30, round % 2 == 0};
      expected.push_back(detection::FilterRows(head, job.thresholds, 20));
      found += expected.back().size();
    }
    EXPECT_TRUE(Check(executor.value()->Results(), expected).ok()) << round;
  }
  EXPECT_GT(found, 100u);
  // Each of four kinds is run twice, and captured with the second run.
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 4u);

  DecodeJob job;
  job.pictures = 1;
  const std::vector<float> values(240);
  for (const std::size_t output : {std::size_t{1}, std::size_t{2}, SIZE_MAX}) {
    job.head = RowsLayout{output, true};
    EXPECT_EQ(executor.value()->Submit({View(values, {1, 30, 8})}, &job).code(), Code::kInvalidArgument) << output;
  }
}

DecodeJob PriorsJob(std::size_t priors, float width) {
  DecodeJob job = Job(2, {0.3f});
  DenseLayout dense;
  dense.boxes = {0, false, 0};
  dense.box_format = detection::BoxFormat::kOffsets;
  dense.priors = PriorsLayout{priors, {width, 48}};
  dense.scores = {1, false, 0};
  job.head = dense;
  return job;
}

TEST_P(DecodeTest, MovesPriorsThatPicturesShare) {
  const auto executor = MakeExecutor(kPriorsPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::mt19937 random(5);
  std::size_t found = 0;
  std::vector<float> values(3 * 110);
  for (unsigned round = 0; round < 8; ++round) {
    for (float& value : values) value = static_cast<float>(random() % 1000) / 1000.0f;
    // The size of the network's input is held by value.
    const DecodeJob job = PriorsJob(2 + round / 2 % 2, round % 2 == 0 ? 64.0f : 32.0f);
    ASSERT_TRUE(executor.value()->Submit({View(values, {3, 110})}, &job).ok());
    ASSERT_TRUE(executor.value()->Wait().ok());
    std::vector<Detections> expected;
    for (std::size_t picture = 0; picture < 2; ++picture) {
      const float* data = values.data() + picture * 110;
      detection::DenseHead head;
      head.candidates = 10;
      head.classes = 3;
      head.boxes = {data, 4, 1};
      head.box_format = detection::BoxFormat::kOffsets;
      head.priors = {values.data() + 70, 4, 1};
      head.input_size = std::get<DenseLayout>(job.head).priors->input_size;
      head.scores = {data + 40, 3, 1};
      expected.push_back(detection::SelectBest(detection::GatherDense(head, job.thresholds), job.limits));
      found += expected.back().size();
    }
    EXPECT_TRUE(Check(executor.value()->Results(), expected).ok()) << round;
  }
  EXPECT_GT(found, 50u);
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 4u);

  for (const std::size_t priors : {std::size_t{0}, std::size_t{4}, std::size_t{5}, std::size_t{6}, std::size_t{7}, SIZE_MAX}) {
    const DecodeJob job = PriorsJob(priors, 64);
    EXPECT_EQ(executor.value()->Submit({View(values, {3, 110})}, &job).code(), Code::kInvalidArgument) << priors;
  }
}

TEST_P(DecodeTest, RefusesHeadsThatTheOutputsDoNotHold) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> heads = RandomHeads(1, 2);
  const auto refused = [&](auto change, std::size_t pictures = 2) {
    DecodeJob job = Job(pictures);
    change(job, std::get<DenseLayout>(job.head));
    return executor.value()->Submit({Heads(heads)}, &job).code() == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.boxes.output = 4; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.scores.output = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.scores.output = 2; })) << "int32";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.scores.output = 3; })) << "two dimensions";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.boxes.attributes_first = false; })) << "other candidates";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.boxes.from = 4; })) << "fewer than four coordinates";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.scores.from = 7; })) << "no classes";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.scores.from = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.extras = 3; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.objectness = dense.scores; })) << "that nobody uses";
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.objectness_use = detection::ObjectnessUse::kGate; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.box_format = detection::BoxFormat::kOffsets; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout& dense) { dense.priors = PriorsLayout{0, {64, 64}}; })) << "that nobody uses";
  EXPECT_TRUE(refused([](DecodeJob& job, DenseLayout&) { job.wanted = {9}; }));
  EXPECT_TRUE(refused([](DecodeJob& job, DenseLayout&) { job.pictures = 0; }));
  EXPECT_TRUE(refused([](DecodeJob&, DenseLayout&) {}, 3)) << "more pictures than the batch";
  EXPECT_TRUE(refused([](DecodeJob& job, DenseLayout&) { job.head = QueriesLayout{0, 0, {}}; })) << "no four coordinates";
  const Status fine = Run(*executor.value(), heads, Job(2));
  EXPECT_TRUE(fine.ok()) << fine.message();

  const DecodeJob job = Job(2);
  const auto without = MakeExecutor(kPlan, false);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without.value()->Submit({Heads(heads)}, &job).code(), Code::kInvalidArgument);
  const auto growing = MakeExecutor(kGrowingPlan);
  ASSERT_TRUE(growing.ok()) << growing.status().message();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(growing.value()->Submit({Heads(heads)}, &job).code(), Code::kInvalidArgument) << "of a size that nobody knows";
  }
  EXPECT_TRUE(growing.value()->Submit({Heads(heads)}).ok());
  EXPECT_TRUE(growing.value()->Wait().ok());
}

TEST_P(DecodeTest, SurvivesTheFailureOfEveryCall) {
  const std::vector<float> heads = RandomHeads(1, 2);
  const auto scenario = [&]() -> Status {
    const auto executor = MakeExecutor(kPlan);
    if (!executor.ok()) return executor.status();
    for (int round = 0; round < 3; ++round) IM_RETURN_IF_ERROR(Run(*executor.value(), heads, Job(2)));
    return {};
  };
  ExpectToSurviveEveryFailure(scenario);
  state() = FakeCudaState();
  ExpectToSurviveEveryTensorRtFailure(scenario);
  *trt_ = FakeTrtState();
  // A capture that fails costs the graph and nothing else.
  state() = FakeCudaState();
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  ASSERT_TRUE(Run(*executor.value(), heads, Job(2)).ok());
  FailNext("cuGraphInstantiateWithFlags", 2);
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(Run(*executor.value(), heads, Job(2)).ok());
  EXPECT_EQ(executor.value()->statistics().graphs_given_up, 1u);
}

INSTANTIATE_TEST_SUITE_P(Releases, DecodeTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
