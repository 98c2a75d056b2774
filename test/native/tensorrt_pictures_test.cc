// Engines whose input the device prepares from pictures, on the stand-ins: TensorRT's returns its input, so outputs are what was
// prepared.
#include <cstring>
#include <random>

#include "fakes/cuda_fixture.h"
#include "fakes/fake_tensorrt.h"
#include "image/preprocess.h"
#include "kernels/half.h"
#include "tensorrt/executor.h"

namespace im::trt {
namespace {

constexpr int kWidth = 20;
constexpr int kHeight = 12;
constexpr char kPlan[] =
    "name detector\nscratch 4096\n"
    "in images 0 4 -1 3 12 20\nout echo 0 4 -1 3 12 20\n"
    "profile 0 images 4 1 3 12 20 2 3 12 20 4 3 12 20\n";
constexpr char kHalfPlan[] =
    "name detector\nscratch 0\n"
    "in images 1 4 -1 3 12 20\nout echo 1 4 -1 3 12 20\n"
    "profile 0 images 4 1 3 12 20 2 3 12 20 4 3 12 20\n";

struct OwnedPicture {
  std::vector<std::uint8_t> pixels;
  PreprocessSteps steps;

  kernels::Picture view() const {
    return {{pixels.data(), steps.source.width, steps.source.height, 3, ColorFormat::kBgr}, steps};
  }
  std::vector<float> prepared() const {
    std::vector<float> values(OutputLength(steps));
    const kernels::Picture picture = view();
    EXPECT_TRUE(Preprocess(picture.image, steps, values.data()).ok());
    return values;
  }
};

OwnedPicture MakePicture(int width, int height, unsigned seed, Filter filter = Filter::kLinear) {
  OwnedPicture picture;
  std::mt19937 random(seed);
  picture.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random() & 255);
  picture.steps.source = {width, height};
  picture.steps.crop = {0, 0, width, height};
  picture.steps.geometry = {ResizeStep{filter, kWidth - 4, kHeight, {kWidth, kHeight, 2, 0, 114}}};
  picture.steps.swap_channels = true;
  picture.steps.normalization.divisor = 255;
  picture.steps.output = {kWidth, kHeight};
  return picture;
}

class PicturesTest : public cuda::FakeDriverTest {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    LibrarySearch search = InferSearch(Kind::kFull, 10, std::string(IM_FAKES) + "/trt10.15");
    search.ask_loader = false;
    search.folders.clear();
    Result<InferLibrary> opened = InferLibrary::Open(Kind::kFull, search);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    library_ = std::make_unique<InferLibrary>(std::move(opened.value()));
  }

  Result<std::unique_ptr<Executor>> MakeExecutor(const char* lines, bool with_kernel = true) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    const std::string plan = FakePlan(10, 15, 1, 1, lines);
    const Result<std::shared_ptr<const Engine>> engine = Engine::Load(*library_, resources.value(), plan.data(), plan.size(), {});
    if (!engine.ok()) return engine.status();
    ExecutorOptions options;
    if (with_kernel) {
      Result<std::shared_ptr<const kernels::PreprocessKernel>> kernel =
          kernels::PreprocessKernel::Load(resources.value()->device);
      if (!kernel.ok()) return kernel.status();
      options.kernels.preprocess = std::move(kernel.value());
    }
    return Executor::Create(engine.value(), options);
  }

  // One run with these pictures in a batch of `batch`, and what came out.
  static Status Run(Executor& executor, const std::vector<OwnedPicture>& pictures, std::int64_t batch, std::size_t element_bytes,
                    std::vector<unsigned char>& out) {
    std::vector<kernels::Picture> views;
    for (const OwnedPicture& picture : pictures) views.push_back(picture.view());
    const Result<kernels::PreprocessJob> job = kernels::PreprocessJob::Make(views);
    if (!job.ok()) return job.status();
    InputView input;
    input.shape = {batch, 3, kHeight, kWidth};
    input.bytes = static_cast<std::size_t>(batch) * 3 * kHeight * kWidth * element_bytes;
    input.job = &job.value();
    IM_RETURN_IF_ERROR(executor.Submit({input}));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    const auto* bytes = static_cast<const unsigned char*>(outputs.value()[0].data);
    out.assign(bytes, bytes + outputs.value()[0].bytes);
    return {};
  }

  static Status RunFloats(Executor& executor, const std::vector<OwnedPicture>& pictures, std::int64_t batch) {
    std::vector<unsigned char> bytes;
    IM_RETURN_IF_ERROR(Run(executor, pictures, batch, 4, bytes));
    std::vector<float> expected;
    for (const OwnedPicture& picture : pictures) {
      const std::vector<float> one = picture.prepared();
      expected.insert(expected.end(), one.begin(), one.end());
    }
    expected.resize(static_cast<std::size_t>(batch) * 3 * kHeight * kWidth, 0.0f);
    if (bytes.size() != expected.size() * 4 || std::memcmp(bytes.data(), expected.data(), bytes.size()) != 0) {
      return {Code::kRuntime, "test", "wrong answer"};
    }
    return {};
  }

  std::unique_ptr<InferLibrary> library_;
};

