// Tensors that stay on the device between runs, on the stand-ins: TensorRT's returns its input.
#include <cstring>
#include <optional>

#include "fakes/tensorrt_fixture.h"
#include "tensorrt/executor.h"

namespace im::trt {
namespace {

constexpr char kPlanLines[] =
    "name echo\nscratch 4096\n"
    "in values 0 2 -1 3\nout first 0 2 -1 3\nout second 0 2 -1 3\n"
    "profile 0 values 2 1 3 2 3 8 3\n";

using Numbers = std::vector<float>;

class ResidentTest : public FakeTensorRtTest {
 protected:
  struct Machine {
    std::shared_ptr<const cuda::Resources> resources;
    std::shared_ptr<const DeviceStore> store;
  };

  static Result<Machine> OpenMachine() {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    const Result<std::shared_ptr<const DeviceStore>> store = DeviceStore::Create(resources.value());
    if (!store.ok()) return store.status();
    return Machine{resources.value(), store.value()};
  }

  Result<std::unique_ptr<Executor>> MakeExecutor(const Machine& machine, std::size_t graphs = 8) {
    const Release release = GetParam();
    const std::string plan = FakePlan(release.major, release.minor, release.patch, 1, kPlanLines);
    const Result<std::shared_ptr<const Engine>> engine = Engine::Load(*library_, machine.resources, plan.data(), plan.size(), {});
    if (!engine.ok()) return engine.status();
    ExecutorOptions options;
    options.graphs = graphs;
    options.store = machine.store;
    return Executor::Create(engine.value(), options);
  }

  static InputView View(const Numbers& numbers) {
    InputView view;
    view.data = numbers.data();
    view.bytes = numbers.size() * sizeof(float);
    view.shape = {static_cast<std::int64_t>(numbers.size() / 3), 3};
    return view;
  }
  static InputView View(const DeviceTensor& tensor) {
    InputView view;
    view.resident = &tensor;
    view.bytes = tensor.bytes();
    view.shape = tensor.shape();
    return view;
  }

  // The first output of a run, which is its input; the second one is of no interest.
  static Result<std::shared_ptr<const DeviceTensor>> Keep(Executor& executor, const InputView& input) {
    IM_RETURN_IF_ERROR(executor.Submit({input}, nullptr, {OutputUse::kKeep, OutputUse::kIgnore}));
    const Result<std::vector<OutputView>> views = executor.Wait();
    if (!views.ok()) return views.status();
    EXPECT_EQ(views.value()[0].data, nullptr);
    EXPECT_EQ(views.value()[1].data, nullptr);
    EXPECT_EQ(views.value()[1].kept, nullptr);
    return views.value()[0].kept;
  }

