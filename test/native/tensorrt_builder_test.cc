// Building on the stand-ins for TensorRT, its parser and the driver: what the builder is told, and what comes of it.
#include "tensorrt/builder.h"

#include "fakes/tensorrt_fixture.h"
#include "tensorrt/plan.h"

namespace im::trt {
namespace {

// Protocol buffers, as far as an ONNX model needs them.
std::string Varint(std::uint64_t value) {
  std::string bytes;
  for (; value > 127; value >>= 7) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, std::int64_t value) {
  return Varint(static_cast<std::uint64_t>(field) * 8) + Varint(static_cast<std::uint64_t>(value));
}
std::string Nested(int field, const std::string& content) {
  return Varint(static_cast<std::uint64_t>(field) * 8 + 2) + Varint(content.size()) + content;
}
std::string Value(const std::string& name, int type, const Shape& shape) {
  std::string dims;
  for (const std::int64_t size : shape) dims += Nested(1, size < 0 ? Nested(2, "n") : Number(1, size));
  return Nested(1, name) + Nested(2, Nested(1, Number(1, type) + Nested(2, dims)));
}
std::string Node(const std::string& operation) { return Nested(1, Nested(3, "node of " + operation) + Nested(4, operation)); }
std::string Model(const std::string& graph) { return Number(1, 8) + Nested(7, graph + Nested(2, "detector")); }

const std::string kDynamic =
    Model(Node("Identity") + Nested(11, Value("images", 1, {-1, 3})) + Nested(12, Value("scores", 1, {-1, 3})));
const std::string kFixed =
    Model(Node("Identity") + Node("Relu") + Nested(11, Value("images", 1, {1, 3})) + Nested(12, Value("scores", 1, {1, 3})));

InputRange Range(const std::string& input, Shape minimum, Shape optimum, Shape maximum) {
  return {input, {std::move(minimum), std::move(optimum), std::move(maximum)}};
}

class BuilderTest : public FakeTensorRtTest {
 protected:
  Result<BuiltEngine> Build(const std::string& model, const BuildOptions& options = {}) {
    BuildProgress progress([this] { ++told_; });
    return Build(model, options, progress);
  }
  Result<BuiltEngine> Build(const std::string& model, const BuildOptions& options, BuildProgress& progress) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Device>> device = cuda::Device::Open(driver.value(), 0);
    if (!device.ok()) return device.status();
    return BuildEngine(*library_, *device.value(), folder(), model.data(), model.size(), "", options, progress);
  }
  Result<std::vector<char>> Combine(const std::string& first, const std::string& second) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    const Result<std::shared_ptr<const cuda::Device>> device = cuda::Device::Open(driver.value(), 0);
    return CombineTimingCaches(*library_, *device.value(), {first.begin(), first.end()}, {second.begin(), second.end()});
  }

  // The lines of a plan of the stand-in.
  static std::string Lines(const BuiltEngine& built) {
    return std::string(static_cast<const char*>(built.memory.get()), built.size).substr(28);
  }
  std::string Refusal(const std::string& model, const BuildOptions& options = {}) {
    const Result<BuiltEngine> built = Build(model, options);
    return built.ok() ? "" : built.status().message();
  }
  std::string CacheOf(const std::string& release, const std::string& entries) const {
    return "FAKE-TIMING-CACHE " + release + "\n" + entries;
  }
  std::string OwnRelease() const { return std::to_string(library_->version().number()); }
  bool is_10() const { return GetParam().major == 10; }

  int told_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Releases, BuilderTest, testing::ValuesIn(kReleases), ReleaseName);

TEST_P(BuilderTest, BuildsAnEngineOfThisRelease) {
  const Result<BuiltEngine> built = Build(kFixed);
  ASSERT_TRUE(built.ok()) << built.status().message();
  const Result<Version> version = ReadPlanVersion(built.value().memory.get(), built.value().size);
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(version.value().number(), library_->version().number());
  EXPECT_EQ(built.value().layers, 2);
  EXPECT_EQ(built.value().profiles, 0);
  ASSERT_EQ(built.value().inputs.size(), 1u);
  EXPECT_EQ(built.value().inputs[0].name, "images");
  EXPECT_EQ(built.value().inputs[0].type, 1);
  EXPECT_EQ(built.value().inputs[0].shape, (Shape{1, 3}));
  EXPECT_EQ(built.value().outputs[0].name, "scores");
  EXPECT_EQ(built.value().timing_cache.size(), 0u);
  EXPECT_NE(Lines(built.value())
                .find(std::string("config network=") + (is_10() ? "1" : "0") + " flags=0 hardware=0 workspace=0 layers=2\n"),
            std::string::npos)
      << Lines(built.value());
  EXPECT_GT(told_, 10);
}

