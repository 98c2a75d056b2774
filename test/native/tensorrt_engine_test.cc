// Engines on the stand-ins for TensorRT and the driver, in three versions of the interface: before and after the methods of 10.1,
// and 11.
#include "tensorrt/engine.h"

#include <cstring>
#include <numeric>

#include "fakes/tensorrt_fixture.h"
#include "tensorrt/executor.h"

namespace im::trt {
namespace {

// Batch of 1 to 4, one output of the input's type.
constexpr char kDynamic[] =
    "name detector\nscratch 4096\n"
    "in images 0 2 -1 3\nout scores 0 2 -1 3\n"
    "profile 0 images 2 1 3 2 3 4 3\nprofile 1 images 2 5 3 6 3 8 3\n";

class EngineTest : public FakeTensorRtTest {
 protected:
  std::string Plan(const std::string& lines) const {
    return FakePlan(GetParam().major, GetParam().minor, GetParam().patch, 1, lines);
  }

  Result<std::shared_ptr<const Engine>> Load(const std::string& plan, const EngineOptions& options = {}) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    return Engine::Load(*library_, resources.value(), plan.data(), plan.size(), options);
  }

  std::unique_ptr<Executor> MakeExecutor(const std::string& lines, const ExecutorOptions& options = {}) {
    Result<std::shared_ptr<const Engine>> engine = Load(Plan(lines));
    EXPECT_TRUE(engine.ok()) << engine.status().message();
    Result<std::unique_ptr<Executor>> executor = Executor::Create(engine.value(), options);
    EXPECT_TRUE(executor.ok()) << executor.status().message();
    return std::move(executor.value());
  }

  // Runs rows of three floats and checks that they come back.
  static Status Echo(Executor& executor, std::int64_t rows, float first) {
    std::vector<float> data(static_cast<std::size_t>(rows) * 3);
    std::iota(data.begin(), data.end(), first);
    const std::vector<InputView> inputs = {{data.data(), data.size() * sizeof(float), {rows, 3}}};
    IM_RETURN_IF_ERROR(executor.Submit(inputs));
    const Result<std::vector<OutputView>> outputs = executor.Wait();
    if (!outputs.ok()) return outputs.status();
    const OutputView& output = outputs.value()[0];
    if (output.shape != Shape{rows, 3} || output.bytes != inputs[0].bytes ||
        std::memcmp(output.data, data.data(), output.bytes) != 0) {
      return {Code::kRuntime, "test", "wrong answer"};
    }
    return {};
  }

  // Loading, a plain run, one that is captured, one by the graph, unloading.
  Status LoadAndRun() {
    Result<std::shared_ptr<const Engine>> engine = Load(Plan(kDynamic));
    if (!engine.ok()) return engine.status();
    Result<std::unique_ptr<Executor>> executor = Executor::Create(engine.value(), {});
    if (!executor.ok()) return executor.status();
    for (const std::int64_t rows : {2, 3, 2, 2}) IM_RETURN_IF_ERROR(Echo(*executor.value(), rows, 1));
    return {};
  }

