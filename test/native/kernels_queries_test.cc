// Query heads on the device: what detection::SelectQueries finds, to the bit.
#include <cmath>
#include <random>
#include <vector>

#include "detection/queries.h"
#include "fakes/detector_fixture.h"

namespace im::kernels {
namespace {

using detection::Detections;
using detection::Limits;
using detection::Thresholds;

struct Head {
  std::size_t pictures = 1;
  std::size_t queries = 0;
  std::size_t classes = 0;
  std::vector<float> boxes;
  std::vector<float> logits;
  std::vector<std::int32_t> mapping;
  bool half_boxes = false;  // float16 on the device
  bool half_logits = false;
};

Head RandomHead(std::mt19937& random, std::size_t pictures, std::size_t queries, std::size_t classes) {
  Head head;
  head.pictures = pictures;
  head.queries = queries;
  head.classes = classes;
  for (std::size_t i = 0; i < pictures * queries * 4; ++i) head.boxes.push_back(static_cast<float>(random() % 1000) / 1000.0f);
  // Few values, so that many are equal.
  const unsigned steps = random() % 2 == 0 ? 8 : 4000;
  for (std::size_t i = 0; i < pictures * queries * classes; ++i) {
    float logit = static_cast<float>(random() % steps) / static_cast<float>(steps) * 14 - 8;
    if (random() % 60 == 0) logit = (std::vector<float>{std::nanf(""), -INFINITY, 0.0f, -0.0f, 200.0f, INFINITY})[random() % 6];
    head.logits.push_back(logit);
  }
  for (std::size_t c = 0; c < classes; ++c) head.mapping.push_back(random() % 4 == 0 ? -1 : static_cast<std::int32_t>(c));
  head.half_boxes = random() % 2 == 0;
  head.half_logits = random() % 2 == 0;
  if (head.half_boxes) head.boxes = RoundedToHalves(std::move(head.boxes));
  if (head.half_logits) head.logits = RoundedToHalves(std::move(head.logits));
  return head;
}

std::vector<Detections> Expected(const Head& head, const Thresholds& thresholds, const Limits& limits) {
  std::vector<Detections> expected;
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    detection::QueriesHead one;
    one.queries = head.queries;
    one.classes = head.classes;
    one.boxes = {head.boxes.data() + picture * head.queries * 4, 4, 1};
    one.logits = {head.logits.data() + picture * head.queries * head.classes, head.classes, 1};
    one.class_mapping = head.mapping;
    one.class_mapping.resize(head.classes, -1);
    expected.push_back(detection::SelectQueries(one, thresholds, limits.max_detections));
  }
  return expected;
}

DeviceQueriesHead OnDevice(const Head& head, cuda::DeviceAddress boxes, cuda::DeviceAddress logits) {
  DeviceQueriesHead device;
  device.pictures = head.pictures;
  device.queries = head.queries;
  device.classes = head.classes;
  device.boxes = {boxes, head.boxes.size(), {0, 4, 1}, head.queries * 4, head.half_boxes};
  device.logits = {logits, head.logits.size(), {0, head.classes, 1}, head.queries * head.classes, head.half_logits};
  device.class_mapping = head.mapping;
  return device;
}

class QueriesTest : public DetectorFixture {
 protected:
  static Status Run(Bench& bench, const Head& head, const Thresholds& thresholds, const Limits& limits,
                    std::vector<Detections>& found) {
    const auto upload = [&](const std::vector<float>& values, bool half) {
      return half ? bench.Upload(ToHalves(values)) : bench.Upload(values);
    };
    const Result<cuda::DeviceBuffer> boxes = upload(head.boxes, head.half_boxes);
    if (!boxes.ok()) return boxes.status();
    const Result<cuda::DeviceBuffer> logits = upload(head.logits, head.half_logits);
    if (!logits.ok()) return logits.status();
    Detector detector(bench.resources, bench.kernels, *bench.stream);
    IM_RETURN_IF_ERROR(detector.Prepare(OnDevice(head, boxes.value().address(), logits.value().address()), thresholds, limits));
    return bench.Finish(detector, found);
  }
};

TEST_F(QueriesTest, FindsWhatTheCpuFinds) {
  std::mt19937 random(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t total = 0;
  for (int round = 0; round < 300; ++round) {
    const Head head = RandomHead(random, 1 + random() % 3, 1 + random() % 60, 1 + random() % 20);
    // Thresholds that everything passes, and ones that nothing does.
    std::vector<float> values{static_cast<float>(random() % 110) / 100.0f - 0.05f};
    if (random() % 3 == 0) {
      values.clear();
      for (std::size_t c = random() % (head.classes + 1); c > 0; --c)
        values.push_back(static_cast<float>(random() % 100) / 100.0f);
    }
    const Limits limits{std::nullopt, false, random() % 2 == 0 ? SIZE_MAX : random() % 40};
    std::vector<Detections> found;
    const Status status = Run(bench, head, Thresholds(values), limits, found);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::vector<Detections> expected = Expected(head, Thresholds(values), limits);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t picture = 0; picture < found.size(); ++picture) {
      EXPECT_EQ(Bits(found[picture]), Bits(expected[picture])) << "round " << round << ", picture " << picture;
      total += found[picture].size();
    }
  }
  EXPECT_GT(total, 5000u) << "the rounds compare next to nothing";
}

TEST_F(QueriesTest, EqualScoresKeepTheirOrder) {
  const Head head{1, 5, 3, std::vector<float>(20, 0.5f), std::vector<float>(15, 2.0f), {0, -1, 2}, false, true};
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Detections> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({0.5f}), {}, found).ok());
  // The first five pairs, of which the dropped class takes two.
  EXPECT_EQ(found[0].indices, (std::vector<std::int32_t>{0, 0, 1}));
  EXPECT_EQ(found[0].class_ids, (std::vector<std::int32_t>{0, 2, 0}));
}

