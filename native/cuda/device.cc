#include "device.h"

#include <array>

namespace im::cuda {
namespace {

// The driver's own answer to a number that is too large does not tell whether there is any device.
Status CheckOrdinal(const Driver& driver, int ordinal) {
  int count = 0;
  IM_RETURN_IF_ERROR(driver.CountDevices(&count));
  if (ordinal >= 0 && ordinal < count) return {};
  return Status(Code::kCuda, "cuda",
                "GPU " + std::to_string(ordinal) + " was asked for, and the driver lists " + std::to_string(count) +
                    ", counted from 0 as CUDA_VISIBLE_DEVICES leaves them. Name one that nvidia-smi lists.",
                {"cuDeviceGet", kInvalidDevice})
      .With(Reason::kNoSuchGpu);
}

}  // namespace

Result<std::shared_ptr<const Device>> Device::Open(const Driver& driver, int ordinal) {
  IM_RETURN_IF_ERROR(driver.RequireComplete());
  IM_RETURN_IF_ERROR(driver.Initialize());
  std::shared_ptr<Device> device(new Device(driver));
  device->ordinal_ = ordinal;
  IM_RETURN_IF_ERROR(CheckOrdinal(driver, ordinal));
  IM_RETURN_IF_ERROR(driver.Check(driver.table().cuDeviceGet(&device->number_, ordinal), "cuDeviceGet"));
  IM_RETURN_IF_ERROR(device->Describe());
  IM_RETURN_IF_ERROR(
      driver.Check(driver.table().cuDevicePrimaryCtxRetain(&device->context_, device->number_), "cuDevicePrimaryCtxRetain"));
  IM_RETURN_IF_ERROR(device->MakeCurrent());
  return std::shared_ptr<const Device>(std::move(device));
}

Status Device::Describe() {
  std::array<char, 256> name{};
  IM_RETURN_IF_ERROR(Check(table().cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, number_), "cuDeviceGetName"));
  name_ = name.data();
  int major = 0;
  int minor = 0;
  int pools = 0;
  IM_RETURN_IF_ERROR(Check(table().cuDeviceGetAttribute(&major, kComputeCapabilityMajor, number_), "cuDeviceGetAttribute"));
  IM_RETURN_IF_ERROR(Check(table().cuDeviceGetAttribute(&minor, kComputeCapabilityMinor, number_), "cuDeviceGetAttribute"));
  IM_RETURN_IF_ERROR(Check(table().cuDeviceGetAttribute(&pools, kMemoryPoolsSupported, number_), "cuDeviceGetAttribute"));
  compute_capability_ = major * 10 + minor;
  has_memory_pools_ = pools != 0;
  return {};
}

Device::~Device() {
  if (context_ != nullptr) table().cuDevicePrimaryCtxRelease_v2(number_);
}

Status Device::MakeCurrent() const { return Check(table().cuCtxSetCurrent(context_), "cuCtxSetCurrent"); }

Status Device::MemoryInfo(std::size_t* free, std::size_t* total) const {
  return Check(table().cuMemGetInfo_v2(free, total), "cuMemGetInfo");
}

Result<Stream> Stream::Create(const std::shared_ptr<const Device>& device) {
  StreamObject* stream = nullptr;
  IM_RETURN_IF_ERROR(device->Check(device->table().cuStreamCreate(&stream, kStreamNonBlocking), "cuStreamCreate"));
  return Stream({device, stream});
}

Status Stream::Synchronize() const {
  return device()->Check(device()->table().cuStreamSynchronize(get()), "cuStreamSynchronize");
}

Status Stream::WaitFor(const Event& event) const {
  return device()->Check(device()->table().cuStreamWaitEvent(get(), event.get(), 0), "cuStreamWaitEvent");
}

Result<Event> Event::Create(const std::shared_ptr<const Device>& device, unsigned flags) {
  EventObject* event = nullptr;
  IM_RETURN_IF_ERROR(device->Check(device->table().cuEventCreate(&event, flags), "cuEventCreate"));
  return Event({device, event});
}

Result<Event> Event::Create(const std::shared_ptr<const Device>& device) {
  return Create(device, kEventBlockingSync | kEventDisableTiming);
}

Result<Event> Event::CreateTimed(const std::shared_ptr<const Device>& device) { return Create(device, kEventBlockingSync); }

Status Event::Record(const Stream& stream) const {
  const Device& device = *handle_.device();
  return device.Check(device.table().cuEventRecord(handle_.get(), stream.get()), "cuEventRecord");
}

Status Event::Wait() const {
  const Device& device = *handle_.device();
  return device.Check(device.table().cuEventSynchronize(handle_.get()), "cuEventSynchronize");
}

Result<float> Event::MillisecondsSince(const Event& start) const {
  const Device& device = *handle_.device();
  float milliseconds = 0;
  IM_RETURN_IF_ERROR(
      device.Check(device.table().cuEventElapsedTime(&milliseconds, start.handle_.get(), handle_.get()), "cuEventElapsedTime"));
  return milliseconds;
}

Status Graph::Begin(const Stream& stream) {
  const Device& device = *stream.device();
  return device.Check(device.table().cuStreamBeginCapture_v2(stream.get(), kCaptureThreadLocal), "cuStreamBeginCapture");
}

Result<Graph> Graph::End(const Stream& stream, const Status& recorded) {
  const Device& device = *stream.device();
  GraphObject* captured = nullptr;
  const Status ended = device.Check(device.table().cuStreamEndCapture(stream.get(), &captured), "cuStreamEndCapture");
  const Handle<GraphObject, &DriverTable::cuGraphDestroy> graph(stream.device(), captured);
  if (!recorded.ok()) return recorded;
  if (!ended.ok()) return ended;
  GraphExecObject* executable = nullptr;
  IM_RETURN_IF_ERROR(device.Check(device.table().cuGraphInstantiateWithFlags(&executable, captured, 0), "cuGraphInstantiate"));
  return Graph({stream.device(), executable});
}

Status Graph::Launch(const Stream& stream) const {
  const Device& device = *handle_.device();
  return device.Check(device.table().cuGraphLaunch(handle_.get(), stream.get()), "cuGraphLaunch");
}

}  // namespace im::cuda
