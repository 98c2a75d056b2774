#include "kernels/preprocessor.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "fakes/cuda_fixture.h"
#include "image/preprocess.h"
#include "kernels/half.h"

namespace im::kernels {
namespace {

using cuda::DeviceBuffer;
using cuda::FakeDriverSearch;

// Pictures end where their memory ends, so the address sanitizer notices what reaches past them.
struct OwnedPicture {
  std::vector<std::uint8_t> pixels;
  PreprocessSteps steps;
  int channels = 3;
  ColorFormat color_format = ColorFormat::kRgb;

  Picture view() const { return {{pixels.data(), steps.source.width, steps.source.height, channels, color_format}, steps}; }
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int Between(int least, int most) { return least + static_cast<int>(engine_() % static_cast<unsigned>(most - least + 1)); }
  bool OneIn(int count) { return Between(1, count) == 1; }
  std::uint8_t Byte() { return static_cast<std::uint8_t>(engine_() & 255); }

 private:
  std::mt19937 engine_;
};

ResizeStep RandomResize(Random& random, Size input, bool last, int most) {
  const std::vector<Filter> filters{Filter::kLinear,   Filter::kPillow, Filter::kNone,
                                    Filter::kTriangle, Filter::kCubic,  Filter::kGaussian};
  ResizeStep step;
  step.filter = filters[static_cast<std::size_t>(random.Between(0, last ? 5 : 2))];
  const bool copied = step.filter == Filter::kNone;
  // Some keep a side, some halve both: these go other ways on the CPU.
  const bool halved = random.OneIn(8) && input.width % 2 == 0 && input.height % 2 == 0 && !copied;
  step.width = halved ? input.width / 2 : copied || random.OneIn(6) ? input.width : random.Between(1, most);
  step.height = halved ? input.height / 2 : copied || random.OneIn(6) ? input.height : random.Between(1, most);
  step.canvas = {random.Between(1, most + 20), random.Between(1, most + 20), random.Between(-20, 20), random.Between(-20, 20),
                 (std::vector<float>{114.0f, 0.0f, 127.5f, 300.0f, -4.0f})[static_cast<std::size_t>(random.Between(0, 4))]};
  if (random.OneIn(3)) step.canvas = {step.width, step.height, 0, 0, 0};
  if (random.OneIn(20)) step.canvas.left = step.canvas.width + 3;  // nothing of the picture is seen
  return step;
}

OwnedPicture RandomPicture(Random& random, int most, const Size* output) {
  OwnedPicture picture;
  picture.channels = (std::vector<int>{1, 3, 4})[static_cast<std::size_t>(random.Between(0, 2))];
  picture.color_format = random.OneIn(2) ? ColorFormat::kRgb : ColorFormat::kBgr;
  PreprocessSteps& steps = picture.steps;
  steps.source = {random.Between(1, most), random.Between(1, most)};
  steps.crop = {0, 0, steps.source.width, steps.source.height};
  if (random.OneIn(3)) {
    steps.crop = {random.Between(0, steps.source.width - 1), random.Between(0, steps.source.height - 1), 1, 1};
    steps.crop.width = random.Between(1, steps.source.width - steps.crop.left);
    steps.crop.height = random.Between(1, steps.source.height - steps.crop.top);
  }
  steps.grayscale = random.OneIn(3);
  const std::vector<Contrast> contrasts{Contrast::kStretching, Contrast::kHistogramEqualization, Contrast::kAdaptiveEqualization};
  if (random.OneIn(2)) steps.contrast = contrasts[static_cast<std::size_t>(random.Between(0, 2))];
  steps.swap_channels = random.OneIn(2);
  if (random.OneIn(2)) steps.normalization = {255, 1, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  Size size{steps.crop.width, steps.crop.height};
  if (random.OneIn(3)) {
    steps.geometry.emplace_back(RandomResize(random, size, false, most));
    size = OutputSize(steps.geometry.back());
  }
  if (random.OneIn(6)) {
    steps.geometry.emplace_back(
        SampleStep{random.Between(1, most), random.Between(1, most), -1.5, 2.25, random.Between(1, 300) / 100.0, 0.75});
  } else {
    steps.geometry.emplace_back(RandomResize(random, size, true, most));
  }
  if (output != nullptr) {
    if (auto* resize = std::get_if<ResizeStep>(&steps.geometry.back())) {
      resize->canvas.width = output->width;
      resize->canvas.height = output->height;
    } else {
      auto& sample = std::get<SampleStep>(steps.geometry.back());
      sample.width = output->width;
      sample.height = output->height;
    }
  }
  steps.output = OutputSize(steps.geometry.back());
  picture.pixels.resize(static_cast<std::size_t>(steps.source.width) * static_cast<std::size_t>(steps.source.height) *
                        static_cast<std::size_t>(picture.channels));
  // Some use few of the values, and differ by their brightness.
  const int values = random.OneIn(2) ? 256 : random.Between(1, 40);
  const int darkest = random.Between(0, 256 - values);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(darkest + random.Byte() % values);
  return picture;
}

std::vector<Picture> Views(const std::vector<OwnedPicture>& pictures) {
  std::vector<Picture> views;
  for (const OwnedPicture& picture : pictures) views.push_back(picture.view());
  return views;
}

// Floats that compare equal may differ in their bits: zeros do.
std::vector<std::uint32_t> Bits(const std::vector<float>& floats) {
  std::vector<std::uint32_t> bits(floats.size());
  if (!floats.empty()) std::memcpy(bits.data(), floats.data(), floats.size() * sizeof(float));
  return bits;
}

// What the CPU executor makes of the batch.
std::vector<float> Expected(const std::vector<Picture>& pictures) {
  std::vector<float> expected;
  for (const Picture& picture : pictures) {
    std::vector<float> one(OutputLength(picture.steps), -1.0f);
    const Status status = Preprocess(picture.image, picture.steps, one.data());
    EXPECT_TRUE(status.ok()) << status.message();
    expected.insert(expected.end(), one.begin(), one.end());
  }
  return expected;
}

class PreprocessorTest : public cuda::FakeDriverTest {
 protected:
  // Through the driver: upload, kernel, download. `bytes` is what was written.
  static Status Run(const std::vector<Picture>& pictures, InputType type, std::vector<std::uint8_t>& bytes) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> opened = cuda::Resources::Open(driver.value(), 0);
    if (!opened.ok()) return opened.status();
    const cuda::Resources& resources = *opened.value();
    const Result<std::shared_ptr<const PreprocessKernel>> kernel = PreprocessKernel::Load(resources.device);
    if (!kernel.ok()) return kernel.status();
    const Result<cuda::Stream> stream = cuda::Stream::Create(resources.device);
    if (!stream.ok()) return stream.status();
    const Status status = RunOn(opened.value(), kernel.value(), stream.value(), pictures, type, bytes);
    (void)stream.value().Synchronize();
    resources.memory->Forget(stream.value().get());
    return status;
  }

  static Status RunOn(const std::shared_ptr<const cuda::Resources>& resources,
                      const std::shared_ptr<const PreprocessKernel>& kernel, const cuda::Stream& stream,
                      const std::vector<Picture>& pictures, InputType type, std::vector<std::uint8_t>& bytes) {
    const Result<PreprocessJob> job = PreprocessJob::Make(pictures);
    if (!job.ok()) return job.status();
    bytes.assign(job.value().output_length() * (type == InputType::kFloat16 ? 2 : 4), 0);
    Preprocessor preprocessor(resources, kernel, stream);
    IM_RETURN_IF_ERROR(preprocessor.Prepare(job.value()));
    const Result<DeviceBuffer> target = resources->memory->Allocate(bytes.size(), stream.get());
    if (!target.ok()) return target.status();
    const Result<cuda::PinnedBuffer> host = resources->pinned->Allocate(bytes.size());
    if (!host.ok()) return host.status();
    Status status = preprocessor.Enqueue(target.value().address(), type);
    if (status.ok()) {
      const cuda::Device& device = *resources->device;
      status = device.Check(
          device.table().cuMemcpyDtoHAsync_v2(host.value().data(), target.value().address(), bytes.size(), stream.get()),
          "cuMemcpyDtoHAsync");
    }
    // Work may be in the stream even when not all of it could be put there.
    const Status waited = stream.Synchronize();
    if (!status.ok()) return status;
    IM_RETURN_IF_ERROR(waited);
    std::memcpy(bytes.data(), host.value().data(), bytes.size());
    return {};
  }

  static std::vector<float> RunFloats(const std::vector<Picture>& pictures) {
    std::vector<std::uint8_t> bytes;
    const Status status = Run(pictures, InputType::kFloat32, bytes);
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<float> floats(bytes.size() / 4);
    if (!floats.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
    return floats;
  }
};

TEST_F(PreprocessorTest, GivesTheBitsOfTheCpuExecutor) {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const int most = round % 20 == 0 ? 300 : 60;
    const std::vector<OwnedPicture> pictures{RandomPicture(random, most, nullptr)};
    EXPECT_EQ(Bits(RunFloats(Views(pictures))), Bits(Expected(Views(pictures)))) << "round " << round;
  }
}

TEST_F(PreprocessorTest, PreparesPicturesOfDifferentSizesAtOnce) {
  Random random(2);
  for (int round = 0; round < 60; ++round) {
    const Size output{random.Between(1, 70), random.Between(1, 70)};
    std::vector<OwnedPicture> pictures;
    for (int i = random.Between(2, 5); i > 0; --i) pictures.push_back(RandomPicture(random, 60, &output));
    EXPECT_EQ(Bits(RunFloats(Views(pictures))), Bits(Expected(Views(pictures)))) << "round " << round;
  }
}

TEST_F(PreprocessorTest, WritesHalvesForNetworksThatTakeThem) {
  Random random(3);
  for (int round = 0; round < 60; ++round) {
    const std::vector<OwnedPicture> pictures{RandomPicture(random, 40, nullptr)};
    std::vector<std::uint8_t> bytes;
    ASSERT_TRUE(Run(Views(pictures), InputType::kFloat16, bytes).ok());
    std::vector<std::uint16_t> halves(bytes.size() / 2);
    std::memcpy(halves.data(), bytes.data(), bytes.size());
    std::vector<std::uint16_t> expected;
    for (const float value : Expected(Views(pictures))) expected.push_back(ToHalf(value).bits);
    EXPECT_EQ(halves, expected) << "round " << round;
  }
}

TEST_F(PreprocessorTest, ExtremeShapes) {
  for (const int channels : {1, 3, 4}) {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 200}, {200, 1}, {2, 2}, {3, 1}}) {
      for (const Filter filter : {Filter::kLinear, Filter::kPillow, Filter::kTriangle, Filter::kCubic, Filter::kGaussian}) {
        for (const auto& [to_width, to_height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 300}, {300, 1}, {33, 34}}) {
          OwnedPicture picture;
          picture.channels = channels;
          picture.steps.source = {width, height};
          picture.steps.crop = {0, 0, width, height};
          picture.steps.geometry = {ResizeStep{filter, to_width, to_height, {to_width, to_height, 0, 0, 0}}};
          picture.steps.output = {to_width, to_height};
          picture.pixels.resize(static_cast<std::size_t>(width * height * channels));
          for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i * 37 + 11);
          EXPECT_EQ(Bits(RunFloats({picture.view()})), Bits(Expected({picture.view()})));
        }
      }
    }
  }
}

