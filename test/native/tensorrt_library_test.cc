#include "tensorrt/library.h"

#include <gtest/gtest.h>

namespace im::trt {
namespace {

const std::string kFakes = IM_FAKES;

TEST(FindInferLibraries, ListsWhatIsThereNewestFirst) {
  const std::vector<FoundLibrary> found = FindInferLibraries(kFakes + "/versions", true);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_STREQ(KindName(found[0].kind), "lean");
  EXPECT_EQ(found[0].version, "11.4.0");
  EXPECT_STREQ(KindName(found[1].kind), "full");
  EXPECT_EQ(found[1].path, kFakes + "/versions/libnvinfer.so.10");
  EXPECT_EQ(found[1].version, "10.15.1.29");
  EXPECT_STREQ(KindName(found[2].kind), "dispatch");
  EXPECT_EQ(found[2].version, "10.3.0");
  for (const FoundLibrary& library : found) EXPECT_EQ(library.reason, "");
}

TEST(FindInferLibraries, NothingIsOneEntryWithTheReason) {
  const std::vector<FoundLibrary> found = FindInferLibraries(kFakes + "/cuda", true);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::kFull);
  EXPECT_EQ(found[0].path, "");
  EXPECT_NE(found[0].reason.find("libnvinfer.so.11"), std::string::npos) << found[0].reason;
  EXPECT_NE(found[0].reason.find("libnvinfer.so.10"), std::string::npos) << found[0].reason;
}

TEST(FindInferLibraries, RefusesOtherMajorsUnderARightName) {
  const std::vector<FoundLibrary> found = FindInferLibraries(kFakes + "/old", true);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].reason.find("TensorRT 8.6.1"), std::string::npos) << found[0].reason;
}

TEST(OpenInferLibraryFor, PrefersTheMajorThenTheKind) {
  const auto kind = [](const Version& plan) {
    const Result<InferLibrary> opened = OpenInferLibraryFor(plan, kFakes + "/versions", true);
    return opened.ok() ? KindName(opened.value().kind()) + opened.value().version().Text() : opened.status().message();
  };
  EXPECT_EQ(kind({10, 3, 0, 1}), "full10.15.1.29");
  EXPECT_EQ(kind({11, 0, 0, 1}), "lean11.4.0");
}

TEST(OpenInferLibraryFor, PassesOverWhatMayNotLoadThePlan) {
  // The lean 11.4 is newer than the plan, the full 10.15 and the dispatch 10.3 are older.
  const Result<InferLibrary> lean = OpenInferLibraryFor({10, 16, 0, 1}, kFakes + "/versions", true);
  ASSERT_TRUE(lean.ok()) << lean.status().message();
  EXPECT_EQ(lean.value().version().Text(), "11.4.0");
  const Status none = OpenInferLibraryFor({11, 5, 0, 1}, kFakes + "/versions", true).status();
  EXPECT_EQ(none.reason(), Reason::kEngineNewer);
  for (const char* version : {"11.4.0", "10.15.1.29", "10.3.0"})
    EXPECT_NE(none.message().find(version), std::string::npos) << none.message();
}

TEST(OpenInferLibraryFor, TheDispatchLibraryNeedsToBeAllowedWhatItRuns) {
  const Result<InferLibrary> allowed = OpenInferLibraryFor({10, 3, 0, 1}, kFakes + "/dispatch", true);
  ASSERT_TRUE(allowed.ok()) << allowed.status().message();
  EXPECT_EQ(allowed.value().kind(), Kind::kDispatch);
  const Status refused = OpenInferLibraryFor({10, 3, 0, 1}, kFakes + "/dispatch", false).status();
  EXPECT_NE(refused.message().find("engineHostCodeAllowed"), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find(kFakes + "/dispatch/libnvinfer_dispatch.so.11"), std::string::npos) << refused.message();
}

TEST(FindParser, HasAVersionOfItsOwn) {
  EXPECT_EQ(FindParser(kFakes + "/versions", true).version, "0.1.0");
  const FoundLibrary missing = FindParser(kFakes + "/cuda", true);
  EXPECT_EQ(missing.path, "");
  EXPECT_NE(missing.reason, "");
}

TEST(Version, CountsAsTensorRtDoes) {
  EXPECT_EQ((Version{10, 15, 1, 29}.number()), 101501);
  EXPECT_EQ((Version{11, 0, 0, 0}.Text()), "11.0.0");
}

}  // namespace
}  // namespace im::trt
