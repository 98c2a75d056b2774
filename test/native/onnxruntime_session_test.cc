#include "onnxruntime/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
// The library keeps a few bytes of its own for good when it is opened; what sessions and values leak is still found.
using LeaksAllowed = __lsan::ScopedDisabler;
#else
struct LeaksAllowed {
  LeaksAllowed() {}
};
#endif

namespace im::ort {
namespace {

namespace fs = std::filesystem;

const fs::path kRepository = fs::path(__FILE__).parent_path().parent_path().parent_path();
const fs::path kLibrary = kRepository / "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1";
const fs::path kModel = kRepository / "assets/models/mediapipe-face-detector/weights.onnx";

TEST(ElementCount, MultipliesOrRefuses) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(ElementCount({}), 1u);
  EXPECT_EQ(ElementCount({2, 3}), 6u);
  EXPECT_EQ(ElementCount({kLargest, 0}), 0u);
  EXPECT_EQ(ElementCount({0, kLargest, kLargest}), 0u);
  EXPECT_EQ(ElementCount({-1}), std::nullopt);
  EXPECT_EQ(ElementCount({0, -1}), std::nullopt);
  EXPECT_EQ(ElementCount({std::int64_t{1} << 32, std::int64_t{1} << 32}), std::nullopt);
  EXPECT_EQ(ElementCount({std::int64_t{1} << 62}), std::nullopt);
}

TEST(ElementSize, KnowsWholeBytesOnly) {
  EXPECT_EQ(ElementSize(1), 4u);
  EXPECT_EQ(ElementSize(9), 1u);
  EXPECT_EQ(ElementSize(10), 2u);
  for (const int type : {-1, 0, 8, 14, 17, 21, 22, 26, 1000}) EXPECT_EQ(ElementSize(type), 0u) << type;
  EXPECT_STREQ(ElementName(22), "int4");
  EXPECT_STREQ(ElementName(-5), "unknown");
}

TEST(RuntimeOpen, SaysWhyAFileCannotBeUsed) {
  // Another test may have opened the library; then both are refused for that reason, which OneLibraryPerProcess covers.
  if (Runtime::Get() != nullptr) GTEST_SKIP() << "A library is open already.";
  const Result<const Runtime*> missing = Runtime::Open("/nowhere/libonnxruntime.so");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.status().message().find("/nowhere/libonnxruntime.so"), std::string::npos);
  const Result<const Runtime*> other = Runtime::Open("libm.so.6");
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.status().message().find("OrtGetApiBase"), std::string::npos);
}

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kLibrary)) GTEST_SKIP() << "onnxruntime-node is not installed: " << kLibrary;
    const Result<const Runtime*> opened = [] {
      const LeaksAllowed leaks_allowed;
      const Result<const Runtime*> runtime = Runtime::Open(kLibrary.string());
      if (runtime.ok()) EXPECT_TRUE(runtime.value()->Environment().ok());
      return runtime;
    }();
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    runtime_ = opened.value();
  }

  Result<std::unique_ptr<Session>> Create(const ModelSource& model, std::vector<Provider> providers = {}) {
    SessionConfiguration configuration;
    configuration.providers = std::move(providers);
    LoadCancellation cancellation;
    return Session::Create(*runtime_, model, configuration, cancellation);
  }

  const Runtime* runtime_ = nullptr;
};

TEST_F(SessionTest, OneLibraryPerProcess) {
  EXPECT_GE(runtime_->api(), kMinimumApi);
  EXPECT_EQ(Runtime::Open(kLibrary.string()).value(), runtime_);
  EXPECT_EQ(Runtime::Open((kLibrary.parent_path() / "." / kLibrary.filename()).string()).value(), runtime_);
  EXPECT_EQ(runtime_->Environment().value(), runtime_->Environment().value());
  const Result<const Runtime*> other = Runtime::Open("/nowhere/libonnxruntime.so");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.status().code(), Code::kInvalidArgument);
}