  static Status ExpectDownload(Executor& executor, const InputView& input, const Numbers& expected) {
    IM_RETURN_IF_ERROR(executor.Submit({input}, nullptr, {OutputUse::kDownload, OutputUse::kIgnore}));
    const Result<std::vector<OutputView>> views = executor.Wait();
    if (!views.ok()) return views.status();
    const OutputView& view = views.value()[0];
    if (view.bytes != expected.size() * sizeof(float) || std::memcmp(view.data, expected.data(), view.bytes) != 0) {
      return {Code::kRuntime, "test", "wrong answer"};
    }
    return {};
  }
};

TEST_P(ResidentTest, OneRunReadsWhatAnotherLeft) {
  const Result<Machine> machine = OpenMachine();
  ASSERT_TRUE(machine.ok()) << machine.status().message();
  const auto first = MakeExecutor(machine.value());
  const auto second = MakeExecutor(machine.value());
  ASSERT_TRUE(first.ok() && second.ok());
  // Often enough for graphs on both sides, with other numbers and other memory each time.
  for (int round = 0; round < 5; ++round) {
    const Numbers numbers{1.0f + static_cast<float>(round), 2, 3, 4, 5, 6};
    const auto kept = Keep(*first.value(), View(numbers));
    ASSERT_TRUE(kept.ok()) << kept.status().message();
    EXPECT_EQ(kept.value()->shape(), (Shape{2, 3}));
    EXPECT_EQ(kept.value()->type(), 1);
    const Status read = ExpectDownload(*second.value(), View(*kept.value()), numbers);
    EXPECT_TRUE(read.ok()) << read.message();
  }
  EXPECT_GT(first.value()->statistics().graph_launches, 0u);
  EXPECT_GT(second.value()->statistics().graph_launches, 0u);
}

TEST_P(ResidentTest, RunsWithAndWithoutThemDoNotShareAGraph) {
  const Result<Machine> machine = OpenMachine();
  ASSERT_TRUE(machine.ok()) << machine.status().message();
  const auto executor = MakeExecutor(machine.value());
  ASSERT_TRUE(executor.ok());
  for (int round = 0; round < 4; ++round) {
    const Numbers numbers{static_cast<float>(round), 1, 2};
    const Numbers others{7, 8, static_cast<float>(round)};
    const auto kept = Keep(*executor.value(), View(numbers));
    ASSERT_TRUE(kept.ok()) << kept.status().message();
    EXPECT_TRUE(ExpectDownload(*executor.value(), View(others), others).ok());
    EXPECT_TRUE(ExpectDownload(*executor.value(), View(*kept.value()), numbers).ok());
    EXPECT_TRUE(ExpectDownload(*executor.value(), View(others), others).ok());
  }
  EXPECT_EQ(executor.value()->statistics().graphs_given_up, 0u);
}

TEST_P(ResidentTest, OutliveTheEngineThatMadeThem) {
  const Numbers numbers{1, 2, 3};
  std::shared_ptr<const DeviceTensor> kept;
  {
    const Result<Machine> machine = OpenMachine();
    ASSERT_TRUE(machine.ok()) << machine.status().message();
    const auto executor = MakeExecutor(machine.value(), 0);
    ASSERT_TRUE(executor.ok());
    const auto made = Keep(*executor.value(), View(numbers));
    ASSERT_TRUE(made.ok()) << made.status().message();
    kept = made.value();
  }
  const Result<Machine> machine = OpenMachine();
  ASSERT_TRUE(machine.ok()) << machine.status().message();
  const auto executor = MakeExecutor(machine.value(), 0);
  ASSERT_TRUE(executor.ok());
  EXPECT_TRUE(ExpectDownload(*executor.value(), View(*kept), numbers).ok());
}

TEST_P(ResidentTest, RefuseWhatDoesNotFit) {
  const Result<Machine> machine = OpenMachine();
  ASSERT_TRUE(machine.ok()) << machine.status().message();
  const auto executor = MakeExecutor(machine.value());
  ASSERT_TRUE(executor.ok());
  const Numbers numbers{1, 2, 3};
  const auto kept = Keep(*executor.value(), View(numbers));
  ASSERT_TRUE(kept.ok()) << kept.status().message();
  InputView claimed = View(*kept.value());
  claimed.shape = {2, 3};
  claimed.bytes = 24;
  EXPECT_EQ(executor.value()->Submit({claimed}).code(), Code::kInvalidArgument) << "more than there is";
  EXPECT_EQ(executor.value()->Submit({View(numbers)}, nullptr, {OutputUse::kKeep}).code(), Code::kInvalidArgument) << "one use";
  EXPECT_TRUE(ExpectDownload(*executor.value(), View(*kept.value()), numbers).ok()) << "and goes on";
}

TEST_P(ResidentTest, SurviveTheFailureOfEveryDriverCall) {
  ExpectToSurviveEveryFailure([&]() -> Status {
    const Result<Machine> machine = OpenMachine();
    if (!machine.ok()) return machine.status();
    const auto executor = MakeExecutor(machine.value());
    if (!executor.ok()) return executor.status();
    for (int round = 0; round < 3; ++round) {
      const Numbers numbers{static_cast<float>(round), 1, 2};
      const auto kept = Keep(*executor.value(), View(numbers));
      if (!kept.ok()) return kept.status();
      IM_RETURN_IF_ERROR(ExpectDownload(*executor.value(), View(*kept.value()), numbers));
    }
    return {};
  });
}

INSTANTIATE_TEST_SUITE_P(Releases, ResidentTest, testing::ValuesIn(kReleases), ReleaseName);

}  // namespace
}  // namespace im::trt
