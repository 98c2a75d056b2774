#include "cuda/device.h"

#include <cstring>
#include <thread>
#include <vector>

#include "cuda/memory.h"
#include "fakes/cuda_fixture.h"

namespace im::cuda {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

class DeviceTest : public FakeDriverTest {
 protected:
  static Result<std::shared_ptr<const Device>> OpenDevice(int ordinal = 0) {
    const Result<Driver> driver = Driver::Open(FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    return Device::Open(driver.value(), ordinal);
  }

  Status Copy(const Device& device, DeviceAddress to, const void* from, std::size_t bytes, const Stream& stream) {
    return device.Check(device.table().cuMemcpyHtoDAsync_v2(to, from, bytes, stream.get()), "cuMemcpyHtoDAsync");
  }
  Status Copy(const Device& device, void* to, DeviceAddress from, std::size_t bytes, const Stream& stream) {
    return device.Check(device.table().cuMemcpyDtoHAsync_v2(to, from, bytes, stream.get()), "cuMemcpyDtoHAsync");
  }

  // There and back through pinned and device memory.
  Status RoundTrip() {
    Result<std::shared_ptr<const Device>> opened = OpenDevice();
    if (!opened.ok()) return opened.status();
    const std::shared_ptr<const Device> device = opened.value();
    Result<std::shared_ptr<DevicePool>> pool = DevicePool::Create(device, kMegabyte);
    if (!pool.ok()) return pool.status();
    const std::shared_ptr<PinnedPool> pinned_pool = PinnedPool::Create(device, kMegabyte);
    Result<Stream> stream = Stream::Create(device);
    if (!stream.ok()) return stream.status();
    Result<Event> event = Event::Create(device);
    if (!event.ok()) return event.status();
    Result<PinnedBuffer> pinned = pinned_pool->Allocate(1000);
    if (!pinned.ok()) return pinned.status();
    {
      Result<DeviceBuffer> memory = pool.value()->Allocate(1000, stream.value().get());
      if (!memory.ok()) return memory.status();
      std::memset(pinned.value().data(), 7, 1000);
      IM_RETURN_IF_ERROR(Copy(*device, memory.value().address(), pinned.value().data(), 1000, stream.value()));
      IM_RETURN_IF_ERROR(event.value().Record(stream.value()));
      IM_RETURN_IF_ERROR(event.value().Wait());
      std::memset(pinned.value().data(), 0, 1000);
      IM_RETURN_IF_ERROR(Copy(*device, pinned.value().data(), memory.value().address(), 1000, stream.value()));
    }
    IM_RETURN_IF_ERROR(stream.value().Synchronize());
    pool.value()->Forget(stream.value().get());
    const auto* bytes = static_cast<const unsigned char*>(pinned.value().data());
    for (int i = 0; i < 1000; ++i) {
      if (bytes[i] != 7) return {Code::kRuntime, "test", "wrong data"};
    }
    return {};
  }
};

TEST_F(DeviceTest, DescribesItself) {
  const Result<std::shared_ptr<const Device>> device = OpenDevice();
  ASSERT_TRUE(device.ok()) << device.status().message();
  EXPECT_EQ(device.value()->name(), "Stand-in GPU 0");
  EXPECT_EQ(device.value()->compute_capability(), 89);
  EXPECT_TRUE(device.value()->has_memory_pools());
  EXPECT_EQ(state().retained_contexts, 1);
}

TEST_F(DeviceTest, RefusesOrdinalsThatDoNotExist) {
  for (const int ordinal : {-1, 1, 1000}) {
    const Result<std::shared_ptr<const Device>> device = OpenDevice(ordinal);
    ASSERT_FALSE(device.ok());
    EXPECT_EQ(device.status().code(), Code::kCuda);
    EXPECT_EQ(device.status().reason(), Reason::kNoSuchGpu);
    EXPECT_NE(device.status().message().find("nvidia-smi"), std::string::npos) << device.status().message();
  }
}

TEST_F(DeviceTest, CopiesThereAndBack) {
  const Status status = RoundTrip();
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(DeviceTest, CopiesThereAndBackOnDriversWithoutPools) {
  state().memory_pools = false;
  const Status status = RoundTrip();
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(DeviceTest, SurvivesTheFailureOfEveryCall) {
  ExpectToSurviveEveryFailure([this] { return RoundTrip(); });
}

TEST_F(DeviceTest, ObjectsMayBeDestroyedOnAnyThread) {
  const Result<std::shared_ptr<const Device>> device = OpenDevice();
  ASSERT_TRUE(device.ok());
  Result<Stream> stream = Stream::Create(device.value());
  ASSERT_TRUE(stream.ok());
  std::thread([moved = std::move(stream.value())]() mutable { const Stream owned = std::move(moved); }).join();
  EXPECT_EQ(state().streams, 0);
}

TEST_F(DeviceTest, BlocksAreKeptPerStreamWithoutDriverPools) {
  state().memory_pools = false;
  const std::shared_ptr<const Device> device = OpenDevice().value();
  const std::shared_ptr<DevicePool> pool = DevicePool::Create(device, kMegabyte).value();
  const Stream first = std::move(Stream::Create(device).value());
  const Stream second = std::move(Stream::Create(device).value());
  DeviceAddress used = 0;
  {
    const Result<DeviceBuffer> buffer = pool->Allocate(5000, first.get());
    ASSERT_TRUE(buffer.ok());
    used = buffer.value().address();
    EXPECT_GE(pool->bytes_in_use(), 5000u);
  }
  EXPECT_EQ(pool->bytes_in_use(), 0u);
  EXPECT_EQ(state().device_blocks, 1) << "the block is kept";
  EXPECT_NE(pool->Allocate(5000, second.get()).value().address(), used) << "work in the first stream may still use it";
  EXPECT_EQ(pool->Allocate(4900, first.get()).value().address(), used);
  const DeviceBuffer large = std::move(pool->Allocate(2 * kMegabyte, first.get()).value());
  pool->Forget(first.get());
  pool->Forget(second.get());
  EXPECT_EQ(state().device_blocks, 1);
}

TEST_F(DeviceTest, AFullDeviceGivesUpWhatIsKeptAndThenSaysWhatIsMissing) {
  state().memory_pools = false;
  state().memory_bytes = 10 * kMegabyte;
  const std::shared_ptr<const Device> device = OpenDevice().value();
  const std::shared_ptr<DevicePool> pool = DevicePool::Create(device, 100 * kMegabyte).value();
  const Stream stream = std::move(Stream::Create(device).value());
  (void)pool->Allocate(6 * kMegabyte, stream.get());  // returned and kept
  EXPECT_EQ(state().device_blocks, 1);
  const Result<DeviceBuffer> larger = pool->Allocate(8 * kMegabyte, stream.get());
  ASSERT_TRUE(larger.ok()) << larger.status().message();
  const Result<DeviceBuffer> too_much = pool->Allocate(4 * kMegabyte, stream.get());
  ASSERT_FALSE(too_much.ok());
  EXPECT_EQ(too_much.status().code(), Code::kOutOfDeviceMemory);
  EXPECT_NE(
      too_much.status().message().find("4 MB of memory were asked of device 0 (Stand-in GPU 0), which has 2 MB of 10 MB free"),
      std::string::npos)
      << too_much.status().message();
  EXPECT_EQ(too_much.status().memory().requested, 4 * kMegabyte);
  EXPECT_EQ(too_much.status().memory().free, 2 * kMegabyte);
  const Status absurd = pool->Allocate(SIZE_MAX, stream.get()).status();
  EXPECT_EQ(absurd.code(), Code::kOutOfDeviceMemory);
  EXPECT_EQ(absurd.memory().requested, SIZE_MAX);
  EXPECT_EQ(absurd.memory().free, 2 * kMegabyte);
  pool->Forget(stream.get());
}

TEST_F(DeviceTest, PinnedBlocksAreUsedAgain) {
  const std::shared_ptr<const Device> device = OpenDevice().value();
  const std::shared_ptr<PinnedPool> pool = PinnedPool::Create(device, kMegabyte);
  void* used = pool->Allocate(5000).value().data();
  EXPECT_EQ(pool->Allocate(5001).value().data(), used);
  EXPECT_EQ(pool->bytes_in_use(), 0u);
  (void)pool->Allocate(2 * kMegabyte);
  EXPECT_EQ(state().pinned_blocks, 1) << "what is larger than the limit is not kept";
}

TEST_F(DeviceTest, ACapturedGraphRunsWithoutItsCallsBeingMadeAgain) {
  const std::shared_ptr<const Device> device = OpenDevice().value();
  const std::shared_ptr<DevicePool> pool = DevicePool::Create(device, kMegabyte).value();
  const std::shared_ptr<PinnedPool> pinned_pool = PinnedPool::Create(device, kMegabyte);
  const Stream stream = std::move(Stream::Create(device).value());
  const PinnedBuffer from = std::move(pinned_pool->Allocate(16).value());
  const PinnedBuffer to = std::move(pinned_pool->Allocate(16).value());
  const DeviceBuffer memory = std::move(pool->Allocate(16, stream.get()).value());
  std::memset(to.data(), 0, 16);
  const Result<Graph> graph = Graph::Capture(stream, [&] {
    IM_RETURN_IF_ERROR(Copy(*device, memory.address(), from.data(), 16, stream));
    return Copy(*device, to.data(), memory.address(), 16, stream);
  });
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  for (const unsigned char value : {3, 4}) {
    std::memset(from.data(), value, 16);
    ASSERT_TRUE(graph.value().Launch(stream).ok());
    ASSERT_TRUE(stream.Synchronize().ok());
    EXPECT_EQ(static_cast<unsigned char*>(to.data())[15], value);
  }
  EXPECT_EQ(state().graph_launches, 2);
}

TEST_F(DeviceTest, ACaptureThatFailsLeavesTheStreamUsable) {
  const std::shared_ptr<const Device> device = OpenDevice().value();
  const Stream stream = std::move(Stream::Create(device).value());
  const Result<Graph> spoiled = Graph::Capture(stream, [&] { return stream.Synchronize(); });
  ASSERT_FALSE(spoiled.ok());
  EXPECT_NE(spoiled.status().message().find("STREAM_CAPTURE_UNSUPPORTED"), std::string::npos) << spoiled.status().message();
  const Result<Graph> gave_up = Graph::Capture(stream, [] { return Status(Code::kRuntime, "test", "gave up"); });
  EXPECT_EQ(gave_up.status().message(), "gave up");
  EXPECT_TRUE(stream.Synchronize().ok());
  for (const char* function : {"cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags"}) {
    FailNext(function, 719);
    EXPECT_FALSE(Graph::Capture(stream, [] { return Status(); }).ok()) << function;
    EXPECT_TRUE(Graph::Capture(stream, [] { return Status(); }).ok()) << function;
  }
}

TEST(RoundedSize, WastesAtMostAnEighth) {
  EXPECT_EQ(RoundedSize(0), 512u);
  EXPECT_EQ(RoundedSize(SIZE_MAX), 0u);
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 45); bytes = bytes * 5 / 3 + 1) {
    const std::size_t rounded = RoundedSize(bytes);
    EXPECT_GE(rounded, bytes);
    EXPECT_LE(rounded, bytes + std::max(bytes / 8, std::size_t{511}));
    EXPECT_EQ(rounded % 512, 0u);
    EXPECT_EQ(RoundedSize(rounded), rounded);
  }
}

}  // namespace
}  // namespace im::cuda
