// Engines whose masks the device makes behind its boxes, in one go with the network, on the stand-ins.
#include <cmath>
#include <random>

#include "detection/nms.h"
#include "fakes/decode_fixture.h"
#include "masks/decode.h"

namespace im::trt {
namespace {

using detection::Detections;
using masks::MaskRuns;
using masks::MaskTarget;

constexpr std::size_t kPlaces = 3;
constexpr std::size_t kAnchors = 20;
constexpr std::size_t kClasses = 2;
constexpr std::size_t kChannels = 4;
constexpr std::size_t kSide = 8;
constexpr std::size_t kAttributes = 4 + kClasses + kChannels;
constexpr std::size_t kOfHead = kAttributes * kAnchors;
constexpr std::size_t kOfPlanes = kChannels * kSide * kSide;
constexpr std::size_t kOfOne = kOfHead + kOfPlanes;
constexpr char kPlan[] =
    "name segmenter\nscratch 512\n"
    "in values 0 2 -1 456\nout head 0 3 -1 10 20\nout planes 0 4 -1 4 8 8 at 200\nout half 1 4 -1 4 8 8\n"
    "profile 0 values 2 1 456 2 456 4 456\n";
static_assert(kOfOne == 456);

std::vector<float> RandomOutputs(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(kPlaces * kOfOne);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t place = i % kOfOne;
    const std::size_t attribute = place / kAnchors;
    const auto number = static_cast<float>(random() % 1000);
    if (place < 4 * kAnchors) values[i] = 4 + number * 0.02f;
    else if (attribute < 4 + kClasses) values[i] = number / 1000;
    else values[i] = number / 250 - 2;
  }
  return values;
}

std::vector<MaskTarget> Targets(std::int32_t width) {
  return {{{}, {width, 20}, 0, 0, {width, 20}, 0.5f}, {{0, 1, 0, 1}, {30, 24}, 3, -2, {36, 26}, 0.5f}};
}

DecodeJob Job(std::vector<MaskTarget> targets) {
  DecodeJob job;
  DenseLayout dense;
  dense.boxes = {0, true, 0};
  dense.scores = {0, true, 4};
  dense.extras = kChannels;
  job.head = dense;
  job.pictures = targets.size();
  job.thresholds = detection::Thresholds({0.4f});
  job.limits = {0.6f, false, 12};
  MasksLayout masks;
  masks.planes = 1;
  masks.coefficients = HeadPart{0, true, 4 + kClasses};
  masks.sigmoid = true;
  masks.cut = kernels::MaskCut{0.25f};
  masks.targets = std::move(targets);
  job.masks = std::move(masks);
  return job;
}

struct Expectation {
  std::vector<Detections> detections;
  std::vector<MaskRuns> masks;
};

Expectation Expected(const std::vector<float>& values, const DecodeJob& job) {
  Expectation expected;
  for (std::size_t picture = 0; picture < job.pictures; ++picture) {
    const float* data = values.data() + picture * kOfOne;
    detection::DenseHead head;
    head.candidates = kAnchors;
    head.classes = kClasses;
    head.boxes = {data, 1, kAnchors};
    head.scores = {data + 4 * kAnchors, 1, kAnchors};
    const Detections found = detection::SelectBest(detection::GatherDense(head, job.thresholds), job.limits);
    masks::MaskHead masks;
    masks.width = masks.height = kSide;
    masks.channels = kChannels;
    masks.planes = {data + kOfHead, 1, kSide * kSide};
    masks.coefficients = detection::Matrix{data + (4 + kClasses) * kAnchors, 1, kAnchors};
    masks.sigmoid = job.masks->sigmoid;
    masks::MaskSelection selection{found.indices, {}, 1.0f};
    if (job.masks->cut) selection = {found.indices, found.boxes, job.masks->cut->box_scale};
    expected.masks.push_back(masks::DecodeMasks(masks, selection, job.masks->targets[picture]));
    expected.detections.push_back(found);
  }
  return expected;
}

class MasksTest : public DecodeFixture {
 protected:
  static InputView Values(const std::vector<float>& values) { return View(values, {kPlaces, kOfOne}); }
  // Counts the runs.
  static Status Run(Executor& executor, const std::vector<float>& values, const DecodeJob& job, std::size_t* runs = nullptr) {
    IM_RETURN_IF_ERROR(executor.Submit({Values(values)}, &job));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    for (const OutputView& output : outputs.value()) {
      if (output.data != nullptr) return Status(Code::kRuntime, "test", "an output was downloaded");
    }
    const Expectation expected = Expected(values, job);
    const std::vector<Decoded> found = executor.Results();
    IM_RETURN_IF_ERROR(Check(found, expected.detections));
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& masks = found[i].masks;
      if (!masks || !masks->complete || masks->masks.offsets != expected.masks[i].offsets ||
          masks->masks.runs != expected.masks[i].runs) {
        return Status(Code::kRuntime, "test", "wrong masks");
      }
      if (runs != nullptr) *runs += masks->masks.runs.size();
    }
    return {};
  }
};

