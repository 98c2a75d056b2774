#include "cuda/probe.h"

#include "fakes/cuda_fixture.h"

namespace im::cuda {
namespace {

const std::string kFakes = IM_FAKES;

LibrarySearch Only(LibrarySearch search, const std::string& folder) {
  search.configured = folder;
  search.ask_loader = false;
  search.folders.clear();
  return search;
}

class ProbeTest : public FakeDriverTest {};

TEST_F(ProbeTest, DescribesEveryDevice) {
  state().devices = 2;
  const DriverReport report = ProbeDriver(FakeDriverSearch());
  EXPECT_EQ(report.library.path, kFakes + "/cuda/libcuda.so.1");
  EXPECT_EQ(report.library.version, "12.4");
  EXPECT_EQ(report.library.reason, "");
  ASSERT_EQ(report.devices.size(), 2u);
  EXPECT_EQ(report.devices[1].name, "Stand-in GPU 1");
  EXPECT_EQ(report.devices[1].compute_capability_major, 8);
  EXPECT_EQ(report.devices[1].compute_capability_minor, 9);
  EXPECT_EQ(report.devices[1].memory_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(report.devices[1].multiprocessors, 58);
  EXPECT_EQ(report.devices[1].uuid, "GPU-01112131-4151-6171-8191-a1b1c1d1e1f1");
}

TEST_F(ProbeTest, ADriverWithoutDevicesIsFoundAndSaysSo) {
  state().devices = 0;
  const DriverReport report = ProbeDriver(FakeDriverSearch());
  EXPECT_EQ(report.library.version, "12.4");
  EXPECT_TRUE(report.devices.empty());
  EXPECT_NE(report.library.reason.find("CUDA_ERROR_NO_DEVICE (100)"), std::string::npos) << report.library.reason;
  EXPECT_NE(report.library.reason.find("nvidia-smi"), std::string::npos) << report.library.reason;
}

TEST_F(ProbeTest, ADeviceThatCannotBeDescribedEndsTheList) {
  for (const char* function :
       {"cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceTotalMem_v2", "cuDeviceGetAttribute"}) {
    state() = FakeCudaState();
    FailNext(function, 999);
    const DriverReport report = ProbeDriver(FakeDriverSearch());
    EXPECT_TRUE(report.devices.empty()) << function;
    EXPECT_NE(report.library.reason.find("(999)"), std::string::npos) << function << ": " << report.library.reason;
    EXPECT_EQ(ProbeDriver(FakeDriverSearch()).devices.size(), 1u) << function;
  }
  FailNext("cuDeviceGetUuid", 999);
  EXPECT_EQ(ProbeDriver(FakeDriverSearch()).devices.at(0).uuid, "");
}

TEST_F(ProbeTest, ReadsTheMemoryOfADevice) {
  state().memory_bytes = std::size_t{3} << 20;
  const Result<MemoryReport> memory = ReadMemory(FakeDriverSearch(), 0);
  ASSERT_TRUE(memory.ok()) << memory.status().message();
  EXPECT_EQ(memory.value().total_bytes, std::uint64_t{3} << 20);
  EXPECT_EQ(memory.value().free_bytes, std::uint64_t{3} << 20);
  EXPECT_EQ(state().retained_contexts, 0) << "the context is given back";
  const Status none = ReadMemory(FakeDriverSearch(), 7).status();
  EXPECT_NE(none.message().find("the driver lists 1"), std::string::npos) << none.message();
  EXPECT_FALSE(ReadMemory(Only(DriverSearch(""), kFakes + "/versions"), 0).ok());
  for (const char* function : {"cuInit", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent", "cuMemGetInfo_v2"}) {
    FailNext(function, 999);
    EXPECT_NE(ReadMemory(FakeDriverSearch(), 0).status().message().find("(999)"), std::string::npos) << function;
    EXPECT_EQ(state().retained_contexts, 0) << function;
  }
}

TEST_F(ProbeTest, NothingInstalled) {
  const DriverReport driver = ProbeDriver(Only(DriverSearch(""), kFakes + "/versions"));
  EXPECT_EQ(driver.library.path, "");
  EXPECT_EQ(driver.library.version, "");
  EXPECT_NE(driver.library.reason, "");
  EXPECT_TRUE(driver.devices.empty());
  for (const LibraryReport& report : {ProbeNvml(Only(NvmlSearch(""), kFakes + "/versions")),
                                      ProbeCudaRuntime(Only(CudaRuntimeSearch(""), kFakes + "/versions"))}) {
    EXPECT_EQ(report.path, "");
    EXPECT_EQ(report.version, "");
    EXPECT_NE(report.reason, "");
  }
}

TEST_F(ProbeTest, ReadsTheVersionsOfNvmlAndTheRuntime) {
  const LibraryReport nvml = ProbeNvml(Only(NvmlSearch(""), kFakes + "/cuda"));
  EXPECT_EQ(nvml.version, "550.54.15");
  EXPECT_EQ(nvml.reason, "");
  const LibraryReport runtime = ProbeCudaRuntime(Only(CudaRuntimeSearch(""), kFakes + "/cuda"));
  EXPECT_EQ(runtime.version, "12.6");
  EXPECT_EQ(runtime.reason, "");
}

TEST_F(ProbeTest, AnNvmlThatDoesNotStartIsFoundAndSaysWhy) {
  const LibraryReport nvml = ProbeNvml(Only(NvmlSearch(""), kFakes + "/failing"));
  EXPECT_EQ(nvml.path, kFakes + "/failing/libnvidia-ml.so.1");
  EXPECT_EQ(nvml.version, "");
  EXPECT_NE(nvml.reason.find("nvmlInit_v2 failed with 18, Driver/library version mismatch"), std::string::npos) << nvml.reason;
}

TEST_F(ProbeTest, ADriverThatListsNoDeviceIsAFailureWithAReason) {
  const Result<Driver> driver = Driver::Open(FakeDriverSearch());
  ASSERT_TRUE(driver.ok() && driver.value().Initialize().ok());
  state().devices = 0;
  int count = 1;
  const Status none = driver.value().CountDevices(&count);
  EXPECT_EQ(none.reason(), Reason::kNoGpu);
  EXPECT_NE(none.message().find("CUDA_VISIBLE_DEVICES"), std::string::npos) << none.message();
}

TEST_F(ProbeTest, ErrorsSayWhatToDo) {
  const Result<Driver> driver = Driver::Open(FakeDriverSearch());
  ASSERT_TRUE(driver.ok());
  const Status memory = driver.value().Check(2, "cuMemAlloc");
  EXPECT_EQ(memory.code(), Code::kOutOfDeviceMemory);
  EXPECT_EQ(memory.message().find("cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory. Use smaller batches"), 0u)
      << memory.message();
  ASSERT_TRUE(memory.call().has_value());
  EXPECT_EQ(memory.call()->function, "cuMemAlloc");
  EXPECT_EQ(memory.call()->number, 2);
  EXPECT_EQ(driver.value().Check(54321, "cuCtx").message(), "cuCtx failed: CUDA error (54321).");
  EXPECT_TRUE(driver.value().Check(0, "cuInit").ok());
  EXPECT_TRUE(driver.value().RequireComplete().ok());
}

}  // namespace
}  // namespace im::cuda