TEST_F(PicturesTest, RunOnWhatTheDevicePrepared) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  for (unsigned round = 0; round < 3; ++round) {
    const Status mixed =
        RunFloats(*executor.value(), {MakePicture(40, 30, round), MakePicture(17, 9, round + 7, Filter::kPillow)}, 4);
    EXPECT_TRUE(mixed.ok()) << mixed.message();
    const Status alone = RunFloats(*executor.value(), {MakePicture(33, 50, round, Filter::kTriangle)}, 1);
    EXPECT_TRUE(alone.ok()) << alone.message();
  }
}

TEST_F(PicturesTest, RunOnHalves) {
  const auto executor = MakeExecutor(kHalfPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  const OwnedPicture picture = MakePicture(40, 30, 1);
  std::vector<unsigned char> bytes;
  ASSERT_TRUE(Run(*executor.value(), {picture}, 2, 2, bytes).ok());
  std::vector<std::uint16_t> expected;
  for (const float value : picture.prepared()) expected.push_back(kernels::ToHalf(value).bits);
  expected.resize(expected.size() * 2, 0);
  ASSERT_EQ(bytes.size(), expected.size() * 2);
  EXPECT_EQ(std::memcmp(bytes.data(), expected.data(), bytes.size()), 0);
}

TEST_F(PicturesTest, FramesOfOneSizeShareAGraph) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok()) << executor.status().message();
  for (unsigned frame = 0; frame < 5; ++frame) {
    EXPECT_TRUE(RunFloats(*executor.value(), {MakePicture(40, 30, frame)}, 1).ok());
    // Others in between: a size of its own, another filter, and plain data of the same shape.
    EXPECT_TRUE(RunFloats(*executor.value(), {MakePicture(41, 30, frame)}, 1).ok());
    EXPECT_TRUE(RunFloats(*executor.value(), {MakePicture(40, 30, frame, Filter::kPillow)}, 1).ok());
    const std::vector<float> data(3 * kHeight * kWidth, static_cast<float>(frame));
    ASSERT_TRUE(executor.value()->Submit({{data.data(), data.size() * 4, {1, 3, kHeight, kWidth}}}).ok());
    const auto outputs = executor.value()->Wait();
    ASSERT_TRUE(outputs.ok());
    EXPECT_EQ(std::memcmp(outputs.value()[0].data, data.data(), data.size() * 4), 0);
  }
  EXPECT_EQ(executor.value()->statistics().graphs_captured, 4u);
  EXPECT_EQ(executor.value()->statistics().graph_launches, 12u);
  EXPECT_EQ(executor.value()->statistics().last_capture_failure, "");
}

TEST_F(PicturesTest, RefusesWhatDoesNotGoIntoTheInput) {
  const auto executor = MakeExecutor(kPlan);
  ASSERT_TRUE(executor.ok());
  const OwnedPicture picture = MakePicture(10, 10, 1);
  EXPECT_EQ(RunFloats(*executor.value(), {picture, picture}, 1).code(), Code::kInvalidArgument)
      << "more pictures than the batch has places";
  OwnedPicture other = picture;
  other.steps.geometry = {ResizeStep{Filter::kLinear, kHeight, kWidth, {kHeight, kWidth, 0, 0, 0}}};
  other.steps.output = {kHeight, kWidth};
  EXPECT_EQ(RunFloats(*executor.value(), {other}, 1).code(), Code::kInvalidArgument) << "sides exchanged";
  EXPECT_TRUE(RunFloats(*executor.value(), {picture}, 1).ok());
  const auto without = MakeExecutor(kPlan, false);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(RunFloats(*without.value(), {picture}, 1).code(), Code::kInvalidArgument) << "without kernels";
  const auto bytes = MakeExecutor(
      "name x\nscratch 0\nin images 5 4 -1 3 12 20\nout echo 5 4 -1 3 12 20\nprofile 0 images 4 1 3 12 20 1 3 12 20 4 3 12 20\n");
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  std::vector<unsigned char> out;
  EXPECT_EQ(Run(*bytes.value(), {picture}, 1, 1, out).code(), Code::kInvalidArgument) << "an input of bytes";
}

TEST_F(PicturesTest, SurviveTheFailureOfEveryDriverCall) {
  ExpectToSurviveEveryFailure([&]() -> Status {
    const auto executor = MakeExecutor(kPlan);
    if (!executor.ok()) return executor.status();
    for (unsigned frame = 0; frame < 3; ++frame) {
      IM_RETURN_IF_ERROR(RunFloats(*executor.value(), {MakePicture(30, 20, frame, Filter::kPillow)}, 2));
    }
    return {};
  });
}

}  // namespace
}  // namespace im::trt