TEST_F(PreprocessorTest, ContrastOfPicturesOfEverySize) {
  Random random(7);
  for (const Contrast contrast : {Contrast::kStretching, Contrast::kHistogramEqualization, Contrast::kAdaptiveEqualization}) {
    for (const auto& [width, height] :
         std::vector<std::pair<int, int>>{{1, 1}, {1, 15}, {15, 15}, {16, 7}, {257, 129}, {300, 3}, {64, 400}, {640, 360}}) {
      for (const int values : {1, 2, 200}) {  // one value has no range
        OwnedPicture picture;
        picture.steps.source = {width, height};
        picture.steps.crop = {0, 0, width, height};
        picture.steps.contrast = contrast;
        picture.steps.geometry = {ResizeStep{Filter::kNone, width, height, {width, height, 0, 0, 0}}};
        picture.steps.output = {width, height};
        picture.pixels.resize(static_cast<std::size_t>(width * height * 3));
        for (auto& value : picture.pixels)
          value = static_cast<std::uint8_t>(random.Between(0, 55) == 0 ? 0 : random.Byte() % values);
        EXPECT_EQ(Bits(RunFloats({picture.view()})), Bits(Expected({picture.view()})))
            << static_cast<int>(contrast) << ": " << width << "x" << height << ", " << values << " values";
      }
    }
  }
}

