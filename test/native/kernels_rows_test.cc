// Rows that went through suppression in the network, on the device: what detection::FilterRows finds, to the bit.
#include "detection/rows.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "fakes/detector_fixture.h"

namespace im::kernels {
namespace {

using detection::Detections;
using detection::Limits;
using detection::Thresholds;

struct Head {
  std::size_t pictures = 1;
  std::size_t count = 0;
  std::size_t columns = 6;
  bool inclusive = false;
  bool half = false;  // float16 on the device
  std::vector<float> data;
};

Head RandomHead(std::mt19937& random, std::size_t pictures, std::size_t count) {
  Head head;
  head.pictures = pictures;
  head.count = count;
  head.columns = 6 + random() % 3;
  head.inclusive = random() % 2 == 0;
  head.half = random() % 2 == 0;
  const float infinity = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < pictures * count; ++i) {
    for (std::size_t column = 0; column < head.columns; ++column) {
      // Quarters, so that many scores are equal to a threshold.
      float value = static_cast<float>(random() % 5) / 4.0f;
      if (column == 5) value = static_cast<float>(random() % 60) / 10.0f - 1.0f;
      else if (column != 4) value = static_cast<float>(random() % 10000) / 10.0f;
      if (random() % 40 == 0) value = (std::vector<float>{std::nanf(""), infinity, -infinity, -0.0f, 3e9f, -3e9f})[random() % 6];
      head.data.push_back(value);
    }
  }
  if (head.half) head.data = RoundedToHalves(std::move(head.data));
  return head;
}

std::vector<Detections> Expected(const Head& head, const Thresholds& thresholds, const Limits& limits) {
  std::vector<Detections> expected;
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    const detection::Matrix rows{head.data.data() + picture * head.count * head.columns, head.columns, 1};
    expected.push_back(detection::FilterRows({rows, head.count, head.inclusive}, thresholds, limits.max_detections));
  }
  return expected;
}

DeviceRowsHead OnDevice(const Head& head, cuda::DeviceAddress address) {
  DeviceRowsHead device;
  device.pictures = head.pictures;
  device.count = head.count;
  device.rows = {address, head.data.size(), {0, head.columns, 1}, head.count * head.columns, head.half};
  device.inclusive = head.inclusive;
  return device;
}

class RowsTest : public DetectorFixture {
 protected:
  static Status Run(Bench& bench, const Head& head, const Thresholds& thresholds, const Limits& limits,
                    std::vector<Detections>& found) {
    const Result<cuda::DeviceBuffer> memory = head.half ? bench.Upload(ToHalves(head.data)) : bench.Upload(head.data);
    if (!memory.ok()) return memory.status();
    Detector detector(bench.resources, bench.kernels, *bench.stream);
    IM_RETURN_IF_ERROR(detector.Prepare(OnDevice(head, memory.value().address()), thresholds, limits));
    return bench.Finish(detector, found);
  }

  static void ExpectThoseOfTheCpu(Bench& bench, const Head& head, const Thresholds& thresholds, const Limits& limits,
                                  std::size_t& total) {
    std::vector<Detections> found;
    const Status status = Run(bench, head, thresholds, limits, found);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::vector<Detections> expected = Expected(head, thresholds, limits);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t picture = 0; picture < found.size(); ++picture) {
      EXPECT_EQ(Bits(found[picture]), Bits(expected[picture])) << "picture " << picture;
      total += found[picture].size();
    }
  }
};

TEST_F(RowsTest, FindsWhatTheCpuFinds) {
  std::mt19937 random(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t total = 0;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    const Head head = RandomHead(random, 1 + random() % 3, 1 + random() % 400);
    // One for all, or by class, fewer than there are classes, or none.
    std::vector<float> values(random() % 2 == 0 ? 1 : random() % 6);
    for (float& value : values) value = static_cast<float>(random() % 5) / 4.0f;
    const Limits limits{0.5f, false, random() % 2 == 0 ? SIZE_MAX : random() % 150};
    ExpectThoseOfTheCpu(bench, head, Thresholds(values), limits, total);
    if (HasFailure()) return;
  }
  EXPECT_GT(total, 5000u) << "the rounds compare next to nothing";
}

TEST_F(RowsTest, ThreadsShareManyRows) {
  std::mt19937 random(2);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t total = 0;
  for (const std::size_t count : {255, 256, 257, 511, 5000}) {
    for (const std::size_t limit : {SIZE_MAX, std::size_t{300}, std::size_t{1}})
      ExpectThoseOfTheCpu(bench, RandomHead(random, 2, count), Thresholds({0.25f}), {std::nullopt, false, limit}, total);
  }
  EXPECT_GT(total, 5000u);
}

TEST_F(RowsTest, NothingNeedsToBeFound) {
  std::mt19937 random(3);
  const Head head = RandomHead(random, 2, 30);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Detections> found;
  const auto nothing = [&] { return found.size() == 2 && found[0].size() + found[1].size() == 0; };
  ASSERT_TRUE(Run(bench, head, Thresholds({std::nanf("")}), {}, found).ok());
  EXPECT_TRUE(nothing());
  ASSERT_TRUE(Run(bench, head, Thresholds(std::vector<float>{}), {}, found).ok());
  EXPECT_TRUE(nothing()) << "no class has a threshold";
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), {std::nullopt, false, 0}, found).ok());
  EXPECT_TRUE(nothing()) << "none are wanted";
}

TEST_F(RowsTest, SaysWhereTheyStay) {
  std::mt19937 random(4);
  const Head head = RandomHead(random, 2, 30);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  Detector detector(bench.resources, bench.kernels, *bench.stream);
  ASSERT_TRUE(detector.Prepare(OnDevice(head, 4096), Thresholds({0.5f}), {std::nullopt, false, 7}).ok());
  const DeviceFound found = detector.found();
  EXPECT_EQ(found.pictures, 2u);
  EXPECT_EQ(found.limit, 7u);
  EXPECT_EQ(found.length, 14u);
  EXPECT_EQ(found.candidates, 30u);
}

TEST_F(RowsTest, RefusesWhatDoesNotFitItsMemory) {
  std::mt19937 random(5);
  Head head = RandomHead(random, 2, 20);
  head.half = false;
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  Detector detector(bench.resources, bench.kernels, *bench.stream);
  const auto refused = [&](auto change) {
    DeviceRowsHead device = OnDevice(head, 4096);
    change(device);
    return detector.Prepare(device, Thresholds({0.5f}), {}).code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](DeviceRowsHead&) {}));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.pictures = 0; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.pictures = 3; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.count = 0; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.count = 21; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.count = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) {
    device.rows.layout = {0, 5, 1};
    device.rows.length = 100;
  }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.rows.layout.offset = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.rows.per_picture = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.rows.length = 20; }));
  EXPECT_TRUE(refused([](DeviceRowsHead& device) { device.rows.address += 2; }));
  EXPECT_FALSE(detector.Enqueue().ok()) << "what was refused is not prepared";
}

TEST_F(RowsTest, SurvivesTheFailureOfEveryCall) {
  std::mt19937 random(6);
  const Head head = RandomHead(random, 2, 50);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    std::vector<Detections> found;
    return Run(bench, head, Thresholds({0.4f}), {}, found);
  });
}

}  // namespace
}  // namespace im::kernels