TEST_P(BuilderTest, TellsTheBuilderItsSettingsInTheNumbersOfItsMajor) {
  BuildOptions options;
  options.workspace_bytes = 123456;
  options.hardware = HardwareCompatibility::kAmperePlus;
  options.version_compatible = true;
  options.fp16 = is_10();
  const Result<BuiltEngine> built = Build(kFixed, options);
  ASSERT_TRUE(built.ok()) << built.status().message();
  const int flags = is_10() ? (1 << 13) + 1 : 1 << 12;
  EXPECT_NE(Lines(built.value()).find("flags=" + std::to_string(flags) + " hardware=1 workspace=123456"), std::string::npos)
      << Lines(built.value());
  BuildOptions strong;
  strong.strongly_typed = true;
  const Result<BuiltEngine> typed = Build(kFixed, strong);
  ASSERT_TRUE(typed.ok());
  EXPECT_NE(Lines(typed.value()).find(std::string("network=") + (is_10() ? "3" : "0") + " flags=0"), std::string::npos)
      << Lines(typed.value());
}

TEST_P(BuilderTest, RefusesWhatThisReleaseCannotDo) {
  BuildOptions options;
  options.fp16 = true;
  if (is_10()) options.strongly_typed = true;
  const Result<BuiltEngine> built = Build(kFixed, options);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.status().stage(), "tensorrt.precision");
  BuildOptions same;
  same.hardware = HardwareCompatibility::kSameComputeCapability;
  EXPECT_EQ(Build(kFixed, same).ok(), library_->version().number() >= 100900);
}

TEST_P(BuilderTest, BuildsProfiles) {
  BuildOptions options;
  options.shapes.profiles = {{Range("images", {1, 3}, {2, 3}, {4, 3})}, {Range("images", {5, 3}, {6, 3}, {8, 3})}};
  const Result<BuiltEngine> built = Build(kDynamic, options);
  ASSERT_TRUE(built.ok()) << built.status().message();
  EXPECT_EQ(built.value().profiles, 2);
  ASSERT_EQ(built.value().inputs[0].profiles.size(), 2u);
  EXPECT_EQ(built.value().inputs[0].profiles[1].maximum, (Shape{8, 3}));
  EXPECT_NE(Lines(built.value()).find("profile 0 images 2 1 3 2 3 4 3\nprofile 1 images 2 5 3 6 3 8 3\n"), std::string::npos)
      << Lines(built.value());
  BuildOptions batch;
  batch.shapes.batch = BatchRange{1, 2, 16};
  const Result<BuiltEngine> by_batch = Build(kDynamic, batch);
  ASSERT_TRUE(by_batch.ok()) << by_batch.status().message();
  EXPECT_NE(Lines(by_batch.value()).find("profile 0 images 2 1 3 2 3 16 3\n"), std::string::npos) << Lines(by_batch.value());
  EXPECT_TRUE(Build(kFixed, batch).ok()) << "a network of fixed shapes needs no batch";
}

TEST_P(BuilderTest, TakesPicturesOfOneSize) {
  const auto model = [](const Shape& shape) {
    return Model(Nested(11, Value("images", 1, shape)) + Nested(12, Value("scores", 1, {-1, 3})));
  };
  BuildOptions options;
  options.shapes.batch = BatchRange{1, 2, 4};
  options.shapes.image = ImageSize{32, 64};
  const Result<BuiltEngine> built = Build(model({-1, 3, -1, -1}), options);
  ASSERT_TRUE(built.ok()) << built.status().message();
  EXPECT_NE(Lines(built.value()).find("profile 0 images 4 1 3 32 64 2 3 32 64 4 3 32 64\n"), std::string::npos)
      << Lines(built.value());
  const Result<BuiltEngine> fixed = Build(model({-1, 3, 8, 8}), options);
  ASSERT_TRUE(fixed.ok());
  EXPECT_NE(Lines(fixed.value()).find("profile 0 images 4 1 3 8 8 2 3 8 8 4 3 8 8\n"), std::string::npos) << "fixed sizes stay";
  options.shapes.batch.reset();
  EXPECT_NE(Refusal(model({-1, 3, -1, -1}), options).find("say which shapes"), std::string::npos);
}