  void ExpectEcho(Executor& executor, std::int64_t rows, float first = 1) {
    const Status status = Echo(executor, rows, first);
    EXPECT_TRUE(status.ok()) << status.message();
  }
};

INSTANTIATE_TEST_SUITE_P(Releases, EngineTest, testing::ValuesIn(kReleases), ReleaseName);

TEST_P(EngineTest, DescribesItself) {
  const Result<std::shared_ptr<const Engine>> loaded = Load(Plan(std::string(kDynamic) + "weights 5000\n"), {false, 1});
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const Engine& engine = *loaded.value();
  EXPECT_EQ(engine.description().name, "detector");
  EXPECT_EQ(engine.description().plan_version.number(), library_->version().number());
  EXPECT_EQ(engine.description().layers, 7);
  EXPECT_EQ(engine.description().profiles, 2);
  EXPECT_EQ(engine.description().scratch_bytes, 4096u);
  EXPECT_EQ(engine.description().hardware_compatibility, HardwareCompatibility::kAmperePlus);
  EXPECT_EQ(engine.bytes_in_use(), 5000u);
  EXPECT_EQ(engine.profile(), 1);
  ASSERT_EQ(engine.inputs().size(), 1u);
  EXPECT_EQ(engine.inputs()[0].name, "images");
  EXPECT_EQ(engine.inputs()[0].type, 1);
  EXPECT_EQ(engine.inputs()[0].shape, (Shape{-1, 3}));
  ASSERT_EQ(engine.inputs()[0].profiles.size(), 2u);
  EXPECT_EQ(engine.inputs()[0].profiles[1].minimum, (Shape{5, 3}));
  EXPECT_EQ(engine.inputs()[0].profiles[1].optimum, (Shape{6, 3}));
  EXPECT_EQ(engine.inputs()[0].profiles[1].maximum, (Shape{8, 3}));
  ASSERT_EQ(engine.outputs().size(), 1u);
  EXPECT_EQ(engine.outputs()[0].name, "scores");
  EXPECT_TRUE(engine.outputs()[0].profiles.empty());
}

TEST_P(EngineTest, NamesEveryElementTypeAsOnnxDoes) {
  const Result<std::shared_ptr<const Engine>> loaded =
      Load(Plan("in a 0 1 2\nin b 1 1 2\nin c 2 1 2\nin d 3 1 2\nout e 4 1 2\nout f 5 1 2\nout g 7 1 2\nout h 8 1 2\n"));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  std::vector<int> types;
  for (const Tensor& tensor : loaded.value()->inputs()) types.push_back(tensor.type);
  for (const Tensor& tensor : loaded.value()->outputs()) types.push_back(tensor.type);
  EXPECT_EQ(types, (std::vector<int>{1, 10, 3, 6, 9, 2, 16, 7}));
}

TEST_P(EngineTest, RefusesWhatItCannotRunInWords) {
  const auto refusal = [&](const std::string& lines) {
    const Result<std::shared_ptr<const Engine>> loaded = Load(Plan(lines));
    return loaded.ok() ? "" : loaded.status().message();
  };
  EXPECT_NE(refusal("in a 6 1 2\nout b 0 1 2\n").find("no array in JavaScript"), std::string::npos);
  EXPECT_NE(refusal("in a 3 1 2 host\nout b 0 1 2\n").find("shape tensor in host memory"), std::string::npos);
  EXPECT_NE(refusal("in a 1 4 1 8 2 2 format 2\nout b 0 1 2\n").find("channel % 8"), std::string::npos);
  EXPECT_NE(refusal("in a 0 1 2\n").find("no input or no output"), std::string::npos);
  const Result<std::shared_ptr<const Engine>> profile = Load(Plan(kDynamic), {false, 2});
  EXPECT_EQ(profile.status().code(), Code::kInvalidArgument);
  EXPECT_NE(profile.status().message().find("has 2 optimization profiles"), std::string::npos);
}

TEST_P(EngineTest, CarriesTensorRtsReasons) {
  const Result<std::shared_ptr<const Engine>> damaged = Load(Plan("rubbish\n"));
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.status().code(), Code::kTensorRt);
  EXPECT_NE(damaged.status().message().find("TensorRT says: deserializeCudaEngine: the plan is damaged"), std::string::npos)
      << damaged.status().message();
  EXPECT_EQ(damaged.status().call()->function, "deserializeCudaEngine");
  EXPECT_EQ(damaged.status().call()->number, 1);
  trt_->fail_method = "createInferRuntime";  // has no recorder yet: the logger's text
  EXPECT_NE(Load(Plan(kDynamic)).status().message().find("does not start. TensorRT says: injected failure"), std::string::npos);
  trt_->fail_method = "deserializeCudaEngine";
  trt_->fail_text = nullptr;
  EXPECT_NE(Load(Plan(kDynamic)).status().message().find("TensorRT gave no reason."), std::string::npos);
}