TEST_F(SessionTest, RunsFromSeveralThreadsWithTheSameResult) {
  Result<std::unique_ptr<Session>> created = Create({kModel.string()});
  ASSERT_TRUE(created.ok()) << created.status().message();
  const Session& session = *created.value();
  ASSERT_EQ(session.inputs().size(), 1u);
  EXPECT_EQ(session.providers(), std::vector<std::string>{"CPU"});

  std::vector<std::int64_t> dims;
  for (const Dimension& dimension : session.inputs()[0].dims) dims.push_back(dimension.size < 0 ? 1 : dimension.size);
  std::vector<float> input(*ElementCount(dims));
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::sin(static_cast<float>(i));
  std::vector<std::string> names;
  for (const Port& port : session.outputs()) names.push_back(port.name);

  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      std::vector<Owned<OrtValue>> inputs;
      inputs.push_back(std::move(WrapTensor(*runtime_, input.data(), input.size() * sizeof(float), dims, 1).value()));
      Result<std::vector<OutputTensor>> outputs = session.Run(nullptr, {session.inputs()[0].name}, inputs, names);
      ASSERT_TRUE(outputs.ok()) << outputs.status().message();
      for (const OutputTensor& output : outputs.value()) {
        ASSERT_EQ(output.bytes, *ElementCount(output.dims) * sizeof(float));
        const auto* values = static_cast<const float*>(output.data);
        result.insert(result.end(), values, values + output.bytes / sizeof(float));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(results[0].empty());
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

TEST_F(SessionTest, WrongInputsFailWithTheStageOfTheRun) {
  Result<std::unique_ptr<Session>> created = Create({kModel.string()});
  ASSERT_TRUE(created.ok());
  float value = 0;
  std::vector<Owned<OrtValue>> inputs;
  inputs.push_back(std::move(WrapTensor(*runtime_, &value, sizeof(value), {1}, 1).value()));
  const auto wrong_shape =
      created.value()->Run(nullptr, {created.value()->inputs()[0].name}, inputs, {created.value()->outputs()[0].name});
  ASSERT_FALSE(wrong_shape.ok());
  EXPECT_EQ(wrong_shape.status().stage(), "onnxruntime.run");
  EXPECT_FALSE(WrapTensor(*runtime_, &value, sizeof(value), {2}, 1).ok());
}

TEST_F(SessionTest, DamagedModelsFailWhileLoading) {
  const std::string text = "not a model";
  const auto from_bytes = Create({"", text.data(), text.size()});
  ASSERT_FALSE(from_bytes.ok());
  EXPECT_EQ(from_bytes.status().stage(), "onnxruntime.load");
  EXPECT_FALSE(Create({"/nowhere/model.onnx"}).ok());
}

TEST_F(SessionTest, ProvidersArePassedOverOnlyWhenAnotherFollows) {
  const Provider unknown{"Nonsense", {}};
  const Provider cpu{"CPU", {}};
  const auto refused = Create({kModel.string()}, {unknown});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().stage(), "onnxruntime.provider");
  EXPECT_NE(refused.status().message().find("Nonsense"), std::string::npos);
  const auto passed_over = Create({kModel.string()}, {unknown, cpu});
  ASSERT_TRUE(passed_over.ok());
  EXPECT_EQ(passed_over.value()->providers(), std::vector<std::string>{"CPU"});
}

TEST_F(SessionTest, ACancelledCreationIsToldFromAFailedOne) {
  LoadCancellation cancellation;
  cancellation.Request();
  const auto cancelled = Session::Create(*runtime_, {kModel.string()}, {}, cancellation);
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.status().code(), Code::kCancelled);
}

TEST_F(SessionTest, StringsGoInAndComeOut) {
  const std::vector<std::string> strings = {"", "a", "gr\xC3\xB6\xC3\x9F"};
  Result<Owned<OrtValue>> value = MakeStringTensor(*runtime_, strings, {3, 1});
  ASSERT_TRUE(value.ok());
  Result<OutputTensor> tensor = ReadTensor(*runtime_, std::move(value.value()), "s");
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(tensor.value().strings, strings);
  EXPECT_EQ(tensor.value().dims, (std::vector<std::int64_t>{3, 1}));
  EXPECT_FALSE(ReadTensor(*runtime_, nullptr, "none").ok());
}

}  // namespace
}  // namespace im::ort