TEST_P(MasksTest, AreThoseOfTheCpuInWhateverGraph) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  std::size_t runs = 0;
  for (unsigned round = 0; round < 8; ++round) {
    DecodeJob job = Job(Targets(40));
    // What may change from run to run of a graph.
    job.thresholds = detection::Thresholds({0.1f * static_cast<float>(round)});
    job.masks->sigmoid = round % 2 == 0;
    if (round % 3 == 0) job.masks->cut = std::nullopt;
    for (MaskTarget& target : job.masks->targets) target.threshold = 0.2f * static_cast<float>(round % 4);
    const Status status = Run(*executor.value(), RandomOutputs(round), job, &runs);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  EXPECT_GT(runs, 2000u) << "the rounds compare next to nothing";
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 1u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 6u);
  EXPECT_EQ(executor.value()->statistics().last_capture_failure, "");
}

TEST_P(MasksTest, OfOtherSizesAndHeadsTakeTurnsWithOneBlockOfMemory) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const auto in_use = [&] { return executor.value()->engine().resources()->memory->bytes_in_use(); };
  std::vector<DecodeJob> jobs;
  for (const std::int32_t width : {600, 590, 580}) jobs.push_back(Job(Targets(width)));
  jobs.push_back(Job({Targets(600)[0]}));
  jobs.push_back(Job(Targets(600)));
  jobs.back().limits.max_detections = 3;
  std::size_t first = 0;
  for (unsigned round = 0; round < 4; ++round) {
    for (const DecodeJob& job : jobs) {
      const Status status = Run(*executor.value(), RandomOutputs(round), job);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    if (round == 0) first = in_use();
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, jobs.size());
  EXPECT_EQ(executor.value()->statistics().graph_launches, 2 * jobs.size());
  // Each graph has tables and tensors of its own, but not working memory.
  EXPECT_LT(in_use(), 2 * first);
  // Without masks the detections are the same.
  DecodeJob without = Job(Targets(40));
  without.masks.reset();
  const std::vector<float> values = RandomOutputs(3);
  ASSERT_TRUE(executor.value()->Submit({Values(values)}, &without).ok());
  ASSERT_TRUE(executor.value()->Wait().ok());
  EXPECT_TRUE(Check(executor.value()->Results(), Expected(values, jobs[0]).detections).ok());
  EXPECT_FALSE(executor.value()->Results()[0].masks);
}

TEST_P(MasksTest, RefusesLayoutsThatTheOutputsDoNotHold) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> values = RandomOutputs(1);
  const auto refused = [&](auto change) {
    DecodeJob job = Job(Targets(40));
    change(*job.masks);
    return executor.value()->Submit({Values(values)}, &job).code() == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.planes = 0; })) << "three dimensions";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.planes = 3; }));
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.channels_first = false; })) << "eight channels";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.coefficients->from = 5; })) << "five coefficients";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.coefficients->from = kAttributes; }));
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.coefficients->output = 1; })) << "four dimensions";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.coefficients->output = SIZE_MAX; }));
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.coefficients.reset(); })) << "fewer planes than candidates";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.targets.pop_back(); })) << "a picture without a target";
  EXPECT_TRUE(refused([](MasksLayout& masks) { masks.targets[0].resize.width = 0; }));
  const Status fine = Run(*executor.value(), values, Job(Targets(40)));
  EXPECT_TRUE(fine.ok()) << fine.message();
}

TEST_P(MasksTest, SurviveTheFailureOfEveryCall) {
  const std::vector<float> values = RandomOutputs(1);
  const auto scenario = [&]() -> Status {
    const auto executor = MakeExecutor(kPlan);
    if (!executor.ok()) return executor.status();
    for (int round = 0; round < 3; ++round) IM_RETURN_IF_ERROR(Run(*executor.value(), values, Job(Targets(40))));
    return {};
  };
  ExpectToSurviveEveryFailure(scenario);
  state() = FakeCudaState();
  ExpectToSurviveEveryTensorRtFailure(scenario);
}

INSTANTIATE_TEST_SUITE_P(Releases, MasksTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
