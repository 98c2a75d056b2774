// Maps on the device: what maps::MakeClassMap and maps::MakeValueMap make, to the bit.
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "fakes/detector_fixture.h"
#include "kernels/map_maker.h"

namespace im::kernels {
namespace {

using maps::ClassMapSettings;
using maps::Placement;

// Planes of a batch, and where they go.
struct Batch {
  std::size_t channels = 1;
  std::size_t width = 1;
  std::size_t height = 1;
  bool half = false;
  std::vector<float> planes;
  std::vector<Placement> placements;
  ClassMapSettings settings;

  std::size_t of_one() const { return channels * width * height; }
};

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t Below(std::size_t limit) { return engine_() % limit; }
  std::int64_t Between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(Below(static_cast<std::size_t>(most - least + 1)));
  }
  bool Chance(std::size_t one_in) { return Below(one_in) == 0; }

 private:
  std::mt19937 engine_;
};

Placement RandomPlacement(Dice& dice, const Batch& batch) {
  Placement placement;
  // Letterboxes are cut, crops extended.
  const auto trim = [&](std::size_t length) {
    return dice.Chance(2) ? 0 : dice.Between(-3, (static_cast<std::int64_t>(length) - 1) / 2);
  };
  placement.trim_left = trim(batch.width);
  placement.trim_top = trim(batch.height);
  placement.trim_right = trim(batch.width);
  placement.trim_bottom = trim(batch.height);
  if (placement.trim_left + placement.trim_right >= static_cast<std::int64_t>(batch.width)) placement.trim_right = 0;
  if (placement.trim_top + placement.trim_bottom >= static_cast<std::int64_t>(batch.height)) placement.trim_bottom = 0;
  placement.width = 1 + dice.Below(40);
  placement.height = 1 + dice.Below(40);
  placement.left = dice.Chance(2) ? 0 : dice.Below(10);
  placement.top = dice.Chance(2) ? 0 : dice.Below(10);
  placement.canvas_width = placement.left + placement.width + (dice.Chance(2) ? 0 : dice.Below(10));
  placement.canvas_height = placement.top + placement.height + (dice.Chance(2) ? 0 : dice.Below(10));
  return placement;
}

Batch RandomBatch(Dice& dice) {
  Batch batch;
  batch.channels = dice.Chance(3) ? 1 : 2 + dice.Below(6);
  batch.width = 1 + dice.Below(16);
  batch.height = 1 + dice.Below(16);
  batch.half = dice.Chance(3);
  for (std::size_t pictures = 1 + dice.Below(3); pictures > 0; --pictures)
    batch.placements.push_back(RandomPlacement(dice, batch));
  batch.planes.resize(batch.placements.size() * batch.of_one());
  // Few values, so that many are equal.
  for (float& value : batch.planes) {
    value = static_cast<float>(dice.Between(-12, 12)) * 0.5f;
    if (dice.Chance(300)) value = (std::vector<float>{NAN, INFINITY, -INFINITY, 1e-44f, -0.0f})[dice.Below(5)];
  }
  const bool wide = dice.Chance(4);
  batch.settings.background = static_cast<std::uint16_t>(dice.Below(wide ? 400 : 4));
  for (std::size_t c = 0; c < batch.channels; ++c)
    batch.settings.class_ids.push_back(static_cast<std::uint16_t>(dice.Below(wide ? 400 : 8)));
  for (std::size_t i = dice.Chance(2) ? 1 : 8; i > 0; --i)
    batch.settings.thresholds.push_back(static_cast<float>(dice.Below(100)) / 100);
  return batch;
}

template <typename Value>
bool SameBits(const std::vector<Value>& a, const std::vector<Value>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Value)) == 0);
}

class MapMakerTest : public DetectorFixture {
 protected:
  static DeviceMap Describe(const Batch& batch, cuda::DeviceAddress address) {
    return {batch.channels,
            batch.width,
            batch.height,
            {address, batch.planes.size(), {0, 1, batch.width * batch.height}, batch.of_one(), batch.half}};
  }

  // With `kernel` a map of values.
  static Status Run(Bench& bench, const Batch& batch, const Kernel* kernel, std::vector<PictureMap>& found) {
    const Result<cuda::DeviceBuffer> planes = batch.half ? bench.Upload(ToHalves(batch.planes)) : bench.Upload(batch.planes);
    if (!planes.ok()) return planes.status();
    const Result<std::shared_ptr<const MapKernels>> kernels = MapKernels::Load(bench.resources->device);
    if (!kernels.ok()) return kernels.status();
    MapMaker maker(bench.resources, kernels.value(), *bench.stream);
    const DeviceMap map = Describe(batch, planes.value().address());
    IM_RETURN_IF_ERROR(kernel == nullptr ? maker.Prepare(map, batch.placements, batch.settings)
                                         : maker.Prepare(map, batch.placements, *kernel));
    const Status enqueued = maker.Enqueue();
    const Status waited = bench.stream->Synchronize();
    if (!enqueued.ok()) return enqueued;
    IM_RETURN_IF_ERROR(waited);
    found = maker.Results();
    return {};
  }