TEST_P(EngineTest, HostCodeRunsOnlyWhenItIsAllowed) {
  const std::string plan = Plan(std::string("host-code\n") + kDynamic);
  EXPECT_NE(Load(plan).status().message().find("host code is not allowed"), std::string::npos);
  EXPECT_FALSE(trt_->host_code_allowed);
  EXPECT_TRUE(Load(plan, {true, 0}).ok());
}

TEST_P(EngineTest, AFullDeviceIsNamedAsSuch) {
  const Result<std::shared_ptr<const Engine>> loaded = Load(Plan(std::string(kDynamic) + "weights 9000000000\n"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), Code::kOutOfDeviceMemory);
}

TEST_P(EngineTest, RunsEveryShapeOfItsProfile) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic);
  for (int round = 0; round < 4; ++round) {
    for (const std::int64_t rows : {1, 4, 2, 3}) ExpectEcho(*executor, rows, static_cast<float>(round * 100 + rows));
  }
  EXPECT_EQ(executor->statistics().runs, 16u);
}

TEST_P(EngineTest, RunsWithASecondProfile) {
  Result<std::shared_ptr<const Engine>> engine = Load(Plan(kDynamic), {false, 1});
  ASSERT_TRUE(engine.ok());
  const std::unique_ptr<Executor> executor = std::move(Executor::Create(engine.value(), {}).value());
  ExpectEcho(*executor, 5);
  ExpectEcho(*executor, 8);
  EXPECT_EQ(Echo(*executor, 4, 1).code(), Code::kInvalidArgument);
}

TEST_P(EngineTest, RefusesInputsThatDoNotFit) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic);
  std::vector<float> data(100);
  const auto refusal = [&](std::vector<InputView> inputs) {
    const Status status = executor->Submit(inputs);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.message();
  };
  EXPECT_NE(refusal({}).find("has 1 inputs, received 0"), std::string::npos);
  EXPECT_NE(
      refusal({{data.data(), 60, {5, 3}}}).find("has the shape [5, 3]; optimization profile 0 of the engine admits [1..4, 3]"),
      std::string::npos);
  EXPECT_NE(refusal({{data.data(), 0, {0, 3}}}).find("[0, 3]"), std::string::npos);
  EXPECT_NE(refusal({{data.data(), 12, {-1, 3}}}).find("[-1, 3]"), std::string::npos);
  EXPECT_NE(refusal({{data.data(), 12, {3}}}).find("[3]"), std::string::npos);
  EXPECT_NE(refusal({{data.data(), 13, {1, 3}}}).find("has 13 bytes"), std::string::npos);
  EXPECT_FALSE(executor->Wait().ok()) << "nothing was submitted";
  ExpectEcho(*executor, 2);
}

TEST_P(EngineTest, OutputsWhoseSizeIsKnownOnlyAfterTheRun) {
  const std::unique_ptr<Executor> executor = MakeExecutor("in images 0 2 1 6\nout kept 0 2 -2 2\nout count 3 1 1\n");
  std::vector<float> data = {1, 2, 3, 4, 5, 6};
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(executor->Submit({{data.data(), 24, {1, 6}}}).ok());
    const Result<std::vector<OutputView>> outputs = executor->Wait();
    ASSERT_TRUE(outputs.ok()) << outputs.status().message();
    EXPECT_EQ(outputs.value()[0].shape, (Shape{3, 2}));
    EXPECT_EQ(outputs.value()[0].bytes, 24u);
    EXPECT_EQ(std::memcmp(outputs.value()[0].data, data.data(), 24), 0);
    EXPECT_EQ(outputs.value()[1].shape, (Shape{1}));
  }
  EXPECT_EQ(executor->statistics().graphs_captured, 0u);
}

TEST_P(EngineTest, AShapeThatComesAgainIsCaptured) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic);
  for (int i = 0; i < 5; ++i) ExpectEcho(*executor, 2, static_cast<float>(i));
  EXPECT_EQ(executor->statistics().graphs_captured, 1u);
  EXPECT_EQ(executor->statistics().graph_launches, 3u);
  EXPECT_EQ(state().graph_launches, 3);
  const long enqueues = trt_->enqueues;
  ExpectEcho(*executor, 2);
  EXPECT_EQ(trt_->enqueues, enqueues) << "a launch does not go through TensorRT again";
}

