// For tests that use the stand-ins for TensorRT, in three versions of the interface: before and after the methods of 10.1,
// and 11.
#pragma once

#include <memory>
#include <string>

#include "fakes/cuda_fixture.h"
#include "fakes/fake_tensorrt.h"
#include "tensorrt/library.h"

namespace im::trt {

struct Release {
  const char* folder;
  int major;
  int minor;
  int patch;
};
inline constexpr Release kReleases[] = {{"trt10.0", 10, 0, 1}, {"trt10.15", 10, 15, 1}, {"trt11.1", 11, 1, 0}};

inline std::string ReleaseName(const testing::TestParamInfo<Release>& release) {
  return "v" + std::to_string(release.param.major) + "_" + std::to_string(release.param.minor);
}

class FakeTensorRtTest : public cuda::FakeDriverTest, public testing::WithParamInterface<Release> {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    LibrarySearch search = InferSearch(Kind::kFull, GetParam().major, folder());
    search.ask_loader = false;
    search.folders.clear();
    Result<InferLibrary> opened = InferLibrary::Open(Kind::kFull, search);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    library_ = std::make_unique<InferLibrary>(std::move(opened.value()));
    trt_ = FakeTrtState::Attach(library_->library().path().c_str());
    ASSERT_NE(trt_, nullptr);
    *trt_ = FakeTrtState();
  }
  void TearDown() override {
    EXPECT_EQ(trt_->alive(), 0);
    FakeDriverTest::TearDown();
  }

  std::string folder() const { return std::string(IM_FAKES) + "/" + GetParam().folder; }

  // Runs `scenario`, which returns a Status, with every one of its TensorRT calls failing in turn. Each time it has to answer a
  // typed error with TensorRT's reason or have been able to do without that call, leave nothing alive, and work when it is run
  // again.
  template <typename Scenario>
  void ExpectToSurviveEveryTensorRtFailure(Scenario scenario) {
    for (long n = 1;; ++n) {
      ASSERT_LT(n, 1000) << "the scenario never ends";
      *trt_ = FakeTrtState();
      trt_->fail_at = n;
      const Status failed = scenario();
      const char* method = trt_->failed_method;
      if (method == nullptr) {
        EXPECT_TRUE(failed.ok()) << failed.message();
        break;
      }
      if (!failed.ok()) {
        EXPECT_EQ(failed.code(), Code::kTensorRt) << method;
        EXPECT_NE(failed.message().find("injected failure"), std::string::npos) << method << ": " << failed.message();
        EXPECT_TRUE(failed.call().has_value()) << method;
      }
      EXPECT_EQ(trt_->alive(), 0) << method;
      EXPECT_EQ(state().alive(), 0) << method;
      *trt_ = FakeTrtState();
      const Status again = scenario();
      EXPECT_TRUE(again.ok()) << again.message();
    }
  }

  std::unique_ptr<InferLibrary> library_;
  FakeTrtState* trt_ = nullptr;
};

}  // namespace im::trt