TEST_F(QueriesTest, NothingNeedsToBeFound) {
  std::mt19937 random(3);
  Head head = RandomHead(random, 2, 30, 4);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Detections> found;
  const auto nothing = [&] { return found.size() == 2 && found[0].size() + found[1].size() == 0; };
  ASSERT_TRUE(Run(bench, head, Thresholds({INFINITY}), {}, found).ok());
  EXPECT_TRUE(nothing());
  ASSERT_TRUE(Run(bench, head, Thresholds(std::vector<float>{}), {}, found).ok());
  EXPECT_TRUE(nothing()) << "no class has a threshold";
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), {std::nullopt, false, 0}, found).ok());
  EXPECT_TRUE(nothing()) << "none are wanted";
  head.mapping.clear();
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), {}, found).ok());
  EXPECT_TRUE(nothing()) << "no class is reported";
}

TEST_F(QueriesTest, RefusesWhatDoesNotFitItsMemory) {
  std::mt19937 random(4);
  const Head head = RandomHead(random, 2, 20, 3);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  Detector detector(bench.resources, bench.kernels, *bench.stream);
  EXPECT_FALSE(detector.Enqueue().ok()) << "nothing is prepared";
  const auto refused = [&](auto change) {
    DeviceQueriesHead device = OnDevice(head, 4096, 8192);
    change(device);
    return detector.Prepare(device, Thresholds({0.5f}), {}).code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](DeviceQueriesHead&) {}));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.pictures = 0; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.pictures = 3; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.queries = 0; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.queries = 21; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.queries = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.classes = 0; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.classes = 4; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.logits.layout = {0, 1, 20}; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.boxes.layout.offset = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.logits.length -= 1; }));
  EXPECT_TRUE(refused([](DeviceQueriesHead& device) { device.logits.address += 1; }));
  EXPECT_FALSE(detector.Enqueue().ok()) << "what was refused is not prepared";
}

TEST_F(QueriesTest, SurvivesTheFailureOfEveryCall) {
  std::mt19937 random(5);
  const Head head = RandomHead(random, 2, 50, 3);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    std::vector<Detections> found;
    return Run(bench, head, Thresholds({0.4f}), {}, found);
  });
}

}  // namespace
}  // namespace im::kernels
