// Queries with key points on the device: what detection::DecodeKeyPointQueries finds, to the bit.
#include <cmath>
#include <random>
#include <vector>

#include "fakes/detector_fixture.h"
#include "kernels/key_point_queries.h"

namespace im::kernels {
namespace {

using detection::Instances;
using detection::Thresholds;

struct Head {
  std::size_t pictures = 1;
  std::size_t queries = 1;
  std::size_t classes = 1;
  std::size_t slots = 1;
  std::size_t numbers = detection::kNumbersAQueryPoint;
  std::vector<float> boxes, logits, points;
  bool halves = false;  // instead of the last two in float32
  std::vector<std::int32_t> mapping;
  std::vector<detection::KeyPointScale> scales;

  std::size_t points_per_picture() const { return queries * classes * slots * numbers; }
};

void Fill(std::mt19937& random, Head& head) {
  // Few values at times, so that many are equal.
  const unsigned steps = random() % 2 == 0 ? 4 : 4000;
  const auto numbers = [&](std::size_t count, float least, float most) {
    std::vector<float> values(count);
    for (float& value : values) {
      value = least + (most - least) * static_cast<float>(random() % steps) / static_cast<float>(steps);
      if (random() % 1500 == 0) value = (std::vector<float>{NAN, -INFINITY, INFINITY, -0.0f, 800.0f, -800.0f})[random() % 6];
    }
    return values;
  };
  head.boxes = numbers(head.pictures * head.queries * 4, 0, 1);
  head.logits = numbers(head.pictures * head.queries * head.classes, -8, 8);
  head.points = numbers(head.pictures * head.points_per_picture(), -1, 5);
  if (head.halves) {
    head.logits = RoundedToHalves(std::move(head.logits));
    head.points = RoundedToHalves(std::move(head.points));
  }
  head.mapping.clear();
  for (std::size_t c = 0; c < head.classes; ++c)
    head.mapping.push_back(random() % 4 == 0 ? -1 : static_cast<std::int32_t>(head.classes - 1 - c));
  if (random() % 4 == 0) head.mapping.pop_back();
  head.scales.clear();
  for (std::size_t i = 0; i < head.pictures; ++i) {
    const auto size = [&] { return static_cast<double>(1 + random() % 7000) / 7.0; };
    head.scales.push_back({size(), size(), size(), size()});
  }
}

Head RandomHead(std::mt19937& random, std::size_t pictures, std::size_t queries, std::size_t classes, std::size_t slots) {
  Head head{pictures, queries,           classes, slots, detection::kNumbersAQueryPoint + random() % 3, {}, {},
            {},       random() % 3 == 0, {},      {}};
  Fill(random, head);
  return head;
}

std::vector<Instances> Expected(const Head& head, const Thresholds& thresholds, std::size_t limit) {
  std::vector<Instances> expected;
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    detection::KeyPointQueriesHead one;
    one.queries = head.queries;
    one.classes = head.classes;
    one.slots = head.slots;
    one.boxes = {head.boxes.data() + picture * head.queries * 4, 4, 1};
    one.logits = {head.logits.data() + picture * head.queries * head.classes, head.classes, 1};
    one.points = {head.points.data() + picture * head.points_per_picture(), head.numbers, 1};
    one.class_mapping = head.mapping;
    one.class_mapping.resize(head.classes, -1);
    one.scale = head.scales[picture];
    expected.push_back(detection::DecodeKeyPointQueries(one, thresholds, limit));
  }
  return expected;
}

struct Addresses {
  cuda::DeviceAddress boxes, logits, points;
};

DeviceKeyPointQueriesHead OnDevice(const Head& head, const Addresses& addresses) {
  DeviceKeyPointQueriesHead device;
  device.pictures = head.pictures;
  device.queries = head.queries;
  device.classes = head.classes;
  device.slots = head.slots;
  device.boxes = {addresses.boxes, head.boxes.size(), {0, 4, 1}, head.queries * 4};
  device.logits = {addresses.logits, head.logits.size(), {0, head.classes, 1}, head.queries * head.classes, head.halves};
  device.points = {addresses.points, head.points.size(), {0, head.numbers, 1}, head.points_per_picture(), head.halves};
  device.class_mapping = head.mapping;
  device.scales = head.scales;
  return device;
}

class KeyPointQueriesTest : public DetectorFixture {
 protected:
  static Status Run(Bench& bench, const Head& head, const Thresholds& thresholds, std::size_t limit,
                    std::vector<Instances>& found) {
    const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
    if (!kernels.ok()) return kernels.status();
    const Result<cuda::DeviceBuffer> boxes = bench.Upload(head.boxes);
    if (!boxes.ok()) return boxes.status();
    const Result<cuda::DeviceBuffer> logits = head.halves ? bench.Upload(ToHalves(head.logits)) : bench.Upload(head.logits);
    if (!logits.ok()) return logits.status();
    const Result<cuda::DeviceBuffer> points = head.halves ? bench.Upload(ToHalves(head.points)) : bench.Upload(head.points);
    if (!points.ok()) return points.status();
    KeyPointQueriesDecoder decoder(bench.resources, kernels.value(), *bench.stream);
    IM_RETURN_IF_ERROR(decoder.Prepare(
        OnDevice(head, {boxes.value().address(), logits.value().address(), points.value().address()}), thresholds, limit));
    const Status enqueued = decoder.Enqueue();
    const Status waited = bench.stream->Synchronize();
    if (!enqueued.ok()) return enqueued;
    IM_RETURN_IF_ERROR(waited);
    found = decoder.Results();
    return {};
  }

