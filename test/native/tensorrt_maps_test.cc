// Engines whose planes the device makes maps of, in one go with the network, on the stand-ins.
#include <random>

#include "fakes/decode_fixture.h"
#include "maps/class_map.h"

namespace im::trt {
namespace {

using maps::Placement;

constexpr std::size_t kPlaces = 3;
constexpr std::size_t kChannels = 3;
constexpr std::size_t kSide = 8;
constexpr std::size_t kOfOne = kChannels * kSide * kSide;
constexpr char kPlan[] =
    "name segmenter\nscratch 512\n"
    "in values 0 4 -1 3 8 8\nout logits 0 4 -1 3 8 8\nout depth 0 3 -1 8 8\n"
    "profile 0 values 4 1 3 8 8 2 3 8 8 4 3 8 8\n";

std::vector<float> RandomLogits(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(kPlaces * kOfOne);
  for (float& value : values) value = static_cast<float>(random() % 1000) / 100 - 5;
  return values;
}

std::vector<Placement> Placements(std::size_t width) {
  Placement whole;
  whole.width = whole.canvas_width = width;
  whole.height = whole.canvas_height = 20;
  Placement pasted;
  pasted.trim_top = 1;
  pasted.trim_left = -2;
  pasted.width = 15;
  pasted.height = 12;
  pasted.left = 3;
  pasted.top = 4;
  pasted.canvas_width = pasted.canvas_height = 24;
  return {whole, pasted};
}

DecodeJob Job(std::vector<Placement> placements, float threshold = 0.5f) {
  DecodeJob job;
  job.pictures = placements.size();
  job.map = MapLayout{0, maps::ClassMapSettings{{1, 0, 2}, 0, {threshold}}, std::move(placements)};
  return job;
}

class MapsTest : public DecodeFixture {
 protected:
  static Status Run(Executor& executor, const std::vector<float>& values, const DecodeJob& job) {
    IM_RETURN_IF_ERROR(executor.Submit({View(values, {kPlaces, kChannels, kSide, kSide})}, &job));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    const std::vector<Decoded> found = executor.Results();
    bool same = found.size() == job.pictures;
    for (std::size_t i = 0; same && i < found.size(); ++i) {
      const Placement& placement = job.map->placements[i];
      // The output of three dimensions begins with those of the input of each picture.
      const maps::DenseMap map{values.data() + i * kOfOne, kChannels, kSide, kSide};
      std::vector<float> expected(placement.canvas_width * placement.canvas_height);
      std::vector<std::uint8_t> ids(expected.size());
      const auto* classes = std::get_if<maps::ClassMapSettings>(&job.map->kind);
      IM_RETURN_IF_ERROR(classes != nullptr
                             ? maps::MakeClassMap(map, placement, *classes, ids.data(), expected.data())
                             : maps::MakeValueMap(map, placement, std::get<Kernel>(job.map->kind), expected.data()));
      if (classes == nullptr) ids.clear();
      same = found[i].map && found[i].map->values == expected && found[i].map->ids == ids && found[i].detections.size() == 0;
    }
    return same ? Status() : Status(Code::kRuntime, "test", "wrong maps");
  }
};

TEST_P(MapsTest, AreThoseOfTheCpuInWhateverGraph) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  for (unsigned round = 0; round < 6; ++round) {
    DecodeJob job = Job(Placements(30), 0.2f * static_cast<float>(round));
    if (round % 2 == 1) std::get<maps::ClassMapSettings>(job.map->kind).class_ids = {0, 5, 1};
    const Status status = Run(*executor.value(), RandomLogits(round), job);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 1u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 4u);

  // Each with a graph of its own.
  std::vector<DecodeJob> jobs{Job(Placements(10)), Job(Placements(30)), Job({Placements(30)[1]})};
  jobs[1].map->kind = Kernel::kTriangle;
  jobs.push_back(jobs[1]);
  jobs[3].map->kind = Kernel::kNearestCubic;
  jobs.push_back(jobs[3]);
  jobs[4].map->planes = 1;
  for (unsigned round = 0; round < 3; ++round) {
    for (const DecodeJob& job : jobs) {
      const Status status = Run(*executor.value(), RandomLogits(round), job);
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 1 + jobs.size());
  EXPECT_EQ(executor.value()->statistics().last_capture_failure, "");
}

TEST_P(MapsTest, RefusesWhatTheOutputsDoNotHold) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const std::vector<float> values = RandomLogits(1);
  const auto refused = [&](auto change) {
    DecodeJob job = Job(Placements(30));
    change(job);
    return executor.value()->Submit({View(values, {kPlaces, kChannels, kSide, kSide})}, &job).code() == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](DecodeJob& job) { job.map->planes = 2; }));
  EXPECT_TRUE(refused([](DecodeJob& job) { job.map->planes = 1; })) << "one channel, three classes";
  EXPECT_TRUE(refused([](DecodeJob& job) { job.pictures = 1; })) << "fewer pictures than placements";
  EXPECT_TRUE(refused([](DecodeJob& job) { job.map->placements[0].height = 0; }));
  EXPECT_TRUE(refused([](DecodeJob& job) {
    job.map->placements.resize(4, job.map->placements[0]);
    job.pictures = 4;
  })) << "more pictures than the batch";
  const Status fine = Run(*executor.value(), values, Job(Placements(30)));
  EXPECT_TRUE(fine.ok()) << fine.message();
}

TEST_P(MapsTest, SurviveTheFailureOfEveryCall) {
  const std::vector<float> values = RandomLogits(1);
  const auto scenario = [&]() -> Status {
    const auto executor = MakeExecutor(kPlan);
    if (!executor.ok()) return executor.status();
    for (int round = 0; round < 3; ++round) IM_RETURN_IF_ERROR(Run(*executor.value(), values, Job(Placements(30))));
    return {};
  };
  ExpectToSurviveEveryFailure(scenario);
  state() = FakeCudaState();
  ExpectToSurviveEveryTensorRtFailure(scenario);
}

INSTANTIATE_TEST_SUITE_P(Releases, MapsTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
