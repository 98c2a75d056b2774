#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "detection/nms.h"
#include "fakes/detector_fixture.h"

namespace im::kernels {
namespace {

using detection::BoxFormat;
using detection::Detections;
using detection::Limits;
using detection::MatrixLayout;
using detection::ObjectnessUse;
using detection::Thresholds;

// One output with all of it, attributes in rows or candidates in rows: boxes, objectness where there is one, classes.
struct Head {
  std::size_t pictures = 1;
  std::size_t candidates = 0;
  std::size_t classes = 0;
  ObjectnessUse use = ObjectnessUse::kNone;
  BoxFormat format = BoxFormat::kCenterSize;
  bool transposed = false;
  // Which of boxes, scores and objectness a device is given in float16.
  bool half_boxes = false;
  bool half_scores = false;
  bool half_objectness = false;
  bool half_priors = false;
  std::vector<float> data;
  std::vector<float> priors;  // with kOffsets

  std::size_t first_class() const { return use == ObjectnessUse::kNone ? 4 : 5; }
  std::size_t attributes() const { return first_class() + classes; }
  std::size_t per_picture() const { return candidates * attributes(); }
  MatrixLayout layout(std::size_t attribute) const {
    return transposed ? MatrixLayout{attribute, attributes(), 1} : MatrixLayout{attribute * candidates, 1, candidates};
  }
  float& at(std::size_t picture, std::size_t candidate, std::size_t attribute) {
    const MatrixLayout place = layout(attribute);
    return data[picture * per_picture() + place.offset + candidate * place.candidate_stride];
  }
};

constexpr detection::InputSize kInputSize{64, 48};

Head RandomHead(std::mt19937& random, std::size_t pictures, std::size_t candidates, std::size_t classes, ObjectnessUse use) {
  Head head;
  head.pictures = pictures;
  head.candidates = candidates;
  head.classes = classes;
  head.use = use;
  head.transposed = random() % 2 == 0;
  head.format = static_cast<BoxFormat>(random() % 3);
  head.data.resize(pictures * head.per_picture());
  const auto fraction = [&] { return static_cast<float>(random() % 1000) / 1000.0f; };
  for (std::size_t picture = 0; picture < pictures; ++picture) {
    for (std::size_t i = 0; i < candidates; ++i) {
      for (std::size_t a = 0; a < 4; ++a) {
        head.at(picture, i, a) = head.format == BoxFormat::kOffsets
                                     ? fraction() * 8 - 4
                                     : fraction() * 60 + (head.format == BoxFormat::kCorners && a >= 2 ? 40.0f : 0.0f);
      }
      for (std::size_t a = 4; a < head.attributes(); ++a) {
        float score = use == ObjectnessUse::kProduct ? fraction() * 12 - 6 : fraction();
        if (random() % 50 == 0) score = (std::vector<float>{std::nanf(""), -INFINITY, 0.0f, -0.0f, 0.5f, INFINITY})[random() % 6];
        head.at(picture, i, a) = score;
      }
      // Too small for ordinary numbers of float16.
      if (random() % 20 == 0) head.at(picture, i, random() % 4) = 3e-6f * fraction();
      if (random() % 50 == 0) head.at(picture, i, random() % 4) = random() % 2 == 0 ? -INFINITY : std::nanf("");
    }
  }
  if (head.format == BoxFormat::kOffsets) {
    for (std::size_t i = 0; i < candidates * 4; ++i) head.priors.push_back(fraction());
    head.half_priors = random() % 2 == 0;
    if (head.half_priors) head.priors = RoundedToHalves(std::move(head.priors));
  }
  if (random() % 2 == 0) {
    head.data = RoundedToHalves(std::move(head.data));
    head.half_boxes = random() % 3 != 0;
    head.half_scores = random() % 3 != 0;
    head.half_objectness = random() % 3 != 0;
  }
  return head;
}

std::vector<Detections> Expected(const Head& head, const Thresholds& thresholds, const Limits& limits) {
  std::vector<Detections> expected;
  for (std::size_t picture = 0; picture < head.pictures; ++picture) {
    const auto matrix = [&](std::size_t attribute) {
      const MatrixLayout place = head.layout(attribute);
      return detection::Matrix{head.data.data() + picture * head.per_picture() + place.offset, place.candidate_stride,
                               place.attribute_stride};
    };
    detection::DenseHead dense;
    dense.candidates = head.candidates;
    dense.classes = head.classes;
    dense.boxes = matrix(0);
    dense.box_format = head.format;
    dense.priors = {head.priors.data(), 4, 1};
    dense.input_size = kInputSize;
    dense.scores = matrix(head.first_class());
    dense.objectness = matrix(4);
    dense.objectness_use = head.use;
    expected.push_back(detection::SelectBest(detection::GatherDense(dense, thresholds), limits));
  }
  return expected;
}

class DetectorTest : public DetectorFixture {
 protected:
  static DeviceDenseHead OnDevice(const Head& head, cuda::DeviceAddress address, cuda::DeviceAddress halves,
                                  cuda::DeviceAddress priors) {
    const auto matrix = [&](std::size_t attribute, bool half) {
      return DeviceMatrix{half ? halves : address, head.data.size(), head.layout(attribute), head.per_picture(), half};
    };
    DeviceDenseHead device;
    device.pictures = head.pictures;
    device.candidates = head.candidates;
    device.classes = head.classes;
    device.boxes = matrix(0, head.half_boxes);
    device.box_format = head.format;
    device.priors = {priors, head.priors.size(), {0, 4, 1}, 0, head.half_priors};
    device.input_size = kInputSize;
    device.scores = matrix(head.first_class(), head.half_scores);
    device.objectness = matrix(4, head.half_objectness);
    device.objectness_use = head.use;
    return device;
  }

