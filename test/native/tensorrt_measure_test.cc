// The network alone, by the device's clock, on the stand-ins: that the right work is measured, not how long it takes.
#include "fakes/tensorrt_fixture.h"
#include "tensorrt/measure_network.h"

namespace im::trt {
namespace {

constexpr char kPlanLines[] =
    "name echo\nscratch 4096\n"
    "in values 0 2 -1 3\nout first 0 2 -1 3\nout second 0 2 -1 3\n"
    "profile 0 values 2 1 3 2 3 8 3\n";

class MeasureNetworkTest : public FakeTensorRtTest {
 protected:
  Result<std::vector<double>> Measure(const std::vector<InputView>& inputs, const kernels::Rounds& rounds) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    const Release release = GetParam();
    const std::string plan = FakePlan(release.major, release.minor, release.patch, 1, kPlanLines);
    const Result<std::shared_ptr<const Engine>> engine = Engine::Load(*library_, resources.value(), plan.data(), plan.size(), {});
    if (!engine.ok()) return engine.status();
    return MeasureNetwork(engine.value(), inputs, rounds);
  }

  InputView View(std::int64_t batch) {
    numbers_.assign(static_cast<std::size_t>(batch) * 3, 0.5f);
    return {numbers_.data(), numbers_.size() * sizeof(float), {batch, 3}};
  }

  std::vector<float> numbers_;
};

TEST_P(MeasureNetworkTest, LaunchesTheNetworkOncePerRound) {
  const Result<std::vector<double>> measured = Measure({View(4)}, {7, 5});
  ASSERT_TRUE(measured.ok()) << measured.status().message();
  EXPECT_EQ(measured.value().size(), 7u);
  for (const double microseconds : measured.value()) EXPECT_GE(microseconds, 0);
  EXPECT_EQ(state().graph_launches, 8) << "one warms up";
}

TEST_P(MeasureNetworkTest, RefusesWhatDoesNotFit) {
  const auto code = [&](const std::vector<InputView>& inputs) { return Measure(inputs, {1, 1}).status().code(); };
  EXPECT_EQ(code({}), Code::kInvalidArgument);
  InputView view = View(2);
  view.bytes -= 4;
  EXPECT_EQ(code({view}), Code::kInvalidArgument);
  view = View(2);
  view.shape = {6};
  EXPECT_EQ(code({view}), Code::kInvalidArgument);
}

TEST_P(MeasureNetworkTest, SurvivesTheFailureOfEveryCall) {
  const auto scenario = [&]() -> Status {
    const Result<std::vector<double>> measured = Measure({View(2)}, {1, 2});
    return measured.ok() ? Status() : measured.status();
  };
  ExpectToSurviveEveryFailure(scenario);
  state() = FakeCudaState();
  ExpectToSurviveEveryTensorRtFailure(scenario);
}

INSTANTIATE_TEST_SUITE_P(Releases, MeasureNetworkTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