  static std::vector<PictureMap> Expected(const Batch& batch, const Kernel* kernel) {
    const std::vector<float> planes = batch.half ? RoundedToHalves(batch.planes) : batch.planes;
    std::vector<PictureMap> expected;
    for (std::size_t picture = 0; picture < batch.placements.size(); ++picture) {
      const Placement& placement = batch.placements[picture];
      const maps::DenseMap map{planes.data() + picture * batch.of_one(), batch.channels, batch.width, batch.height};
      const std::size_t pixels = placement.canvas_width * placement.canvas_height;
      PictureMap one;
      one.values.resize(pixels);
      Status status;
      if (kernel != nullptr) {
        status = maps::MakeValueMap(map, placement, *kernel, one.values.data());
      } else if (maps::HasWideIds(batch.settings)) {
        one.wide_ids.resize(pixels);
        status = maps::MakeClassMap(map, placement, batch.settings, one.wide_ids.data(), one.values.data());
      } else {
        one.ids.resize(pixels);
        status = maps::MakeClassMap(map, placement, batch.settings, one.ids.data(), one.values.data());
      }
      EXPECT_TRUE(status.ok()) << status.message();
      expected.push_back(std::move(one));
    }
    return expected;
  }

  static Status Check(const std::vector<PictureMap>& found, const std::vector<PictureMap>& expected) {
    bool same = found.size() == expected.size();
    for (std::size_t i = 0; same && i < found.size(); ++i) {
      same = SameBits(found[i].values, expected[i].values) && found[i].ids == expected[i].ids &&
             found[i].wide_ids == expected[i].wide_ids;
    }
    return same ? Status() : Status(Code::kRuntime, "test", "wrong maps");
  }
};

TEST_F(MapMakerTest, GivesTheClassesOfTheCpu) {
  Dice dice(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t sure = 0;
  for (int round = 0; round < 300; ++round) {
    const Batch batch = RandomBatch(dice);
    std::vector<PictureMap> found;
    const Status status = Run(bench, batch, nullptr, found);
    ASSERT_TRUE(status.ok()) << status.message();
    const Status same = Check(found, Expected(batch, nullptr));
    EXPECT_TRUE(same.ok()) << "round " << round;
    for (const PictureMap& map : found) {
      for (const float confidence : map.values) sure += confidence > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(sure, 100000u) << "the rounds compare next to nothing";
}

TEST_F(MapMakerTest, GivesTheValuesOfTheCpu) {
  Dice dice(2);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  for (int round = 0; round < 200; ++round) {
    const Batch batch = RandomBatch(dice);
    const Kernel kernel = dice.Chance(2) ? Kernel::kTriangle : Kernel::kNearestCubic;
    std::vector<PictureMap> found;
    const Status status = Run(bench, batch, &kernel, found);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(Check(found, Expected(batch, &kernel)).ok()) << "round " << round;
  }
}

TEST_F(MapMakerTest, RefusesWhatItCannotMake) {
  Dice dice(3);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const auto refused = [&](auto change) {
    Batch batch = RandomBatch(dice);
    change(batch);
    std::vector<PictureMap> found;
    return Run(bench, batch, nullptr, found).code() == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](Batch& batch) { batch.placements.clear(); }));
  EXPECT_TRUE(refused([](Batch& batch) { batch.placements[0].width = 0; }));
  EXPECT_TRUE(refused([](Batch& batch) { batch.placements[0].trim_left = 70000; }));
  EXPECT_TRUE(refused([](Batch& batch) { batch.settings.class_ids.pop_back(); }));
  EXPECT_TRUE(refused([](Batch& batch) { batch.settings.thresholds.clear(); }));
  EXPECT_TRUE(refused([](Batch& batch) { batch.planes.pop_back(); })) << "planes end too early";
  EXPECT_TRUE(refused([](Batch& batch) {
    batch.placements[0].canvas_width = 8000;
    batch.placements[0].canvas_height = 5000;
  })) << "more pixels than are made";
  EXPECT_TRUE(refused([](Batch& batch) {
    // Within every limit of a map, and out of all proportion.
    for (Placement& placement : batch.placements) placement.trim_left = placement.trim_top = -60000;
    batch.placements.resize(200, batch.placements[0]);
    batch.planes.resize(200 * batch.of_one());
  }));
  std::vector<PictureMap> found;
  EXPECT_TRUE(Run(bench, RandomBatch(dice), nullptr, found).ok());
}

TEST_F(MapMakerTest, SurvivesTheFailureOfEveryDriverCall) {
  Dice dice(4);
  const Batch batch = RandomBatch(dice);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    std::vector<PictureMap> found;
    IM_RETURN_IF_ERROR(Run(bench, batch, nullptr, found));
    return Check(found, Expected(batch, nullptr));
  });
}

}  // namespace
}  // namespace im::kernels