  static Status Run(Bench& bench, const Head& head, const Thresholds& thresholds, const Limits& limits,
                    std::vector<Detections>& found) {
    const Result<cuda::DeviceBuffer> memory = bench.Upload(head.data);
    if (!memory.ok()) return memory.status();
    const Result<cuda::DeviceBuffer> halves = bench.Upload(ToHalves(head.data));
    if (!halves.ok()) return halves.status();
    const Result<cuda::DeviceBuffer> priors = head.half_priors ? bench.Upload(ToHalves(head.priors)) : bench.Upload(head.priors);
    if (!priors.ok()) return priors.status();
    const DeviceDenseHead device = OnDevice(head, memory.value().address(), halves.value().address(), priors.value().address());
    Detector detector(bench.resources, bench.kernels, *bench.stream);
    IM_RETURN_IF_ERROR(detector.Prepare(device, thresholds, limits));
    return bench.Finish(detector, found);
  }

  static Status OpenAndRun(const Head& head, std::vector<Detections>& found) {
    Bench bench;
    IM_RETURN_IF_ERROR(bench.Open());
    return Run(bench, head, Thresholds({0.4f}), {0.5f, false, 30}, found);
  }
};

TEST_F(DetectorTest, FindsWhatTheCpuFinds) {
  std::mt19937 random(1);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::size_t total = 0;
  for (int round = 0; round < 300; ++round) {
    const auto use = static_cast<ObjectnessUse>(random() % 3);
    const Head head = RandomHead(random, 1 + random() % 3, 1 + random() % 500, 1 + random() % 12, use);
    std::vector<float> values{static_cast<float>(random() % 100) / 100.0f};
    if (random() % 3 == 0) {
      values.clear();
      // Fewer than there are classes at times: the others never pass.
      for (std::size_t c = random() % (head.classes + 1); c > 0; --c)
        values.push_back(static_cast<float>(random() % 100) / 100.0f);
    }
    Limits limits{0.5f, random() % 2 == 0, random() % 3 == 0 ? SIZE_MAX : random() % 100};
    if (random() % 5 == 0) limits.iou_threshold.reset();
    if (random() % 5 == 0) limits.iou_threshold = 0.0f;
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

TEST_F(DetectorTest, EqualScoresKeepTheirOrder) {
  std::mt19937 random(2);
  Head head = RandomHead(random, 1, 200, 2, ObjectnessUse::kNone);
  for (std::size_t i = 0; i < head.candidates; ++i) {
    head.at(0, i, 4) = 0.75f;
    head.at(0, i, 5) = 0.75f;
  }
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Detections> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({0.5f}), {std::nullopt, false, SIZE_MAX}, found).ok());
  ASSERT_EQ(found[0].size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(found[0].indices[i], static_cast<std::int32_t>(i));
    EXPECT_EQ(found[0].class_ids[i], 0) << "the first of equal classes";
  }
}

TEST_F(DetectorTest, NothingNeedsToBeFound) {
  std::mt19937 random(3);
  const Head head = RandomHead(random, 2, 50, 3, ObjectnessUse::kGate);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Detections> found;
  ASSERT_TRUE(Run(bench, head, Thresholds({INFINITY}), {0.5f, false, 10}, found).ok());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].size() + found[1].size(), 0u);
  ASSERT_TRUE(Run(bench, head, Thresholds(std::vector<float>{}), {0.5f, false, 10}, found).ok());
  EXPECT_EQ(found[0].size() + found[1].size(), 0u) << "no class has a threshold";
  ASSERT_TRUE(Run(bench, head, Thresholds({0.1f}), {0.5f, false, 0}, found).ok());
  EXPECT_EQ(found[0].size() + found[1].size(), 0u) << "none are wanted";
}

