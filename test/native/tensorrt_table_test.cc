// The declarations against the measured facts. What they do not contradict is all that keeps calls from landing in the wrong
// function.
#include "tensorrt/table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "data/tensorrt_abi.h"
#include "tensorrt/interfaces.h"

namespace im::trt {
namespace {

// Which slot of the vtable a pointer to a virtual member function stands for (Itanium C++ ABI).
template <typename Function>
int SlotOf(Function function) {
  std::intptr_t words[2] = {};
  static_assert(sizeof function == sizeof words);
  std::memcpy(words, &function, sizeof words);
#if defined(__aarch64__)
  return static_cast<int>(words[0] / static_cast<std::intptr_t>(sizeof(void*)));
#else
  return static_cast<int>((words[0] - 1) / static_cast<std::intptr_t>(sizeof(void*)));
#endif
}

void ExpectMethod(const char* interface, const char* method, int major, int slot, int since) {
  const abi::SlotFact* fact = abi::FindSlot(major, interface, method);
  const std::string what = std::string(interface) + "::" + method + " in " + std::to_string(major);
  if (slot == kAbsent) {
    EXPECT_EQ(fact, nullptr) << what;
    return;
  }
  ASSERT_NE(fact, nullptr) << what;
  EXPECT_EQ(slot, fact->slot) << what;
  // Version 11 has all that 10 got, so there the first version is of no account.
  if (major == 10) {
    EXPECT_EQ(since, fact->since) << what;
  }
}

TEST(Methods, HaveTheMeasuredSlots) {
  int checked = 0;
#define CHECK_METHOD(object, interface, name, slot_10, slot_11, first, ...) \
  ExpectMethod(#interface, #name, 10, slot_10, first);                      \
  ExpectMethod(#interface, #name, 11, slot_11, first);                      \
  ++checked;
  IM_TRT_METHODS(CHECK_METHOD)
#undef CHECK_METHOD
  EXPECT_GT(checked, 60);
}

TEST(Methods, AreAbsentBeforeTheirVersion) {
  EXPECT_FALSE(Caller(100001).Has<method::Engine_getDeviceMemorySizeV2>());
  EXPECT_TRUE(Caller(100100).Has<method::Engine_getDeviceMemorySizeV2>());
  EXPECT_TRUE(Caller(101600).Has<method::Engine_getDeviceMemorySize>());
  EXPECT_FALSE(Caller(110000).Has<method::Engine_getDeviceMemorySize>());
}

void ExpectSlot(const char* interface, const char* method, int slot, std::initializer_list<int> majors) {
  for (const int major : majors) {
    const abi::SlotFact* fact = abi::FindSlot(major, interface, method);
    ASSERT_NE(fact, nullptr) << interface << "::" << method << " in " << major;
    EXPECT_EQ(slot, fact->slot) << interface << "::" << method << " in " << major;
  }
}

TEST(Interfaces, HaveTheMeasuredSlots) {
  ExpectSlot("ILogger", "log", SlotOf(&Logger10::log), {10});
  ExpectSlot("ILogger", "log", SlotOf(&Logger11::log), {11});
  ExpectSlot("IVersionedInterface", "getAPILanguage", SlotOf(&VersionedInterface::getAPILanguage), {10, 11});
  ExpectSlot("IVersionedInterface", "getInterfaceInfo", SlotOf(&VersionedInterface::getInterfaceInfo), {10, 11});
#define CHECK(interface, type, name) ExpectSlot(#interface, #name, SlotOf(&type::name), {10, 11})
  CHECK(IErrorRecorder, ErrorRecorder, getNbErrors);
  CHECK(IErrorRecorder, ErrorRecorder, getErrorCode);
  CHECK(IErrorRecorder, ErrorRecorder, getErrorDesc);
  CHECK(IErrorRecorder, ErrorRecorder, hasOverflowed);
  CHECK(IErrorRecorder, ErrorRecorder, clear);
  CHECK(IErrorRecorder, ErrorRecorder, reportError);
  CHECK(IErrorRecorder, ErrorRecorder, incRefCount);
  CHECK(IErrorRecorder, ErrorRecorder, decRefCount);
  CHECK(IGpuAllocator, GpuAllocator, allocate);
  CHECK(IGpuAllocator, GpuAllocator, reallocate);
  CHECK(IGpuAllocator, GpuAllocator, deallocate);
  CHECK(IGpuAllocator, GpuAllocator, allocateAsync);
  CHECK(IGpuAllocator, GpuAllocator, deallocateAsync);
  CHECK(IOutputAllocator, OutputAllocator, reallocateOutput);
  CHECK(IOutputAllocator, OutputAllocator, reallocateOutputAsync);
  CHECK(IOutputAllocator, OutputAllocator, notifyShape);
  CHECK(IProgressMonitor, ProgressMonitor, phaseStart);
  CHECK(IProgressMonitor, ProgressMonitor, stepComplete);
  CHECK(IProgressMonitor, ProgressMonitor, phaseFinish);
#undef CHECK
}

TEST(Interfaces, ReportTheMeasuredKinds) {
  struct Recorder : ErrorRecorder {
    std::int32_t getNbErrors() const noexcept override { return 0; }
    std::int32_t getErrorCode(std::int32_t) const noexcept override { return 0; }
    const char* getErrorDesc(std::int32_t) const noexcept override { return ""; }
    bool hasOverflowed() const noexcept override { return false; }
    void clear() noexcept override {}
    bool reportError(std::int32_t, const char*) noexcept override { return true; }
    std::int32_t incRefCount() noexcept override { return 1; }
    std::int32_t decRefCount() noexcept override { return 1; }
  } recorder;
  struct Log : Logger11 {
    void log(Severity, const char*) noexcept override {}
  } logger;
  struct Allocator : GpuAllocator {
    void* allocate(std::uint64_t, std::uint64_t, std::uint32_t) noexcept override { return nullptr; }
    bool deallocate(void*) noexcept override { return true; }
    void* allocateAsync(std::uint64_t, std::uint64_t, std::uint32_t, CudaStream*) noexcept override { return nullptr; }
    bool deallocateAsync(void*, CudaStream*) noexcept override { return true; }
  } allocator;
  struct Outputs : OutputAllocator {
    void* reallocateOutput(const char*, void*, std::uint64_t, std::uint64_t) noexcept override { return nullptr; }
    void* reallocateOutputAsync(const char*, void*, std::uint64_t, std::uint64_t, CudaStream*) noexcept override {
      return nullptr;
    }
    void notifyShape(const char*, const Dims*) noexcept override {}
  } outputs;
  struct Monitor : ProgressMonitor {
    void phaseStart(const char*, const char*, std::int32_t) noexcept override {}
    bool stepComplete(const char*, std::int32_t) noexcept override { return true; }
    void phaseFinish(const char*) noexcept override {}
  } monitor;
  const auto expect = [](const VersionedInterface& interface, const char* name, std::initializer_list<int> majors) {
    const InterfaceInfo info = interface.getInterfaceInfo();
    for (const int major : majors) {
      const abi::PairFact* fact = nullptr;
      for (const abi::PairFact& candidate : abi::kKinds) {
        if (candidate.major == major && std::strcmp(candidate.owner, name) == 0) fact = &candidate;
      }
      ASSERT_NE(fact, nullptr) << name;
      EXPECT_STREQ(info.kind, fact->name);
      EXPECT_EQ(info.major, fact->first);
      EXPECT_EQ(info.minor, fact->second);
    }
  };
  expect(recorder, "IErrorRecorder", {10, 11});
  expect(logger, "ILogger", {11});
  expect(allocator, "IGpuAllocator", {10, 11});
  expect(outputs, "IOutputAllocator", {10, 11});
  expect(monitor, "IProgressMonitor", {10, 11});
}

TEST(Layouts, HaveTheMeasuredSizes) {
  for (const int major : {10, 11}) {
    EXPECT_EQ(static_cast<int>(sizeof(Dims)), abi::Find(abi::kSizes, major, "Dims64")->first);
    EXPECT_EQ(static_cast<int>(sizeof(InterfaceInfo)), abi::Find(abi::kSizes, major, "InterfaceInfo")->first);
    EXPECT_EQ(static_cast<int>(sizeof(PublicObject)), abi::Find(abi::kSizes, major, "IRuntime")->first);
    for (const char* interface : {"VRuntime", "VCudaEngine", "VExecutionContext", "VBuilder", "VBuilderConfig",
                                  "VNetworkDefinition", "VOptimizationProfile", "VTimingCache", "VHostMemory", "VTensor"}) {
      const abi::PairFact* fact = abi::Find(abi::kDestructors, major, interface);
      ASSERT_NE(fact, nullptr);
      EXPECT_EQ(fact->second, 1) << interface;
    }
  }
  EXPECT_EQ(kParserDeletingSlot10, abi::Find(abi::kDestructors, 10, "IParser")->second);
  EXPECT_EQ(kParserDeletingSlot11, abi::Find(abi::kDestructors, 11, "IParser")->second);
  EXPECT_EQ(offsetof(Dims, rank), 0u);
  EXPECT_EQ(offsetof(Dims, sizes), 8u);
  EXPECT_EQ(offsetof(PublicObject, implementation), 8u);
}

TEST(Numbers, AreTheMeasuredOnes) {
  const auto expect = [](const char* enumeration, const char* name, int value) {
    for (const int major : {10, 11}) {
      const abi::PairFact* fact = abi::Find(abi::kEnumerators, major, enumeration, name);
      ASSERT_NE(fact, nullptr) << enumeration << "::" << name;
      EXPECT_EQ(fact->first, value) << enumeration << "::" << name;
    }
  };
  expect("DataType", "kFLOAT", static_cast<int>(DataType::kFloat));
  expect("DataType", "kHALF", static_cast<int>(DataType::kHalf));
  expect("DataType", "kINT8", static_cast<int>(DataType::kInt8));
  expect("DataType", "kINT32", static_cast<int>(DataType::kInt32));
  expect("DataType", "kBOOL", static_cast<int>(DataType::kBool));
  expect("DataType", "kUINT8", static_cast<int>(DataType::kUint8));
  expect("DataType", "kFP8", static_cast<int>(DataType::kFp8));
  expect("DataType", "kBF16", static_cast<int>(DataType::kBfloat16));
  expect("DataType", "kINT64", static_cast<int>(DataType::kInt64));
  expect("DataType", "kINT4", static_cast<int>(DataType::kInt4));
  expect("DataType", "kFP4", static_cast<int>(DataType::kFp4));
  expect("DataType", "kE8M0", static_cast<int>(DataType::kE8m0));
  expect("TensorIOMode", "kINPUT", static_cast<int>(IoMode::kInput));
  expect("TensorIOMode", "kOUTPUT", static_cast<int>(IoMode::kOutput));
  expect("TensorLocation", "kDEVICE", static_cast<int>(Location::kDevice));
  expect("TensorLocation", "kHOST", static_cast<int>(Location::kHost));
  expect("OptProfileSelector", "kMIN", static_cast<int>(ProfileSelector::kMinimum));
  expect("OptProfileSelector", "kOPT", static_cast<int>(ProfileSelector::kOptimum));
  expect("OptProfileSelector", "kMAX", static_cast<int>(ProfileSelector::kMaximum));
  expect("Severity", "kINTERNAL_ERROR", static_cast<int>(Severity::kInternalError));
  expect("Severity", "kVERBOSE", static_cast<int>(Severity::kVerbose));
  expect("ExecutionContextAllocationStrategy", "kSTATIC", static_cast<int>(Allocation::kStatic));
  expect("ExecutionContextAllocationStrategy", "kON_PROFILE_CHANGE", static_cast<int>(Allocation::kOnProfileChange));
  expect("ExecutionContextAllocationStrategy", "kUSER_MANAGED", static_cast<int>(Allocation::kUserManaged));
  expect("HardwareCompatibilityLevel", "kAMPERE_PLUS", static_cast<int>(HardwareCompatibility::kAmperePlus));
  expect("HardwareCompatibilityLevel", "kSAME_COMPUTE_CAPABILITY",
         static_cast<int>(HardwareCompatibility::kSameComputeCapability));
  expect("MemoryPoolType", "kWORKSPACE", static_cast<int>(MemoryPool::kWorkspace));
  expect("TensorFormat", "kLINEAR", kFormatLinear);
  expect("ErrorCode", "kFAILED_ALLOCATION", kErrorFailedAllocation);
}

TEST(Numbers, ThatDifferBetweenMajorsAreTheMeasuredOnes) {
  const auto expect = [](int major, const char* enumeration, const char* name, int value) {
    const abi::PairFact* fact = abi::Find(abi::kEnumerators, major, enumeration, name);
    ASSERT_NE(fact, nullptr) << enumeration << "::" << name << " in " << major;
    EXPECT_EQ(fact->first, value) << enumeration << "::" << name << " in " << major;
  };
  expect(10, "BuilderFlag", "kFP16", static_cast<int>(BuilderFlag10::kFp16));
  expect(10, "BuilderFlag", "kVERSION_COMPATIBLE", static_cast<int>(BuilderFlag10::kVersionCompatible));
  expect(11, "BuilderFlag", "kVERSION_COMPATIBLE", static_cast<int>(BuilderFlag11::kVersionCompatible));
  expect(10, "NetworkDefinitionCreationFlag", "kEXPLICIT_BATCH", static_cast<int>(NetworkFlag10::kExplicitBatch));
  expect(10, "NetworkDefinitionCreationFlag", "kSTRONGLY_TYPED", static_cast<int>(NetworkFlag10::kStronglyTyped));
  EXPECT_EQ(abi::Find(abi::kEnumerators, 11, "BuilderFlag", "kFP16"), nullptr);
}

}  // namespace
}  // namespace im::trt