  static void ExpectEqual(const std::vector<Instances>& found, const std::vector<Instances>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t picture = 0; picture < found.size(); ++picture) {
      EXPECT_EQ(Bits(found[picture].detections), Bits(expected[picture].detections)) << "picture " << picture;
      EXPECT_EQ(Bits(found[picture].key_points), Bits(expected[picture].key_points)) << "picture " << picture;
    }
  }
};

TEST_F(KeyPointQueriesTest, FindsWhatTheCpuFinds) {
  std::mt19937 random(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t total = 0;
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    const Head head = RandomHead(random, 1 + random() % 3, 1 + random() % 40, 1 + random() % 5, 1 + random() % 20);
    // Thresholds that everything passes, and ones that nothing does.
    std::vector<float> values{static_cast<float>(random() % 70) / 100.0f - 0.05f};
    if (random() % 3 == 0) {
      values.clear();
      for (std::size_t c = random() % (head.classes + 1); c > 0; --c)
        values.push_back(static_cast<float>(random() % 40) / 100.0f);
    }
    const std::size_t limit = random() % 2 == 0 ? SIZE_MAX : random() % 30;
    std::vector<Instances> found;
    const Status status = Run(bench, head, Thresholds(values), limit, found);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectEqual(found, Expected(head, Thresholds(values), limit));
    for (const Instances& picture : found) total += picture.detections.size();
  }
  EXPECT_GT(total, 3000u) << "the rounds compare next to nothing";
}

TEST_F(KeyPointQueriesTest, ManyPoints) {
  std::mt19937 random(2);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  // More points than the last launch has threads.
  const Head head = RandomHead(random, 1, 300, 3, 40);
  std::vector<Instances> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({-1.0f}), SIZE_MAX, found).ok());
  EXPECT_GT(found[0].key_points.confidence.size(), 64u * 128u);
  ExpectEqual(found, Expected(head, Thresholds({-1.0f}), SIZE_MAX));
}

TEST_F(KeyPointQueriesTest, EqualScoresKeepTheirOrder) {
  Head head{1,
            3,
            2,
            1,
            7,
            std::vector<float>(12, 0.5f),
            std::vector<float>(6, 2.0f),
            std::vector<float>(42, 1.0f),
            false,
            {0, -1},
            {{640, 480, 64, 48}}};
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Instances> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), 2, found).ok());
  // Pairs of the dropped class take no places.
  EXPECT_EQ(found[0].detections.indices, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(found[0].key_points.positions, (std::vector<float>{640, 480, 640, 480}));
}

TEST_F(KeyPointQueriesTest, NothingNeedsToBeFound) {
  std::mt19937 random(3);
  Head head = RandomHead(random, 2, 30, 4, 3);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Instances> found;
  const auto nothing = [&] {
    return found.size() == 2 && found[0].detections.size() + found[1].detections.size() == 0 &&
           found[0].key_points.confidence.empty();
  };
  ASSERT_TRUE(Run(bench, head, Thresholds({INFINITY}), SIZE_MAX, found).ok());
  EXPECT_TRUE(nothing());
  ASSERT_TRUE(Run(bench, head, Thresholds(std::vector<float>{}), SIZE_MAX, found).ok());
  EXPECT_TRUE(nothing()) << "no class has a threshold";
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), 0, found).ok());
  EXPECT_TRUE(nothing()) << "none are wanted";
  head.mapping.clear();
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), SIZE_MAX, found).ok());
  EXPECT_TRUE(nothing()) << "no class is reported";
}

