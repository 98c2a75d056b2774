// One GPU, through its primary context: the one that the CUDA runtime inside other libraries uses too, so that streams and memory
// can be shared with them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "cuda/driver.h"

namespace im::cuda {

class Device {
 public:
  // `ordinal` as CUDA_VISIBLE_DEVICES leaves them, from 0.
  static Result<std::shared_ptr<const Device>> Open(const Driver& driver, int ordinal);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Driver& driver() const { return driver_; }
  const DriverTable& table() const { return driver_.table(); }
  int ordinal() const { return ordinal_; }
  const std::string& name() const { return name_; }
  // 8.9 is 89.
  int compute_capability() const { return compute_capability_; }
  // Whether memory can be allocated in the order of a stream.
  bool has_memory_pools() const { return has_memory_pools_; }

  // Before any other call on a thread that uses the device.
  Status MakeCurrent() const;
  Status Check(int result, const char* function) const { return driver_.Check(result, function); }
  Status MemoryInfo(std::size_t* free, std::size_t* total) const;

 private:
  explicit Device(const Driver& driver) : driver_(driver) {}
  Status Describe();

  const Driver driver_;
  int ordinal_ = 0;
  DeviceNumber number_ = 0;
  ContextObject* context_ = nullptr;
  std::string name_;
  int compute_capability_ = 0;
  bool has_memory_pools_ = false;
};

// An object of the driver that is destroyed with its owner, on whatever thread. What goes wrong in that is not reported: it is
// the echo of something that was.
template <typename Object, int (*DriverTable::*Release)(Object*)>
class Handle {
 public:
  Handle() = default;
  Handle(std::shared_ptr<const Device> device, Object* object) : device_(std::move(device)), object_(object) {}
  Handle(Handle&& other) noexcept : device_(std::move(other.device_)), object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~Handle() {
    if (object_ == nullptr) return;
    (void)device_->MakeCurrent();
    (device_->table().*Release)(object_);
  }

  Object* get() const { return object_; }
  const std::shared_ptr<const Device>& device() const { return device_; }

 private:
  std::shared_ptr<const Device> device_;
  Object* object_ = nullptr;
};

class Event;

// Work in order, in no order with other streams.
class Stream {
 public:
  static Result<Stream> Create(const std::shared_ptr<const Device>& device);

  StreamObject* get() const { return handle_.get(); }
  const std::shared_ptr<const Device>& device() const { return handle_.device(); }
  // Blocks until all that was put into the stream is done.
  Status Synchronize() const;
  // What is put into the stream from now on comes behind what the event was last recorded behind; nobody is blocked.
  Status WaitFor(const Event& event) const;

 private:
  explicit Stream(Handle<StreamObject, &DriverTable::cuStreamDestroy_v2> handle) : handle_(std::move(handle)) {}
  Handle<StreamObject, &DriverTable::cuStreamDestroy_v2> handle_;
};

// A place in a stream that can be waited for.
class Event {
 public:
  static Result<Event> Create(const std::shared_ptr<const Device>& device);
  // One that knows when it happened; dearer.
  static Result<Event> CreateTimed(const std::shared_ptr<const Device>& device);

  Status Record(const Stream& stream) const;
  // The thread sleeps meanwhile.
  Status Wait() const;
  // From `start` to here; both timed, recorded and waited for.
  Result<float> MillisecondsSince(const Event& start) const;
  EventObject* get() const { return handle_.get(); }

 private:
  static Result<Event> Create(const std::shared_ptr<const Device>& device, unsigned flags);
  explicit Event(Handle<EventObject, &DriverTable::cuEventDestroy_v2> handle) : handle_(std::move(handle)) {}
  Handle<EventObject, &DriverTable::cuEventDestroy_v2> handle_;
};

// Work that was recorded once and is launched as a whole.
class Graph {
 public:
  // `record` puts work into the stream; nothing of it runs. Only calls of this thread take part or are in the way.
  template <typename Record>
  static Result<Graph> Capture(const Stream& stream, Record record);

  Status Launch(const Stream& stream) const;

 private:
  explicit Graph(Handle<GraphExecObject, &DriverTable::cuGraphExecDestroy> handle) : handle_(std::move(handle)) {}
  static Status Begin(const Stream& stream);
  // Ends the capture in any case.
  static Result<Graph> End(const Stream& stream, const Status& recorded);

  Handle<GraphExecObject, &DriverTable::cuGraphExecDestroy> handle_;
};

template <typename Record>
Result<Graph> Graph::Capture(const Stream& stream, Record record) {
  IM_RETURN_IF_ERROR(Begin(stream));
  const Status recorded = record();
  return End(stream, recorded);
}

}  // namespace im::cuda
