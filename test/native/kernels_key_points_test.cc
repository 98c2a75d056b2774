// Key points on the device: what detection::GatherKeyPoints takes, to the bit.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "detection/nms.h"
#include "fakes/detector_fixture.h"
#include "kernels/key_point_gatherer.h"

namespace im::kernels {
namespace {

using detection::KeyPoints;
using detection::Limits;
using detection::Thresholds;

constexpr std::size_t kClasses = 3;

// A head [pictures, attributes, candidates] or [pictures, candidates, attributes]: box, scores of classes, points.
struct Head {
  std::size_t pictures = 1;
  std::size_t candidates = 1;
  std::size_t slots = 1;
  bool attributes_first = true;
  bool half = false;
  std::vector<float> values = {};

  std::size_t attributes() const { return 4 + kClasses + slots * detection::kNumbersAPoint; }
  std::size_t per_picture() const { return attributes() * candidates; }
  detection::MatrixLayout From(std::size_t attribute) const {
    return attributes_first ? detection::MatrixLayout{attribute * candidates, 1, candidates}
                            : detection::MatrixLayout{attribute, attributes(), 1};
  }
  detection::Matrix OnHost(std::size_t picture, std::size_t attribute) const {
    const detection::MatrixLayout layout = From(attribute);
    return {values.data() + picture * per_picture() + layout.offset, layout.candidate_stride, layout.attribute_stride};
  }
  DeviceMatrix OnDevice(cuda::DeviceAddress address, std::size_t attribute) const {
    return {address, values.size(), From(attribute), per_picture(), half};
  }
};

void Fill(std::mt19937& random, Head& head) {
  head.values.resize(head.pictures * head.per_picture());
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    for (std::size_t candidate = 0; candidate < head.candidates; ++candidate) {
      for (std::size_t attribute = 0; attribute < head.attributes(); ++attribute) {
        float value = static_cast<float>(random() % 1000) / (attribute < 4 ? 10.0f : 1000.0f);
        if (attribute >= 4 + kClasses && random() % 30 == 0)
          value = (std::vector<float>{std::nanf(""), INFINITY, -INFINITY, -0.0f, 1e-44f})[random() % 5];
        const detection::MatrixLayout layout = head.From(attribute);
        head.values[picture * head.per_picture() + layout.offset + candidate * layout.candidate_stride] = value;
      }
    }
  }
  if (head.half) head.values = RoundedToHalves(std::move(head.values));
}

DeviceDenseHead DenseHead(const Head& head, cuda::DeviceAddress address) {
  DeviceDenseHead dense;
  dense.pictures = head.pictures;
  dense.candidates = head.candidates;
  dense.classes = kClasses;
  dense.boxes = head.OnDevice(address, 0);
  dense.scores = head.OnDevice(address, 4);
  return dense;
}

DeviceKeyPointHead PointHead(const Head& head, cuda::DeviceAddress address) {
  return {head.OnDevice(address, 4 + kClasses), head.candidates, head.slots};
}

std::vector<KeyPoints> Expected(const Head& head, const Thresholds& thresholds, const Limits& limits) {
  std::vector<KeyPoints> expected;
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    detection::DenseHead dense;
    dense.candidates = head.candidates;
    dense.classes = kClasses;
    dense.boxes = head.OnHost(picture, 0);
    dense.scores = head.OnHost(picture, 4);
    const detection::Detections found = detection::SelectBest(detection::GatherDense(dense, thresholds), limits);
    expected.push_back(detection::GatherKeyPoints(head.OnHost(picture, 4 + kClasses), found.indices, head.slots));
  }
  return expected;
}

class KeyPointGathererTest : public DetectorFixture {
 protected:
  struct Stages {
    explicit Stages(const Bench& bench, std::shared_ptr<const KeyPointKernels> kernels)
        : detector(bench.resources, bench.kernels, *bench.stream), gatherer(bench.resources, std::move(kernels), *bench.stream) {}

    Status Prepare(const Head& head, cuda::DeviceAddress address, const Thresholds& thresholds, const Limits& limits) {
      IM_RETURN_IF_ERROR(detector.Prepare(DenseHead(head, address), thresholds, limits));
      return gatherer.Prepare(PointHead(head, address), detector.found());
    }
    Status Enqueue() const {
      IM_RETURN_IF_ERROR(detector.Enqueue());
      return gatherer.Enqueue();
    }

    Detector detector;
    KeyPointGatherer gatherer;
  };