TEST_F(KeyPointQueriesTest, OneGraphTakesOtherThresholdsClassesAndSizes) {
  std::mt19937 random(4);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
  ASSERT_TRUE(kernels.ok());
  Head head = RandomHead(random, 2, 30, 3, 4);
  head.halves = false;
  Fill(random, head);
  const Result<cuda::DeviceBuffer> boxes = bench.Upload(head.boxes);
  const Result<cuda::DeviceBuffer> logits = bench.Upload(head.logits);
  const Result<cuda::DeviceBuffer> points = bench.Upload(head.points);
  ASSERT_TRUE(boxes.ok() && logits.ok() && points.ok());
  const Addresses addresses{boxes.value().address(), logits.value().address(), points.value().address()};
  KeyPointQueriesDecoder decoder(bench.resources, kernels.value(), *bench.stream);
  ASSERT_TRUE(decoder.Prepare(OnDevice(head, addresses), Thresholds({0.5f}), 20).ok());
  ASSERT_TRUE(bench.stream->Synchronize().ok());
  Result<cuda::Graph> graph = cuda::Graph::Capture(*bench.stream, [&] { return decoder.Enqueue(); });
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::size_t total = 0;
  for (int round = 0; round < 20; ++round) {
    Fill(random, head);
    const Thresholds thresholds(round % 2 == 0 ? std::vector<float>{0.1f} : std::vector<float>{0.3f, 0.2f, 0.1f});
    ASSERT_TRUE(decoder.Prepare(OnDevice(head, addresses), thresholds, 20).ok());
    const cuda::Device& device = *bench.resources->device;
    const auto upload = [&](cuda::DeviceAddress address, const std::vector<float>& values) {
      return device.Check(
          device.table().cuMemcpyHtoDAsync_v2(address, values.data(), values.size() * sizeof(float), bench.stream->get()),
          "cuMemcpyHtoDAsync");
    };
    ASSERT_TRUE(upload(addresses.boxes, head.boxes).ok());
    ASSERT_TRUE(upload(addresses.logits, head.logits).ok());
    ASSERT_TRUE(upload(addresses.points, head.points).ok());
    ASSERT_TRUE(graph.value().Launch(*bench.stream).ok());
    ASSERT_TRUE(bench.stream->Synchronize().ok());
    const std::vector<Instances> found = decoder.Results();
    ExpectEqual(found, Expected(head, thresholds, 20));
    for (const Instances& picture : found) total += picture.detections.size();
  }
  EXPECT_GT(total, 300u) << "the rounds compare next to nothing";
}

TEST_F(KeyPointQueriesTest, RefusesWhatDoesNotFitItsMemory) {
  std::mt19937 random(5);
  Head head = RandomHead(random, 2, 20, 3, 4);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
  ASSERT_TRUE(kernels.ok());
  KeyPointQueriesDecoder decoder(bench.resources, kernels.value(), *bench.stream);
  EXPECT_FALSE(decoder.Enqueue().ok()) << "nothing is prepared";
  const auto refused = [&](auto change) {
    DeviceKeyPointQueriesHead device = OnDevice(head, {4096, 8192, 1 << 20});
    change(device);
    return decoder.Prepare(device, Thresholds({0.5f}), SIZE_MAX).code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](DeviceKeyPointQueriesHead&) {}));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.pictures = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.pictures = 3; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.queries = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.queries = 21; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.queries = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.classes = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.classes = 4; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.slots = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.slots = 5; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.slots = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.scales.pop_back(); }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.logits.layout = {0, 1, 20}; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.boxes.layout.offset = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.points.layout.candidate_stride = 100; }));
  EXPECT_TRUE(refused([](DeviceKeyPointQueriesHead& device) { device.points.address += 1; }));
  EXPECT_FALSE(decoder.Enqueue().ok()) << "what was refused is not prepared";
  EXPECT_TRUE(decoder.Results().empty());
}

TEST_F(KeyPointQueriesTest, SurvivesTheFailureOfEveryCall) {
  std::mt19937 random(6);
  const Head head = RandomHead(random, 2, 20, 3, 4);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    std::vector<Instances> found;
    return Run(bench, head, Thresholds({0.2f}), SIZE_MAX, found);
  });
}

}  // namespace
}  // namespace im::kernels
