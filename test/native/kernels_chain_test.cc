// Detections and their masks in one go: what one kernel leaves on the device is what the next reads.
#include <vector>

#include "detection/nms.h"
#include "fakes/mask_fixture.h"
#include "kernels/detector.h"

namespace im::kernels {
namespace {

constexpr std::size_t kPictures = 2;
constexpr std::size_t kCandidates = 60;
constexpr std::size_t kClasses = 3;
constexpr std::size_t kChannels = 32;
constexpr std::size_t kSide = 16;  // of the prototypes; the network's input is four times as large
constexpr std::size_t kAttributes = 4 + kClasses + kChannels;

// What a network gives: [pictures, attributes, candidates] and [pictures, channels, side, side].
struct Outputs {
  std::vector<float> head;
  std::vector<float> prototypes;
};

Outputs RandomOutputs(Random& random) {
  Outputs outputs{std::vector<float>(kPictures * kAttributes * kCandidates),
                  std::vector<float>(kPictures * kChannels * kSide * kSide)};
  for (std::size_t i = 0; i < outputs.head.size(); ++i) {
    const std::size_t attribute = i / kCandidates % kAttributes;
    if (attribute < 4) outputs.head[i] = static_cast<float>(random.Between(4, 60));
    else if (attribute < 4 + kClasses) outputs.head[i] = static_cast<float>(random.Between(0, 100)) / 100.0f;
    else outputs.head[i] = random.Number();
  }
  for (float& value : outputs.prototypes) value = random.Number();
  return outputs;
}

detection::MatrixLayout Attribute(std::size_t attribute) { return {attribute * kCandidates, 1, kCandidates}; }

class ChainTest : public MaskAssemblerTest {
 protected:
  static std::vector<MaskRuns> ExpectedMasks(const Outputs& outputs, const detection::Limits& limits,
                                             const std::vector<MaskTarget>& targets) {
    std::vector<MaskRuns> expected;
    for (std::size_t picture = 0; picture < kPictures; ++picture) {
      const auto matrix = [&](std::size_t attribute) {
        return detection::Matrix{outputs.head.data() + (picture * kAttributes + attribute) * kCandidates, 1, kCandidates};
      };
      detection::DenseHead head;
      head.candidates = kCandidates;
      head.classes = kClasses;
      head.boxes = matrix(0);
      head.scores = matrix(4);
      const detection::Detections detections =
          detection::SelectBest(detection::GatherDense(head, detection::Thresholds({0.6f})), limits);
      masks::MaskHead mask_head;
      mask_head.width = mask_head.height = kSide;
      mask_head.channels = kChannels;
      mask_head.planes = {outputs.prototypes.data() + picture * kChannels * kSide * kSide, 1, kSide * kSide};
      mask_head.coefficients = matrix(4 + kClasses);
      mask_head.sigmoid = true;
      expected.push_back(masks::DecodeMasks(mask_head, {detections.indices, detections.boxes, 0.25f}, targets[picture]));
    }
    return expected;
  }

  static DeviceDenseHead DenseHead(cuda::DeviceAddress address) {
    const auto matrix = [&](std::size_t attribute) {
      return DeviceMatrix{address, kPictures * kAttributes * kCandidates, Attribute(attribute), kAttributes * kCandidates};
    };
    DeviceDenseHead head;
    head.pictures = kPictures;
    head.candidates = kCandidates;
    head.classes = kClasses;
    head.boxes = matrix(0);
    head.scores = matrix(4);
    return head;
  }

  static DeviceMaskHead MaskHead(cuda::DeviceAddress outputs, cuda::DeviceAddress prototypes) {
    DeviceMaskHead head;
    head.width = head.height = kSide;
    head.channels = kChannels;
    head.planes = {prototypes, kPictures * kChannels * kSide * kSide, {0, 1, kSide * kSide}, kChannels * kSide * kSide};
    head.coefficients =
        DeviceMatrix{outputs, kPictures * kAttributes * kCandidates, Attribute(4 + kClasses), kAttributes * kCandidates};
    head.candidates = kCandidates;
    head.sigmoid = true;
    return head;
  }
};

TEST_F(ChainTest, OneGraphFindsInstancesAndTheirMasks) {
  Random random(9);
  Bench bench;
  ASSERT_TRUE(Open(bench).ok());
  const Result<std::shared_ptr<const DetectionKernels>> detection_kernels = DetectionKernels::Load(bench.resources->device);
  ASSERT_TRUE(detection_kernels.ok());
  const cuda::Device& device = *bench.resources->device;
  // Memory that captured copies and kernels go on using.
  Outputs outputs = RandomOutputs(random);
  const Result<cuda::DeviceAddress> head_memory = bench.Upload(outputs.head);
  const Result<cuda::DeviceAddress> prototype_memory = bench.Upload(outputs.prototypes);
  ASSERT_TRUE(head_memory.ok() && prototype_memory.ok());
  const cuda::DeviceAddress head = head_memory.value();
  const cuda::DeviceAddress prototypes = prototype_memory.value();

  const detection::Limits limits{0.5f, false, 20};
  Detector detector(bench.resources, detection_kernels.value(), *bench.stream);
  ASSERT_TRUE(detector.Prepare(DenseHead(head), detection::Thresholds({0.6f}), limits).ok());
  MaskAssembler assembler(bench.resources, bench.kernels, *bench.stream);
  const auto prepare = [&](const std::vector<MaskTarget>& targets) {
    return assembler.Prepare(MaskHead(head, prototypes), detector.found(), MaskCut{0.25f}, targets);
  };
  // Of different sizes, one trimmed as a letterbox is.
  std::vector<MaskTarget> targets = {{{}, {90, 70}, 0, 0, {90, 70}, 0.5f}, {{0, 3, 0, 3}, {64, 40}, 5, 6, {80, 60}, 0.5f}};
  ASSERT_TRUE(prepare(targets).ok());
  ASSERT_TRUE(bench.stream->Synchronize().ok());
  Result<cuda::Graph> graph = cuda::Graph::Capture(*bench.stream, [&]() -> Status {
    IM_RETURN_IF_ERROR(detector.Enqueue());
    return assembler.Enqueue();
  });
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  const MaskLaunch captured = assembler.launch();

  std::size_t runs = 0;
  for (int round = 0; round < 20; ++round) {
    outputs = RandomOutputs(random);
    for (MaskTarget& target : targets) target.resize.width = random.Between(20, 70);
    ASSERT_TRUE(prepare(targets).ok());
    ASSERT_TRUE(assembler.launch() == captured) << "pictures of other sizes do not make another graph";
    const auto upload = [&](cuda::DeviceAddress address, const std::vector<float>& values) {
      return device.Check(
          device.table().cuMemcpyHtoDAsync_v2(address, values.data(), values.size() * sizeof(float), bench.stream->get()),
          "cuMemcpyHtoDAsync");
    };
    ASSERT_TRUE(upload(head, outputs.head).ok());
    ASSERT_TRUE(upload(prototypes, outputs.prototypes).ok());
    ASSERT_TRUE(graph.value().Launch(*bench.stream).ok());
    ASSERT_TRUE(bench.stream->Synchronize().ok());
    const std::vector<PictureMasks> found = assembler.Results();
    ExpectEqual(found, ExpectedMasks(outputs, limits, targets));
    for (const PictureMasks& masks : found) runs += masks.masks.runs.size();
  }
  EXPECT_GT(runs, 20000u) << "the rounds compare next to nothing";
  ExpectLaunches(20);
}

}  // namespace
}  // namespace im::kernels