  static Status Run(Bench& bench, const Head& head, const Thresholds& thresholds, const Limits& limits,
                    std::vector<KeyPoints>& found) {
    const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
    if (!kernels.ok()) return kernels.status();
    const Result<cuda::DeviceBuffer> memory = head.half ? bench.Upload(ToHalves(head.values)) : bench.Upload(head.values);
    if (!memory.ok()) return memory.status();
    Stages stages(bench, kernels.value());
    IM_RETURN_IF_ERROR(stages.Prepare(head, memory.value().address(), thresholds, limits));
    const Status enqueued = stages.Enqueue();
    const Status waited = bench.stream->Synchronize();
    if (!enqueued.ok()) return enqueued;
    IM_RETURN_IF_ERROR(waited);
    found = stages.gatherer.Results();
    return {};
  }

  static void ExpectEqual(const std::vector<KeyPoints>& found, const std::vector<KeyPoints>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t picture = 0; picture < found.size(); ++picture)
      EXPECT_EQ(Bits(found[picture]), Bits(expected[picture])) << "picture " << picture;
  }
};

TEST_F(KeyPointGathererTest, TakesThePointsThatTheCpuTakes) {
  std::mt19937 random(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t points = 0;
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    Head head{1 + random() % 3, 1 + random() % 80, 1 + random() % 40, random() % 2 == 0, random() % 3 == 0};
    Fill(random, head);
    const Thresholds thresholds({static_cast<float>(random() % 110) / 100.0f - 0.05f});
    const Limits limits{0.6f, random() % 2 == 0, random() % 2 == 0 ? SIZE_MAX : random() % 30};
    std::vector<KeyPoints> found;
    const Status status = Run(bench, head, thresholds, limits, found);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectEqual(found, Expected(head, thresholds, limits));
    for (const KeyPoints& picture : found) points += picture.confidence.size();
  }
  EXPECT_GT(points, 20000u) << "the rounds compare next to nothing";
}

TEST_F(KeyPointGathererTest, ManyInstancesAndPoints) {
  std::mt19937 random(2);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  // More numbers than the launch has threads.
  Head head{1, 2000, 133, true};
  Fill(random, head);
  std::vector<KeyPoints> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({0.01f}), {}, found).ok());
  EXPECT_GT(found[0].confidence.size(), 100000u);
  ExpectEqual(found, Expected(head, Thresholds({0.01f}), {}));
}

TEST_F(KeyPointGathererTest, NothingNeedsToBeFound) {
  std::mt19937 random(3);
  Head head{2, 20, 5, false};
  Fill(random, head);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<KeyPoints> found;
  for (const Limits& limits : {Limits{}, Limits{std::nullopt, false, 0}}) {
    ASSERT_TRUE(Run(bench, head, Thresholds({limits.max_detections == 0 ? 0.0f : INFINITY}), limits, found).ok());
    ASSERT_EQ(found.size(), 2u);
    for (const KeyPoints& picture : found) EXPECT_TRUE(picture.positions.empty() && picture.confidence.empty());
  }
}

TEST_F(KeyPointGathererTest, OneGraphFindsInstancesAndTheirPoints) {
  std::mt19937 random(4);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
  ASSERT_TRUE(kernels.ok());
  Head head{2, 60, 17, true};
  Fill(random, head);
  const Result<cuda::DeviceBuffer> memory = bench.Upload(head.values);
  ASSERT_TRUE(memory.ok());
  const Limits limits{0.5f, false, 20};
  Stages stages(bench, kernels.value());
  ASSERT_TRUE(stages.Prepare(head, memory.value().address(), Thresholds({0.6f}), limits).ok());
  ASSERT_TRUE(bench.stream->Synchronize().ok());
  Result<cuda::Graph> graph = cuda::Graph::Capture(*bench.stream, [&] { return stages.Enqueue(); });
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  std::size_t points = 0;
  for (int round = 0; round < 20; ++round) {
    Fill(random, head);
    const Thresholds thresholds({0.5f + static_cast<float>(round) / 50.0f});
    ASSERT_TRUE(stages.Prepare(head, memory.value().address(), thresholds, limits).ok());
    const cuda::Device& device = *bench.resources->device;
    ASSERT_TRUE(device
                    .Check(device.table().cuMemcpyHtoDAsync_v2(memory.value().address(), head.values.data(),
                                                               head.values.size() * sizeof(float), bench.stream->get()),
                           "cuMemcpyHtoDAsync")
                    .ok());
    ASSERT_TRUE(graph.value().Launch(*bench.stream).ok());
    ASSERT_TRUE(bench.stream->Synchronize().ok());
    const std::vector<KeyPoints> found = stages.gatherer.Results();
    ExpectEqual(found, Expected(head, thresholds, limits));
    for (const KeyPoints& picture : found) points += picture.confidence.size();
  }
  EXPECT_GT(points, 1000u) << "the rounds compare next to nothing";
  ExpectLaunches(20);
}

