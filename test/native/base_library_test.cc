#include "base/library.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace im {
namespace {

namespace fs = std::filesystem;

const std::string kFakes = IM_FAKES;

LibrarySearch Only(std::vector<std::string> names, const char* symbol) {
  LibrarySearch search;
  search.names = std::move(names);
  search.ask_loader = false;
  search.symbol = symbol;
  return search;
}

TEST(LibraryOpen, LooksInTheConfiguredFolderFirst) {
  LibrarySearch search = Only({"libcudart.so.12"}, "cudaRuntimeGetVersion");
  search.configured = kFakes + "/cuda";
  search.folders = {kFakes + "/versions"};
  const Result<Library> opened = Library::Open(search);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened.value().path(), kFakes + "/cuda/libcudart.so.12");
  EXPECT_NE(opened.value().Find("cudaRuntimeGetVersion"), nullptr);
  EXPECT_EQ(opened.value().Find("no_such_function"), nullptr);
}

TEST(LibraryOpen, TakesAFileForItselfOrItsNeighbours) {
  LibrarySearch search = Only({"libcudart.so.13"}, "cudaRuntimeGetVersion");
  search.configured = kFakes + "/cuda/libcudart.so.12";
  EXPECT_TRUE(Library::Open(search).ok());
  search = Only({"libnvidia-ml.so.1"}, "nvmlInit_v2");
  search.configured = kFakes + "/cuda/libcuda.so.1";
  const Result<Library> neighbour = Library::Open(search);
  ASSERT_TRUE(neighbour.ok()) << neighbour.status().message();
  EXPECT_EQ(neighbour.value().path(), kFakes + "/cuda/libnvidia-ml.so.1");
}

TEST(LibraryOpen, AsksTheLoaderAndSaysWhereThatFoundIt) {
  LibrarySearch search = Only({"libnothing.so.9", "libm.so.6"}, "cos");
  search.ask_loader = true;
  const Result<Library> opened = Library::Open(search);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_NE(opened.value().path().find('/'), std::string::npos);
}

TEST(LibraryOpen, ContinuesAfterAFileThatDoesNotDo) {
  LibrarySearch search = Only({"libcuda.so.1"}, "cuInit");
  search.folders = {kFakes + "/wrong", kFakes + "/cuda"};
  const Result<Library> opened = Library::Open(search);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened.value().path(), kFakes + "/cuda/libcuda.so.1");
}

TEST(LibraryOpen, TellsWhatIsMissingFromWhatCannotBeOpened) {
  LibrarySearch search = Only({"libnothing.so.9"}, "cos");
  search.ask_loader = true;
  search.folders = {kFakes + "/versions"};
  EXPECT_EQ(Library::Open(search).status().reason(), Reason::kLibraryMissing);
  search.names = {"libm.so.6"};
  search.symbol = "no_such_function";
  EXPECT_EQ(Library::Open(search).status().reason(), Reason::kLibraryNotLoadable);
}

TEST(LibraryOpen, SaysWhatHappenedAtEveryPlace) {
  const fs::path folder = fs::path(testing::TempDir()) / "im-library";
  fs::create_directories(folder);
  std::ofstream(folder / "libcuda.so.1") << "not a library";
  LibrarySearch search = Only({"libcuda.so.1"}, "cuInit");
  search.configured = "/nowhere/at/all";
  search.ask_loader = false;
  search.folders = {kFakes + "/wrong", folder.string(), kFakes + "/versions"};
  const Result<Library> opened = Library::Open(search);
  fs::remove_all(folder);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().reason(), Reason::kLibraryNotLoadable);
  const std::string& reason = opened.status().message();
  EXPECT_NE(reason.find("/nowhere/at/all: does not exist"), std::string::npos) << reason;
  EXPECT_NE(reason.find("has no function cuInit"), std::string::npos) << reason;
  EXPECT_NE(reason.find((folder / "libcuda.so.1").string()), std::string::npos) << reason;
  EXPECT_NE(reason.find("no libcuda.so.1 in " + kFakes + "/versions"), std::string::npos) << reason;
}

}  // namespace
}  // namespace im