TEST_P(EngineTest, GraphsAreBoundedAndTheOneThatComesLeastOftenGoes) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic, {2});
  for (const std::int64_t rows : {1, 1, 2, 2}) ExpectEcho(*executor, rows);
  EXPECT_EQ(trt_->contexts, 3) << "one for all shapes, one for each graph";
  ExpectEcho(*executor, 1);  // now 2 is the one that came least often
  for (const std::int64_t rows : {3, 3}) ExpectEcho(*executor, rows);
  EXPECT_EQ(executor->statistics().graphs_captured, 2u) << "it has not come more often than the others";
  for (int i = 0; i < 6; ++i) ExpectEcho(*executor, 3);
  EXPECT_EQ(executor->statistics().graphs_captured, 3u);
  EXPECT_EQ(trt_->contexts, 3);
  const std::uint64_t launches = executor->statistics().graph_launches;
  ExpectEcho(*executor, 1);
  ExpectEcho(*executor, 3);
  EXPECT_EQ(executor->statistics().graph_launches, launches + 2);
  ExpectEcho(*executor, 2);
  EXPECT_EQ(executor->statistics().graph_launches, launches + 2) << "it has no graph any more";
  EXPECT_EQ(executor->statistics().graphs_captured, 3u);
}

TEST_P(EngineTest, MoreShapesThanGraphsTakeThemNotFromEachOther) {
  constexpr int kRounds = 20;
  for (const std::int64_t shapes : {8, 9, 32}) {
    const std::unique_ptr<Executor> executor =
        MakeExecutor("in images 0 2 -1 3\nout scores 0 2 -1 3\nprofile 0 images 2 1 3 2 3 32 3\n");
    for (int round = 0; round < kRounds; ++round) {
      for (std::int64_t rows = 1; rows <= shapes; ++rows) ExpectEcho(*executor, rows, static_cast<float>(round));
    }
    EXPECT_EQ(executor->statistics().graphs_captured, 8u) << shapes;
    EXPECT_EQ(executor->statistics().graph_launches, 8u * (kRounds - 2)) << shapes << ": from the third round on";
  }
}

// Rows of three floats in and out take 24 bytes on the device.
constexpr char kLarge[] = "scratch 4096\nin images 0 2 -1 3\nout scores 0 2 -1 3\nprofile 0 images 2 1 3 2 3 100000 3\n";

TEST_P(EngineTest, GraphsMakeRoomForRunsThatNeedTheirMemory) {
  for (const bool pools : {true, false}) {
    SCOPED_TRACE(pools);
    state().memory_pools = pools;
    state().memory_bytes = 2 << 20;
    const std::unique_ptr<Executor> executor = MakeExecutor(kLarge);
    for (int round = 0; round < 3; ++round) {
      for (std::int64_t rows = 10000; rows < 10006; ++rows) ExpectEcho(*executor, rows);
    }
    EXPECT_EQ(executor->statistics().graph_launches, 6u);
    ExpectEcho(*executor, 60000);
    EXPECT_EQ(trt_->contexts, 1) << "no graph is left";
    EXPECT_EQ(executor->statistics().graphs_given_up, 0u);
    for (int i = 0; i < 40; ++i) ExpectEcho(*executor, 10000);
    EXPECT_GT(executor->statistics().graph_launches, 6u) << "captured again after a while";
    state().memory_bytes = 1 << 20;
    EXPECT_EQ(Echo(*executor, 100000, 1).code(), Code::kOutOfDeviceMemory) << "nothing left to give up";
    ExpectEcho(*executor, 10000);
  }
}