// What no detector leaves behind.
TEST_F(KeyPointGathererTest, ReadsNothingOfCandidatesThatDoNotExist) {
  std::mt19937 random(5);
  Head head{1, 4, 2, false};
  Fill(random, head);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
  const Result<cuda::DeviceBuffer> memory = bench.Upload(head.values);
  ASSERT_TRUE(kernels.ok() && memory.ok());
  const std::vector<std::int32_t> candidates{3, -1, 4, 1 << 30};
  // Found, then their count, which is more than there is room for.
  std::vector<float> words(4 * sizeof(Found) / sizeof(float) + 1);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Found found{{}, 0.5f, 0, candidates[i], 0};
    std::memcpy(words.data() + i * sizeof(Found) / sizeof(float), &found, sizeof found);
  }
  const std::int32_t count = 1000;
  std::memcpy(&words.back(), &count, sizeof count);
  const Result<cuda::DeviceBuffer> found_memory = bench.Upload(words);
  ASSERT_TRUE(found_memory.ok());
  const cuda::DeviceAddress found = found_memory.value().address();
  KeyPointGatherer gatherer(bench.resources, kernels.value(), *bench.stream);
  ASSERT_TRUE(gatherer.Prepare(PointHead(head, memory.value().address()), {found, 4, found + 4 * sizeof(Found), 1, 4, 4}).ok());
  ASSERT_TRUE(gatherer.Enqueue().ok());
  ASSERT_TRUE(bench.stream->Synchronize().ok());
  const KeyPoints expected = detection::GatherKeyPoints(head.OnHost(0, 4 + kClasses), {3}, 2);
  const std::vector<KeyPoints> results = gatherer.Results();
  ASSERT_EQ(results[0].confidence.size(), 8u);
  const KeyPoints first_two{{}, {results[0].confidence.begin(), results[0].confidence.begin() + 2}, {}};
  EXPECT_EQ(Bits(first_two), Bits(KeyPoints{{}, expected.confidence, {}}));
  EXPECT_EQ(std::count(results[0].confidence.begin() + 2, results[0].confidence.end(), 0.0f), 6);
}

TEST_F(KeyPointGathererTest, RefusesWhatDoesNotFitItsMemory) {
  std::mt19937 random(6);
  Head head{2, 20, 5, true};
  Fill(random, head);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  const Result<std::shared_ptr<const KeyPointKernels>> kernels = KeyPointKernels::Load(bench.resources->device);
  ASSERT_TRUE(kernels.ok());
  KeyPointGatherer gatherer(bench.resources, kernels.value(), *bench.stream);
  EXPECT_FALSE(gatherer.Enqueue().ok()) << "nothing is prepared";
  const DeviceFound good{4096, 40, 8192, 2, 20, 20};
  const auto refused = [&](auto change) {
    DeviceKeyPointHead points = PointHead(head, 1 << 20);
    DeviceFound found = good;
    change(points, found);
    return gatherer.Prepare(points, found).code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](DeviceKeyPointHead&, DeviceFound&) {}));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.slots = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.slots = 6; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.slots = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.candidates = 19; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.candidates = 21; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.attributes.length -= 1; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead& points, DeviceFound&) { points.attributes.address += 2; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found.pictures = 0; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found.pictures = 3; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found.limit = 21; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found.limit = found.length = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found.counts += 1; }));
  EXPECT_TRUE(refused([](DeviceKeyPointHead&, DeviceFound& found) { found = {}; })) << "nothing was to be found";
  EXPECT_FALSE(gatherer.Enqueue().ok()) << "what was refused is not prepared";
  EXPECT_TRUE(gatherer.Results().empty());
}

TEST_F(KeyPointGathererTest, SurvivesTheFailureOfEveryCall) {
  std::mt19937 random(7);
  Head head{2, 50, 3, true};
  Fill(random, head);
  ExpectToSurviveEveryFailure([&]() -> Status {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    std::vector<KeyPoints> found;
    return Run(bench, head, Thresholds({0.4f}), {}, found);
  });
}

}  // namespace
}  // namespace im::kernels
