#include "tensorrt/plan.h"

#include <gtest/gtest.h>

#include <string>

#include "fakes/fake_tensorrt.h"

namespace im::trt {
namespace {

std::string Refusal(const std::string& bytes) {
  const Result<Version> version = ReadPlanVersion(bytes.data(), bytes.size());
  return version.ok() ? "" : version.status().message();
}

TEST(ReadPlanVersion, ReadsWhatBuiltIt) {
  const std::string plan = FakePlan(10, 3, 0, 26, "weights");
  const Result<Version> version = ReadPlanVersion(plan.data(), plan.size());
  ASSERT_TRUE(version.ok()) << version.status().message();
  EXPECT_EQ(version.value().Text(), "10.3.0.26");
}

TEST(ReadPlanVersion, RefusesWhatIsNoPlanInWords) {
  EXPECT_NE(Refusal("").find("empty"), std::string::npos);
  EXPECT_NE(Refusal("<!DOCTYPE html><html>").find("web page"), std::string::npos);
  EXPECT_NE(Refusal("version https://git-lfs.github.com/spec/v1").find("git lfs pull"), std::string::npos);
  EXPECT_NE(Refusal("\x08\x07\x12\x04ONNX").find("ONNX"), std::string::npos);
  EXPECT_NE(Refusal("ftr").find("no TensorRT engine"), std::string::npos);
}

TEST(ReadPlanVersion, RefusesEveryTruncationOfTheHeader) {
  const std::string plan = FakePlan(10, 3, 0, 26, "");
  for (std::size_t size = 4; size <= plan.size(); ++size) {
    EXPECT_NE(Refusal(plan.substr(0, size)).find("cut off"), std::string::npos) << size;
  }
  std::string newer = FakePlan(10, 3, 0, 26, "weights");
  newer[4] = 1;
  EXPECT_NE(Refusal(newer).find("form 1"), std::string::npos);
}

TEST(CheckPlanVersion, AsksForPermissionBeforeHostCode) {
  const Version library{10, 15, 1, 29};
  EXPECT_TRUE(CheckPlanVersion({10, 15, 1, 7}, library, false).ok());
  EXPECT_TRUE(CheckPlanVersion({10, 3, 0, 26}, library, true).ok());
  const Status refused = CheckPlanVersion({10, 3, 0, 26}, library, false);
  EXPECT_NE(refused.message().find("built by TensorRT 10.3.0.26, installed is 10.15.1.29"), std::string::npos)
      << refused.message();
  EXPECT_NE(refused.message().find("engineHostCodeAllowed"), std::string::npos);
  EXPECT_FALSE(CheckPlanVersion({11, 0, 0, 0}, library, true).ok());
  EXPECT_FALSE(CheckPlanVersion({10, 16, 0, 0}, library, true).ok());
}

}  // namespace
}  // namespace im::trt