TEST_P(EngineTest, GraphsOfRarerShapesMakeRoomForAGraph) {
  state().memory_bytes = 4 << 20;
  const std::unique_ptr<Executor> executor = MakeExecutor(kLarge);
  for (int round = 0; round < 2; ++round) {
    for (const std::int64_t rows : {30000, 30001}) ExpectEcho(*executor, rows);
  }
  EXPECT_EQ(executor->statistics().graphs_captured, 2u);
  for (int i = 0; i < 2; ++i) ExpectEcho(*executor, 60000);
  EXPECT_EQ(executor->statistics().graphs_given_up, 1u);
  EXPECT_NE(executor->statistics().last_capture_failure.find("asked of device"), std::string::npos);
  ExpectEcho(*executor, 30000);
  EXPECT_EQ(executor->statistics().graph_launches, 1u) << "they stay: the other one has not come more often";
  for (int i = 0; i < 40; ++i) ExpectEcho(*executor, 60000);
  EXPECT_EQ(executor->statistics().graphs_given_up, 1u);
  EXPECT_EQ(executor->statistics().graphs_captured, 3u);
  EXPECT_GT(executor->statistics().graph_launches, 1u);
}

TEST_P(EngineTest, WithoutGraphsThereIsOneContext) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic, {0});
  for (int i = 0; i < 6; ++i) ExpectEcho(*executor, 1 + i % 2);
  EXPECT_EQ(trt_->contexts, 1);
  EXPECT_EQ(state().graph_launches, 0);
}

TEST_P(EngineTest, ACaptureThatFailsIsGivenUpAndTheRunSucceeds) {
  for (const char* function : {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"}) {
    const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic);
    ExpectEcho(*executor, 2);
    FailNext(function, 900);
    ExpectEcho(*executor, 2);
    EXPECT_EQ(executor->statistics().graphs_given_up, 1u) << function;
    EXPECT_NE(executor->statistics().last_capture_failure.find("(900)"), std::string::npos)
        << executor->statistics().last_capture_failure;
    for (int i = 0; i < 3; ++i) ExpectEcho(*executor, 2);
    EXPECT_EQ(executor->statistics().graph_launches, 0u) << "it is not tried again at every run";
    for (int i = 0; i < 3; ++i) ExpectEcho(*executor, 3);
    EXPECT_EQ(executor->statistics().graph_launches, 1u) << "other shapes are not affected";
    for (int i = 0; i < 40; ++i) ExpectEcho(*executor, 2);
    EXPECT_GT(executor->statistics().graph_launches, 1u) << "but later";
    EXPECT_EQ(executor->statistics().graphs_given_up, 1u) << function;
  }
}

TEST_P(EngineTest, AbandonedRunsDoNotDisturbTheNext) {
  const std::unique_ptr<Executor> executor = MakeExecutor(kDynamic);
  std::vector<float> data(12, 9);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(executor->Submit({{data.data(), 48, {4, 3}}}).ok());
  ExpectEcho(*executor, 4);
  ASSERT_TRUE(executor->Submit({{data.data(), 48, {4, 3}}}).ok());
}

TEST_P(EngineTest, SeveralExecutorsOfOneEngine) {
  Result<std::shared_ptr<const Engine>> engine = Load(Plan(kDynamic));
  ASSERT_TRUE(engine.ok());
  const std::unique_ptr<Executor> first = std::move(Executor::Create(engine.value(), {}).value());
  const std::unique_ptr<Executor> second = std::move(Executor::Create(engine.value(), {}).value());
  for (int i = 0; i < 4; ++i) {
    ExpectEcho(*first, 1, static_cast<float>(i));
    ExpectEcho(*second, 4, static_cast<float>(-i));
  }
}

TEST_P(EngineTest, SurvivesTheFailureOfEveryDriverCall) {
  ExpectToSurviveEveryFailure([this] { return LoadAndRun(); });
}

TEST_P(EngineTest, SurvivesTheFailureOfEveryTensorRtCall) {
  ExpectToSurviveEveryTensorRtFailure([this] { return LoadAndRun(); });
}

}  // namespace
}  // namespace im::trt