TEST_F(PreprocessorTest, AGaussianWindowBesideThePicture) {
  // Of the square around a flat picture, rows that lie below it are all fill.
  OwnedPicture picture;
  picture.steps.source = {64, 3};
  picture.steps.crop = {0, 0, 64, 3};
  picture.steps.geometry = {ResizeStep{Filter::kGaussian, 16, 16, {16, 4, 0, -12, 127.5f}}};
  picture.steps.output = {16, 4};
  picture.pixels.assign(64 * 3 * 3, 200);
  EXPECT_EQ(Expected({picture.view()}).front(), 127.5f);
  EXPECT_EQ(Bits(RunFloats({picture.view()})), Bits(Expected({picture.view()})));
}

TEST_F(PreprocessorTest, RefusesWhatMakesNoSense) {
  Random random(4);
  OwnedPicture picture = RandomPicture(random, 20, nullptr);
  picture.steps.crop.width = 100;
  EXPECT_EQ(PreprocessJob::Make({picture.view()}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(PreprocessJob::Make({}).status().code(), Code::kInvalidArgument);
  const Size one{30, 30};
  const Size other{30, 31};
  const std::vector<OwnedPicture> mixed{RandomPicture(random, 20, &one), RandomPicture(random, 20, &other)};
  EXPECT_EQ(PreprocessJob::Make(Views(mixed)).status().code(), Code::kInvalidArgument);
}

TEST_F(PreprocessorTest, AGraphPreparesOneFrameAfterTheOther) {
  Random random(5);
  OwnedPicture picture = RandomPicture(random, 50, nullptr);
  picture.steps.contrast = Contrast::kAdaptiveEqualization;
  const auto resources = cuda::Resources::Open(cuda::Driver::Open(FakeDriverSearch()).value(), 0).value();
  const cuda::Stream stream = std::move(cuda::Stream::Create(resources->device).value());
  {
    Preprocessor preprocessor(resources, PreprocessKernel::Load(resources->device).value(), stream);
    const PreprocessJob job = PreprocessJob::Make({picture.view()}).value();
    EXPECT_FALSE(preprocessor.Enqueue(0, InputType::kFloat32).ok()) << "nothing is prepared";
    ASSERT_TRUE(preprocessor.Prepare(job).ok());
    const DeviceBuffer target = std::move(resources->memory->Allocate(job.output_length() * 4, stream.get()).value());
    const Result<cuda::Graph> graph =
        cuda::Graph::Capture(stream, [&] { return preprocessor.Enqueue(target.address(), InputType::kFloat32); });
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    for (int frame = 0; frame < 3; ++frame) {
      for (auto& value : picture.pixels) value = random.Byte();
      const PreprocessJob next = PreprocessJob::Make({picture.view()}).value();
      ASSERT_TRUE(Preprocessor::ShapeOf(next) == Preprocessor::ShapeOf(job));
      ASSERT_TRUE(preprocessor.Prepare(next).ok());
      ASSERT_TRUE(graph.value().Launch(stream).ok());
      ASSERT_TRUE(stream.Synchronize().ok());
      std::vector<float> written(job.output_length());
      const cuda::Device& device = *resources->device;
      ASSERT_TRUE(
          device
              .Check(device.table().cuMemcpyDtoHAsync_v2(written.data(), target.address(), written.size() * 4, stream.get()),
                     "cuMemcpyDtoHAsync")
              .ok());
      ASSERT_TRUE(stream.Synchronize().ok());
      EXPECT_EQ(written, Expected({picture.view()}));
    }
  }
  ASSERT_TRUE(stream.Synchronize().ok());
  resources->memory->Forget(stream.get());
}

TEST_F(PreprocessorTest, SurvivesTheFailureOfEveryCall) {
  Random random(6);
  const Size output{20, 20};
  std::vector<OwnedPicture> pictures;
  for (int i = 0; i < 3; ++i) pictures.push_back(RandomPicture(random, 30, &output));
  pictures.back().steps.contrast = Contrast::kAdaptiveEqualization;
  std::vector<std::uint8_t> bytes;
  ExpectToSurviveEveryFailure([&] { return Run(Views(pictures), InputType::kFloat32, bytes); }, {2, 719, 209});
}

TEST_F(PreprocessorTest, OtherImagesAreTriedWhenOneDoesNotFit) {
  const auto resources = cuda::Resources::Open(cuda::Driver::Open(FakeDriverSearch()).value(), 0).value();
  const char text[] = ".version 7.0";
  FailNext("cuModuleLoadDataEx", 209);
  EXPECT_TRUE(cuda::Module::Load(resources->device, {text, text}).ok());
  FailNext("cuModuleLoadDataEx", 2);
  EXPECT_EQ(cuda::Module::Load(resources->device, {text, text}).status().code(), Code::kOutOfDeviceMemory)
      << "memory is no question of the image";
  FailNext("cuModuleLoadDataEx", 218);
  const Result<cuda::Module> failed = cuda::Module::Load(resources->device, {text});
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.status().message().find("ptxas fatal : injected"), std::string::npos) << failed.status().message();
  EXPECT_EQ(cuda::Module::Load(resources->device, {}).status().code(), Code::kCuda);
  const cuda::Module module = std::move(cuda::Module::Load(resources->device, {text}).value());
  EXPECT_NE(module.Find("no_such_kernel").status().message().find("no_such_kernel"), std::string::npos);
}

// What a half is by the definition of the format.
float Meant(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return mantissa != 0 ? std::nanf("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25));
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = Meant(half);
    ASSERT_EQ(ToHalf(value).bits, half);
    ASSERT_EQ(ToHalf(-value).bits, half | 0x8000);
    // Halfway to the next, which behind the largest would be 65536.
    const float next = bits == 0x7bff ? 65536.0f : Meant(static_cast<std::uint16_t>(half + 1));
    const float middle = (value + next) / 2;
    const auto even = static_cast<std::uint16_t>(half + (half & 1));
    ASSERT_EQ(ToHalf(middle).bits, even) << bits;
    ASSERT_EQ(ToHalf(std::nextafterf(middle, 0)).bits, half) << bits;
    ASSERT_EQ(ToHalf(std::nextafterf(middle, INFINITY)).bits, half + 1) << bits;
  }
  EXPECT_EQ(ToHalf(INFINITY).bits, 0x7c00);
  EXPECT_EQ(ToHalf(1e30f).bits, 0x7c00);
  EXPECT_TRUE(std::isnan(Meant(ToHalf(std::nanf("")).bits)));
}

TEST(Half, IsWidenedToTheSameNumber) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const Half half{static_cast<std::uint16_t>(bits)};
    const float value = FromHalf(half);
    const float meant = Meant(half.bits);
    std::uint32_t found;
    std::uint32_t expected;
    std::memcpy(&found, &value, sizeof value);
    std::memcpy(&expected, &meant, sizeof meant);
    // As a Float32Array holds it.
    if (std::isnan(meant)) expected = 0x7fc00000u;
    ASSERT_EQ(found, expected) << bits;
  }
}

}  // namespace
}  // namespace im::kernels