TEST_P(BuilderTest, RefusesProfilesThatDoNotFitInWords) {
  const auto refusal = [&](std::vector<InputRange> ranges, const std::string& model = kDynamic) {
    BuildOptions options;
    options.shapes.profiles = {std::move(ranges)};
    const Result<BuiltEngine> built = Build(model, options);
    EXPECT_EQ(built.ok() ? Code::kOk : built.status().code(), Code::kInvalidArgument);
    return built.ok() ? "" : built.status().message();
  };
  EXPECT_NE(Refusal(kDynamic).find("has the shape [-1, 3], where -1 varies: say which shapes"), std::string::npos);
  EXPECT_NE(refusal({Range("pixels", {1, 3}, {1, 3}, {1, 3})}).find("names input \"pixels\""), std::string::npos);
  EXPECT_NE(refusal({Range("images", {2, 3}, {1, 3}, {4, 3})}).find("minimum <= optimum <= maximum"), std::string::npos);
  EXPECT_NE(refusal({Range("images", {1, 3}, {1, 3}, {1, 4})}).find("[1, 3], [1, 3], [1, 4]"), std::string::npos);
  EXPECT_NE(refusal({Range("images", {1}, {1}, {1})}).find("does not fit"), std::string::npos);
  EXPECT_NE(refusal({Range("images", {-1, 3}, {1, 3}, {1, 3})}).find("does not fit"), std::string::npos);
  EXPECT_NE(refusal({Range("images", {1, 3}, {1, 3}, {2, 3})}, kFixed).find("fixed sizes stay"), std::string::npos);
  const InputRange range = Range("images", {1, 3}, {1, 3}, {2, 3});
  EXPECT_NE(refusal({range, range}).find("twice"), std::string::npos);
  const std::string row = Model(Nested(11, Value("images", 1, {-1, 3, -1})) + Nested(12, Value("scores", 1, {-1, 3})));
  BuildOptions batch;
  batch.shapes.batch = BatchRange{1, 1, 1};
  batch.shapes.image = ImageSize{32, 64};
  EXPECT_NE(Refusal(row, batch).find("say which shapes"), std::string::npos) << "this is no picture";
}

TEST_P(BuilderTest, SaysWhichNodesTheParserRefuses) {
  std::string nodes;
  for (int i = 0; i < 7; ++i) nodes += Node("Unsupported" + std::to_string(i));
  const Result<BuiltEngine> refused = Build(Model(nodes + Nested(11, Value("a", 1, {1})) + Nested(12, Value("b", 1, {1}))));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().stage(), "tensorrt.parse");
  EXPECT_EQ(refused.status().call()->number, 8);
  EXPECT_NE(refused.status().message().find(
                "Node 4 (Unsupported4, \"node of Unsupported4\"): the operator is not supported. And 2 more."),
            std::string::npos)
      << refused.status().message();
  EXPECT_NE(Refusal("rubbish").find("the bytes are no ONNX model"), std::string::npos);
  EXPECT_NE(Refusal("").find("the bytes are no ONNX model"), std::string::npos);
  EXPECT_NE(Refusal(Model(Nested(11, Value("a", 1, {1})))).find("no input or no output"), std::string::npos);
  EXPECT_NE(Refusal(Model(Nested(11, Value("shape_a", 7, {1})) + Nested(12, Value("b", 1, {1})))).find("decides shapes"),
            std::string::npos);
}

TEST_P(BuilderTest, NamesALibraryThatIsMissing) {
  const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
  const Result<std::shared_ptr<const cuda::Device>> device = cuda::Device::Open(driver.value(), 0);
  BuildProgress progress({});
  const Result<BuiltEngine> built =
      BuildEngine(*library_, *device.value(), std::string(IM_FAKES) + "/cuda", kFixed.data(), kFixed.size(), "", {}, progress);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.status().stage(), "tensorrt.open-parser");
  EXPECT_NE(built.status().message().find("libnvonnxparser.so." + std::to_string(GetParam().major)), std::string::npos)
      << built.status().message();
}