TEST_F(DetectorTest, RefusesWhatDoesNotFitItsMemory) {
  std::mt19937 random(4);
  Head head = RandomHead(random, 2, 20, 3, ObjectnessUse::kGate);
  head.half_boxes = head.half_scores = head.half_objectness = head.half_priors = false;
  head.format = BoxFormat::kOffsets;
  head.priors.assign(80, 0.5f);
  Bench bench;
  ASSERT_TRUE(bench.Open().ok());
  Detector detector(bench.resources, bench.kernels, *bench.stream);
  EXPECT_FALSE(detector.Enqueue().ok()) << "nothing is prepared";
  const auto refused = [&](auto change) {
    DeviceDenseHead device = OnDevice(head, 4096, 0, 8192);
    change(device);
    const Status status = detector.Prepare(device, Thresholds({0.5f}), {});
    return status.code() == Code::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](DeviceDenseHead&) {}));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.pictures = 0; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.pictures = 3; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.candidates = 21; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.candidates = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.classes = 4; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.boxes.layout.candidate_stride = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.scores.length -= 1; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.scores.per_picture = SIZE_MAX; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.objectness.layout.offset += 1000; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.boxes.address += 1; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.boxes.address += 2; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.priors.length -= 1; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.priors.layout.candidate_stride = 5; }));
  EXPECT_TRUE(refused([](DeviceDenseHead& device) { device.priors.address += 2; }));
  const auto in_halves = [](DeviceDenseHead& device) { device.boxes.half = true; };
  EXPECT_FALSE(refused([&](DeviceDenseHead& device) { in_halves(device), device.boxes.address += 2; }));
  EXPECT_TRUE(refused([&](DeviceDenseHead& device) { in_halves(device), device.boxes.address += 1; }));
}

TEST_F(DetectorTest, SurvivesTheFailureOfEveryCall) {
  std::mt19937 random(5);
  const Head head = RandomHead(random, 2, 100, 3, ObjectnessUse::kNone);
  std::vector<Detections> found;
  ExpectToSurviveEveryFailure([&] { return OpenAndRun(head, found); });
}

}  // namespace
}  // namespace im::kernels
