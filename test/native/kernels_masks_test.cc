#include <limits>
#include <vector>

#include "fakes/mask_fixture.h"

namespace im::kernels {
namespace {

TEST_F(MaskAssemblerTest, MakesTheMasksOfTheCpu) {
  Random random(1);
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  std::size_t runs = 0;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    const Batch batch = RandomBatch(random);
    std::vector<PictureMasks> found;
    const Status status = Run(bench, batch, found);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectEqual(found, Expected(batch));
    for (const PictureMasks& masks : found) runs += masks.masks.runs.size();
    if (HasFailure()) return;
  }
  EXPECT_GT(runs, 100000u) << "the rounds compare next to nothing";
}

TEST_F(MaskAssemblerTest, ManyInstancesOnAWidePicture) {
  // More groups of instances than blocks share, more masks and tiles than threads that sum up.
  Random random(2);
  Batch batch = RandomBatch(random);
  batch.pictures = 2;
  batch.combined = true;
  batch.channels = 32;
  batch.limit = 700;
  batch.cut = MaskCut{1.0f};
  batch.planes.assign(batch.pictures * batch.channels * batch.cells(), 0.0f);
  for (float& value : batch.planes) value = random.Number();
  batch.coefficients.assign(batch.pictures * batch.channels * batch.candidates, 0.0f);
  for (float& value : batch.coefficients) value = random.Number();
  batch.targets = {{{}, {600, 5}, 0, 0, {600, 5}, 0.0f}, {{}, {3, 400}, 10, -7, {20, 300}, -0.25f}};
  batch.found.assign(2, {});
  for (std::vector<Found>& found : batch.found) {
    while (found.size() < batch.limit) found.push_back(RandomInstance(random, batch));
  }
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  std::vector<PictureMasks> found;
  ASSERT_TRUE(Run(bench, batch, found).ok());
  ExpectEqual(found, Expected(batch));
}

TEST_F(MaskAssemblerTest, LargePictures) {
  Random random(3);
  Batch batch = RandomBatch(random);
  batch.pictures = 1;
  batch.combined = false;
  batch.channels = 3;
  batch.limit = 3;
  batch.width = batch.height = 24;
  batch.cut.reset();
  batch.planes.clear();
  for (std::size_t i = 0; i < batch.channels * batch.cells(); ++i) batch.planes.push_back(random.Number());
  batch.targets = {{{}, {4000, 3000}, 0, 0, {4000, 3000}, 0.5f}};
  batch.found = {{RandomInstance(random, batch), RandomInstance(random, batch), RandomInstance(random, batch)}};
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  std::vector<PictureMasks> found;
  ASSERT_TRUE(Run(bench, batch, found).ok());
  ExpectEqual(found, Expected(batch));
}

TEST_F(MaskAssemblerTest, NothingNeedsToBeFound) {
  Random random(4);
  Batch batch = RandomBatch(random);
  batch.found.assign(batch.pictures, {});
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  for (const std::size_t limit : {0, 5}) {
    batch.limit = limit;
    std::vector<PictureMasks> found;
    const Status status = Run(bench, batch, found);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectEqual(found, std::vector<MaskRuns>(batch.pictures, MaskRuns{{}, {0}}));
  }
}

TEST_F(MaskAssemblerTest, ReadsNothingOfIndicesThatDoNotExist) {
  Random random(5);
  Batch batch = RandomBatch(random);
  batch.limit = 3;
  for (std::size_t picture = 0; picture < batch.pictures; ++picture) {
    batch.targets[picture] = {{}, {7, 5}, 0, 0, {7, 5}, 0.5f};
    batch.found[picture] = std::vector<Found>(3);
    batch.found[picture][0].candidate = -1;
    batch.found[picture][1].candidate = 1 << 30;
    batch.found[picture][2].candidate = std::numeric_limits<std::int32_t>::min();
  }
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  std::vector<PictureMasks> found;
  ASSERT_TRUE(Run(bench, batch, found).ok());
  ExpectEqual(found, std::vector<MaskRuns>(batch.pictures, MaskRuns{{35, 35, 35}, {0, 1, 2, 3}}));
}

TEST_F(MaskAssemblerTest, SaysWhatDidNotFitTheBudget) {
  Random random(6);
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  std::size_t complete = 0;
  std::size_t incomplete = 0;
  for (int round = 0; round < 200; ++round) {
    const Batch batch = RandomBatch(random);
    MaskBudget budget;
    if (random.Chance(2)) budget.runs = random.Below(200);
    if (random.Chance(3)) budget.cells = random.Below(500);
    if (random.Chance(3)) budget.columns = random.Below(3000);
    std::vector<PictureMasks> found;
    const Status status = Run(bench, batch, found, budget);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::vector<MaskRuns> expected = Expected(batch);
    ASSERT_EQ(found.size(), expected.size());
    std::size_t runs = 0;
    bool fits = true;
    for (std::size_t picture = 0; picture < found.size(); ++picture) {
      if (found[picture].complete) {
        EXPECT_EQ(found[picture].masks.runs, expected[picture].runs);
        EXPECT_EQ(found[picture].masks.offsets, expected[picture].offsets);
        ++complete;
      } else {
        EXPECT_TRUE(found[picture].masks.runs.empty());
        ++incomplete;
      }
      runs += expected[picture].runs.size();
      fits = fits && found[picture].complete;
    }
    EXPECT_FALSE(fits && runs > budget.runs) << "round " << round;
    const bool only_runs_are_few = budget.cells == MaskBudget().cells && budget.columns == MaskBudget().columns;
    EXPECT_FALSE(only_runs_are_few && runs <= budget.runs && !fits) << "round " << round;
  }
  EXPECT_GT(complete, 50u);
  EXPECT_GT(incomplete, 50u);
}

TEST_F(MaskAssemblerTest, RefusesWhatDoesNotFitItsMemory) {
  Random random(7);
  Batch batch = RandomBatch(random);
  while (!batch.combined || batch.pictures < 2 || batch.limit < 2 || batch.channels < 2 || batch.half_planes)
    batch = RandomBatch(random);
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  MaskAssembler assembler(bench.resources, bench.kernels, *bench.stream);
  EXPECT_FALSE(assembler.Enqueue().ok()) << "nothing is prepared";
  EXPECT_TRUE(assembler.Results().empty());
  const auto refused = [&](auto change) {
    OnDevice on_device = Describe(batch, 4096, 8192, 16384, 32768);
    std::vector<MaskTarget> targets = batch.targets;
    change(on_device.head, on_device.found, targets);
    const Status status = assembler.Prepare(on_device.head, on_device.found, batch.cut, targets);
    EXPECT_EQ(assembler.Enqueue().ok(), status.ok()) << "only what was prepared may be enqueued";
    (void)bench.stream->Synchronize();
    return status.code() == Code::kInvalidArgument;
  };
  using Head = DeviceMaskHead&;
  using Instances = DeviceFound&;
  using Targets = std::vector<MaskTarget>&;
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.width += 1; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.width = 0; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.height = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.width = head.height = std::size_t{1} << 20; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.channels = 0; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.channels = 33; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.candidates += 1; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.candidates = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.planes.length -= 1; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.planes.per_picture = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.planes.layout.offset = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.planes.address += 2; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.coefficients->layout.candidate_stride = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head head, Instances, Targets) { head.coefficients->length -= 1; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.pictures = 0; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.pictures = 70000; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.limit += 1; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.limit = SIZE_MAX; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.length -= 1; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.candidates += 1; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.found += 2; }));
  EXPECT_TRUE(refused([](Head, Instances found, Targets) { found.counts += 1; }));
  EXPECT_TRUE(refused([](Head, Instances, Targets targets) { targets.pop_back(); }));
  EXPECT_TRUE(refused([](Head, Instances, Targets targets) { targets[1].resize.width = 0; }));
  EXPECT_TRUE(refused([](Head, Instances, Targets targets) { targets[1].picture.height = masks::kMaximumSide + 1; }));
  EXPECT_TRUE(refused([](Head, Instances, Targets targets) { targets[1].picture = {1 << 16, 1 << 16}; }));
  EXPECT_TRUE(refused([](Head, Instances, Targets targets) { targets[1].left = std::numeric_limits<std::int32_t>::min(); }));
  EXPECT_TRUE(
      refused([](Head, Instances, Targets targets) { targets[1].trim.bottom = std::numeric_limits<std::int32_t>::max(); }));
}

TEST_F(MaskAssemblerTest, SurvivesTheFailureOfEveryCall) {
  Random random(8);
  Batch batch = RandomBatch(random);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(Open(bench));
    std::vector<PictureMasks> found;
    return Run(bench, batch, found);
  });
}

}  // namespace
}  // namespace im::kernels