TEST_P(BuilderTest, KeepsWhatItHasMeasured) {
  BuildOptions options;
  const std::vector<char> empty;
  options.timing_cache = &empty;
  const Result<BuiltEngine> first = Build(kFixed, options);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_FALSE(first.value().timing_cache_refused);
  const std::string expected = CacheOf(OwnRelease(), "tactics of detector\n");
  EXPECT_EQ(std::string(first.value().timing_cache.begin(), first.value().timing_cache.end()), expected);
  const std::string earlier = CacheOf(OwnRelease(), "tactics of another\n");
  const std::vector<char> given(earlier.begin(), earlier.end());
  options.timing_cache = &given;
  const Result<BuiltEngine> second = Build(kFixed, options);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(std::string(second.value().timing_cache.begin(), second.value().timing_cache.end()),
            CacheOf(OwnRelease(), "tactics of another\ntactics of detector\n"));
  EXPECT_FALSE(second.value().timing_cache_refused);
}

TEST_P(BuilderTest, DoesWithoutACacheOfAnotherRelease) {
  for (const std::string& text : {CacheOf("90000", "tactics of another\n"), std::string("rubbish")}) {
    BuildOptions options;
    const std::vector<char> given(text.begin(), text.end());
    options.timing_cache = &given;
    const Result<BuiltEngine> built = Build(kFixed, options);
    ASSERT_TRUE(built.ok()) << built.status().message();
    EXPECT_TRUE(built.value().timing_cache_refused);
    EXPECT_EQ(std::string(built.value().timing_cache.begin(), built.value().timing_cache.end()),
              CacheOf(OwnRelease(), "tactics of detector\n"));
  }
}

TEST_P(BuilderTest, JoinsTimingCaches) {
  const Result<std::vector<char>> joined = Combine(CacheOf(OwnRelease(), "a\nc\n"), CacheOf(OwnRelease(), "b\n"));
  ASSERT_TRUE(joined.ok()) << joined.status().message();
  EXPECT_EQ(std::string(joined.value().begin(), joined.value().end()), CacheOf(OwnRelease(), "a\nb\nc\n"));
  EXPECT_NE(Combine(CacheOf(OwnRelease(), ""), CacheOf("90000", "")).status().message().find("different releases"),
            std::string::npos);
  EXPECT_NE(Combine(CacheOf(OwnRelease(), ""), "rubbish").status().message().find("cannot read the timing cache"),
            std::string::npos);
}

TEST_P(BuilderTest, ShowsItsPhasesAndStopsWhenItIsCancelled) {
  std::vector<std::string> seen;
  BuildProgress* self = nullptr;
  BuildProgress progress([&] {
    std::string line;
    for (const BuildPhase& phase : self->phases())
      line +=
          phase.name + " " + std::to_string(phase.done) + "/" + std::to_string(phase.steps) + " in \"" + phase.parent + "\"; ";
    seen.push_back(line);
    if (seen.size() == 6) self->Cancel();
  });
  self = &progress;
  const Result<BuiltEngine> built = Build(kFixed, {}, progress);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.status().code(), Code::kCancelled);
  ASSERT_GE(seen.size(), 6u);
  EXPECT_EQ(seen[0], "Building 0/3 in \"\"; ");
  EXPECT_EQ(seen[2], "Building 0/3 in \"\"; Timing tactics 1/2 in \"Building\"; ");
  EXPECT_EQ(seen[5], "Building 1/3 in \"\"; ");
  EXPECT_EQ(Build(kFixed, {}, progress).status().code(), Code::kCancelled) << "before it starts";
}

TEST_P(BuilderTest, SurvivesTheFailureOfEveryTensorRtCall) {
  BuildOptions options;
  options.shapes.profiles = {{Range("images", {1, 3}, {2, 3}, {4, 3})}};
  const std::string text = CacheOf(OwnRelease(), "a\n");
  const std::vector<char> given(text.begin(), text.end());
  options.timing_cache = &given;
  const auto scenario = [&]() -> Status {
    const Result<BuiltEngine> built = Build(kDynamic, options);
    if (!built.ok()) return built.status();
    const Result<std::vector<char>> joined = Combine(text, text);
    return joined.ok() ? Status() : joined.status();
  };
  ExpectToSurviveEveryTensorRtFailure(scenario);
}

TEST_P(BuilderTest, SurvivesTheFailureOfEveryDriverCall) {
  ExpectToSurviveEveryFailure([&]() -> Status {
    const Result<BuiltEngine> built = Build(kFixed);
    return built.ok() ? Status() : built.status();
  });
}

}  // namespace
}  // namespace im::trt
