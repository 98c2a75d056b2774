// A stand-in for libnvinfer: runtime, engines and contexts; fake_builder.cc has the builder.
//
// Compiled once for each version, FAKE_TRT_VERSION. It computes nothing worth mentioning; fake_tensorrt.h says what.
#include "fake_tensorrt.h"

#include <map>
#include <sstream>

#include "fake_cuda.h"
#include "fake_objects.h"

namespace fake {

FakeTrtState& State() {
  static FakeTrtState state;
  return state;
}

}  // namespace fake

namespace {

using namespace fake;

// -------------------------------------------------------------------------------------------------------------------- plan

struct Tensor {
  bool input = false;
  int type = 0;
  Dims dims{};
  bool host = false;
  std::size_t first = 0;  // of an output: element of the input
  int format = 0;
};
struct Range {
  Dims at[3];
};
struct Plan {
  std::string name = "stand-in";
  std::uint64_t weights = 1000;
  std::int64_t scratch = 1 << 20;
  bool host_code = false;
  int compute_capability = 0;  // 0 = any
  std::vector<std::string> order;
  std::map<std::string, Tensor> tensors;
  std::vector<std::map<std::string, Range>> profiles;

  const std::string& FirstInput() const {
    for (const std::string& tensor : order) {
      if (tensors.at(tensor).input) return tensor;
    }
    return order.front();
  }
};

Dims ReadDims(std::istream& in, int rank) {
  Dims dims{};
  dims.rank = rank;
  for (int i = 0; i < rank && i < 8; ++i) in >> dims.sizes[i];
  return dims;
}

bool ReadPlan(const std::string& text, Plan& plan) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream in(line);
    std::string word;
    if (!(in >> word)) continue;
    if (word == "name") {
      in >> plan.name;
    } else if (word == "weights") {
      in >> plan.weights;
    } else if (word == "scratch") {
      in >> plan.scratch;
    } else if (word == "host-code") {
      plan.host_code = true;
    } else if (word == "compute") {
      in >> plan.compute_capability;
    } else if (word == "config") {
      continue;  // how it was built
    } else if (word == "in" || word == "out") {
      Tensor tensor;
      std::string name;
      int rank = 0;
      in >> name >> tensor.type >> rank;
      tensor.dims = ReadDims(in, rank);
      tensor.input = word == "in";
      if (in.fail()) return false;
      for (std::string extra; in >> extra;) {
        if (extra == "host") tensor.host = true;
        if (extra == "format") in >> tensor.format;
        if (extra == "at") in >> tensor.first;
      }
      plan.order.push_back(name);
      plan.tensors[name] = tensor;
      continue;
    } else if (word == "profile") {
      std::size_t index = 0;
      std::string name;
      int rank = 0;
      in >> index >> name >> rank;
      if (in.fail() || index > 8) return false;
      if (plan.profiles.size() <= index) plan.profiles.resize(index + 1);
      for (Dims& dims : plan.profiles[index][name].at) dims = ReadDims(in, rank);
    } else {
      return false;
    }
    if (in.fail()) return false;
  }
  if (plan.profiles.empty()) plan.profiles.resize(1);
  for (auto& profile : plan.profiles) {
    for (const auto& [name, tensor] : plan.tensors) {
      if (tensor.input && profile.count(name) == 0) profile[name] = Range{{tensor.dims, tensor.dims, tensor.dims}};
    }
  }
  return !plan.order.empty();
}

std::size_t ElementBytes(int type) {
  switch (type) {
    case 0:
    case 3: return 4;
    case 1:
    case 7: return 2;
    case 8: return 8;
    default: return 1;
  }
}

std::size_t Bytes(const Tensor& tensor, const Dims& dims) {
  std::size_t count = ElementBytes(tensor.type);
  for (int i = 0; i < dims.rank; ++i) count *= static_cast<std::size_t>(dims.sizes[i]);
  return count;
}

// ----------------------------------------------------------------------------------------------------------------- context

struct Context : Reporter {
  std::shared_ptr<const Plan> plan;
  int profile = 0;
  void* scratch = nullptr;
  std::map<std::string, Dims> shapes;
  std::map<std::string, void*> addresses;
  std::map<std::string, void*> allocators;

  Context() { ++State().contexts; }
  ~Context() { --State().contexts; }

  Dims Shape(const std::string& name) const {
    const Tensor& tensor = plan->tensors.at(name);
    if (tensor.input) {
      const auto set = shapes.find(name);
      return set == shapes.end() ? tensor.dims : set->second;
    }
    Dims dims = tensor.dims;
    const Dims first = Shape(plan->FirstInput());
    for (int i = 0; i < dims.rank; ++i) {
      if (dims.sizes[i] == -1 && i < first.rank) dims.sizes[i] = first.sizes[i];
      if (dims.sizes[i] == -2) dims.sizes[i] = -1;
    }
    return dims;
  }
};

using ContextHead = Head<Context>;

Context& ContextOf(void* self) { return static_cast<ContextHead*>(self)->state; }

void SetRecorder(void* self, void* recorder) { ContextOf(self).recorder = recorder; }
void SetDeviceMemory(void* self, void* memory) { ContextOf(self).scratch = memory; }
void SetDeviceMemoryV2(void* self, void* memory, std::int64_t bytes) {
  ContextOf(self).scratch = bytes >= ContextOf(self).plan->scratch ? memory : nullptr;
}

bool SetProfile(void* self, std::int32_t index, void*) {
  Context& context = ContextOf(self);
  if (context.Injected("setOptimizationProfileAsync")) return false;
  context.profile = index;
  return true;
}

bool SetInputShape(void* self, const char* name, const Dims* dims) {
  Context& context = ContextOf(self);
  if (context.Injected("setInputShape")) return false;
  const Range& range = context.plan->profiles[static_cast<std::size_t>(context.profile)].at(name);
  bool inside = dims->rank == range.at[0].rank;
  for (int i = 0; inside && i < dims->rank; ++i) {
    inside = dims->sizes[i] >= range.at[0].sizes[i] && dims->sizes[i] <= range.at[2].sizes[i];
  }
  if (!inside) {
    context.Report(kInvalidArgument, std::string("setInputShape: ") + name + " is outside of the profile");
    return false;
  }
  context.shapes[name] = *dims;
  return true;
}

Dims GetShape(void* self, const char* name) {
  if (ContextOf(self).Injected("getTensorShape")) return Dims{-1, {}};
  return ContextOf(self).Shape(name);
}

bool SetAddress(void* self, const char* name, void* address) {
  Context& context = ContextOf(self);
  if (context.Injected("setTensorAddress")) return false;
  context.addresses[name] = address;
  return true;
}

bool SetOutputAllocator(void* self, const char* name, void* allocator) {
  Context& context = ContextOf(self);
  if (context.Injected("setOutputAllocator")) return false;
  context.allocators[name] = allocator;
  return true;
}

std::int32_t InferShapes(void* self, std::int32_t, const char**) {
  Context& context = ContextOf(self);
  if (context.Injected("inferShapes")) return -1;
  for (const std::string& name : context.plan->order) {
    const Dims dims = context.Shape(name);
    for (int i = 0; context.plan->tensors.at(name).input && i < dims.rank; ++i) {
      if (dims.sizes[i] < 0) return 1;
    }
  }
  return 0;
}

struct Job {
  struct Part {
    std::uint64_t address;
    std::size_t bytes;
    int type;
    std::size_t items;
    std::size_t skipped;
  };
  std::map<int, Part> inputs;  // the first of each type
  std::vector<Part> outputs;
  std::uint64_t scratch = 0;
  std::size_t scratch_bytes = 0;
};

FakeCuda& Driver() {
  static FakeCuda driver = FakeCuda::Attach("libcuda.so.1");
  return driver;
}

void RunJob(void* data) {
  const Job& job = *static_cast<Job*>(data);
  const auto memory = [](std::uint64_t address, std::size_t bytes) {
    char* host = static_cast<char*>(Driver().host(address, bytes));
    if (host != nullptr) return host;
    std::fputs("The TensorRT stand-in was given memory that is not allocated.\n", stderr);
    std::abort();
  };
  if (job.scratch_bytes > 0) memory(job.scratch, job.scratch_bytes);
  for (const Job::Part& output : job.outputs) {
    char* to = memory(output.address, output.bytes);
    const auto found = job.inputs.find(output.type);
    if (found == job.inputs.end()) {
      std::memset(to, 0, output.bytes);
      continue;
    }
    const Job::Part& input = found->second;
    const char* from = memory(input.address, input.bytes);
    // Each item of a batch from its own item of the input.
    const std::size_t items = output.items == input.items ? output.items : 1;
    const std::size_t to_item = output.bytes / items;
    const std::size_t from_item = input.bytes / items;
    for (std::size_t i = 0; i < output.bytes; ++i)
      to[i] = from_item > 0 ? from[i / to_item * from_item + (output.skipped + i % to_item) % from_item] : 0;
  }
}

bool Enqueue(void* self, void* stream) {
  Context& context = ContextOf(self);
  if (context.Injected("enqueueV3")) return false;
  auto job = std::make_unique<Job>();
  for (const std::string& name : context.plan->order) {
    const Tensor& tensor = context.plan->tensors.at(name);
    Dims dims = context.Shape(name);
    void* address = context.addresses[name];
    if (!tensor.input && context.allocators[name] != nullptr) {
      for (int i = 0; i < dims.rank; ++i) {
        if (dims.sizes[i] < 0) dims.sizes[i] = 3;
      }
      void* allocator = context.allocators[name];
      address = CallBack<void*>(allocator, "IOutputAllocator", "reallocateOutputAsync", name.c_str(), static_cast<void*>(nullptr),
                                static_cast<std::uint64_t>(Bytes(tensor, dims)), std::uint64_t{256}, stream);
      CallBack<void>(allocator, "IOutputAllocator", "notifyShape", name.c_str(), static_cast<const void*>(&dims));
    }
    if (address == nullptr) {
      context.Report(kInvalidState, "enqueueV3: " + name + " has no address");
      return false;
    }
    const std::size_t items = dims.rank > 0 && dims.sizes[0] > 0 ? static_cast<std::size_t>(dims.sizes[0]) : 1;
    const Job::Part part{reinterpret_cast<std::uintptr_t>(address), Bytes(tensor, dims), tensor.type, items,
                         tensor.first * ElementBytes(tensor.type)};
    if (tensor.input) job->inputs.emplace(tensor.type, part);
    else job->outputs.push_back(part);
  }
  if (context.plan->scratch > 0 && context.scratch == nullptr) {
    context.Report(kInvalidState, "enqueueV3: there is no scratch memory");
    return false;
  }
  job->scratch = reinterpret_cast<std::uintptr_t>(context.scratch);
  job->scratch_bytes = static_cast<std::size_t>(context.plan->scratch);
  ++State().enqueues;
  return Driver().enqueue(stream, RunJob, job.release(), [](void* data) { delete static_cast<Job*>(data); }) == 0;
}

void* const* ContextTable() {
  static const Table table = TableBuilder("VExecutionContext")
                                 .Add("setErrorRecorder", SetRecorder)
                                 .Add("setDeviceMemory", SetDeviceMemory)
                                 .Add("setDeviceMemoryV2", SetDeviceMemoryV2)
                                 .Add("setOptimizationProfileAsync", SetProfile)
                                 .Add("setInputShape", SetInputShape)
                                 .Add("getTensorShape", GetShape)
                                 .Add("setTensorAddress", SetAddress)
                                 .Add("setOutputAllocator", SetOutputAllocator)
                                 .Add("inferShapes", InferShapes)
                                 .Add("enqueueV3", Enqueue)
                                 .Take();
  return table.data();
}

// ------------------------------------------------------------------------------------------------------------------ engine

struct Engine : Reporter {
  std::shared_ptr<const Plan> plan;
  void* allocator = nullptr;
  void* weights = nullptr;

  Engine() { ++State().engines; }
  ~Engine() {
    --State().engines;
    if (weights != nullptr) CallBack<bool>(allocator, "IGpuAllocator", "deallocate", weights);
  }
};
using EngineHead = Head<Engine>;

const Plan& PlanOf(void* self) { return *static_cast<EngineHead*>(self)->state.plan; }
const Tensor& TensorOf(void* self, const char* name) { return PlanOf(self).tensors.at(name); }
// The header says -1 for everything that varies.
Dims AsTold(Dims dims) {
  for (int i = 0; i < dims.rank; ++i) dims.sizes[i] = dims.sizes[i] < 0 ? -1 : dims.sizes[i];
  return dims;
}

std::int32_t Layers(void*) { return 7; }
const char* Name(void* self) { return PlanOf(self).name.c_str(); }
std::int32_t Profiles(void* self) { return static_cast<std::int32_t>(PlanOf(self).profiles.size()); }
Dims EngineShape(void* self, const char* name) { return AsTold(TensorOf(self, name).dims); }
std::int32_t Type(void* self, const char* name) { return TensorOf(self, name).type; }
std::int32_t LocationOf(void* self, const char* name) { return TensorOf(self, name).host ? 1 : 0; }
std::int32_t Mode(void* self, const char* name) { return TensorOf(self, name).input ? 1 : 2; }
std::int32_t Format(void* self, const char* name) { return TensorOf(self, name).format; }
const char* FormatText(void*, const char*) { return "Channel major FP16 format where channel % 8 == 0"; }
Dims ProfileShape(void* self, const char* name, std::int32_t profile, std::int32_t selector) {
  return PlanOf(self).profiles[static_cast<std::size_t>(profile)].at(name).at[selector];
}
std::int32_t Count(void* self) { return static_cast<std::int32_t>(PlanOf(self).order.size()); }
const char* NameAt(void* self, std::int32_t index) { return PlanOf(self).order[static_cast<std::size_t>(index)].c_str(); }
std::int32_t Compatibility(void*) { return 1; }
std::int32_t AuxiliaryStreams(void*) { return 0; }
std::size_t Memory(void* self) { return static_cast<std::size_t>(PlanOf(self).scratch); }
std::int64_t MemoryForProfile(void* self, std::int32_t) { return PlanOf(self).scratch; }

void* CreateContext(void* self, std::int32_t strategy) {
  Engine& engine = static_cast<EngineHead*>(self)->state;
  if (engine.Injected("createExecutionContext") || strategy != 2) return nullptr;
  auto head = std::make_unique<ContextHead>();
  head->table = ContextTable();
  head->state.logger = engine.logger;
  head->state.recorder = engine.recorder;
  head->state.plan = engine.plan;
  return MakePublic(std::move(head));
}

void* const* EngineTable() {
  static const Table table = TableBuilder("VCudaEngine")
                                 .Add("getNbLayers", Layers)
                                 .Add("createExecutionContext", CreateContext)
                                 .Add("getDeviceMemorySize", Memory)
                                 .Add("getName", Name)
                                 .Add("getNbOptimizationProfiles", Profiles)
                                 .Add("getTensorShape", EngineShape)
                                 .Add("getTensorDataType", Type)
                                 .Add("getTensorLocation", LocationOf)
                                 .Add("getTensorIOMode", Mode)
                                 .Add("getTensorFormat", Format)
                                 .Add("getTensorFormatDesc", FormatText)
                                 .Add("getProfileShape", ProfileShape)
                                 .Add("getNbIOTensors", Count)
                                 .Add("getIOTensorName", NameAt)
                                 .Add("getHardwareCompatibilityLevel", Compatibility)
                                 .Add("getNbAuxStreams", AuxiliaryStreams)
                                 .Add("getDeviceMemorySizeForProfileV2", MemoryForProfile)
                                 .Take();
  return table.data();
}

// ----------------------------------------------------------------------------------------------------------------- runtime

struct Runtime : Reporter {
  void* allocator = nullptr;
  bool host_code_allowed = false;

  Runtime() { ++State().runtimes; }
  ~Runtime() { --State().runtimes; }
};
using RuntimeHead = Head<Runtime>;

Runtime& RuntimeOf(void* self) { return static_cast<RuntimeHead*>(self)->state; }

void* Deserialize(void* self, const void* data, std::size_t bytes) {
  Runtime& runtime = RuntimeOf(self);
  if (runtime.Injected("deserializeCudaEngine")) return nullptr;
  auto plan = std::make_shared<Plan>();
  const std::string text(static_cast<const char*>(data), bytes);
  if (bytes < 28 || !ReadPlan(text.substr(28), *plan)) {
    runtime.Report(1, "deserializeCudaEngine: the plan is damaged");
    return nullptr;
  }
  if (const int device = Driver().state()->compute_capability;
      plan->compute_capability != 0 && plan->compute_capability != device) {
    const auto text = [](int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); };
    runtime.Report(4, ("The engine plan file is generated on an incompatible device, expecting compute " + text(device) +
                       " got compute " + text(plan->compute_capability) + ", please rebuild.")
                          .c_str());
    return nullptr;
  }
  if (plan->host_code && !runtime.host_code_allowed) {
    runtime.Report(kInvalidArgument, "deserializeCudaEngine: host code is not allowed");
    return nullptr;
  }
  auto head = std::make_unique<EngineHead>();
  head->table = EngineTable();
  head->state.logger = runtime.logger;
  head->state.recorder = runtime.recorder;
  head->state.plan = plan;
  head->state.allocator = runtime.allocator;
  if (plan->weights > 0) {
    head->state.weights = CallBack<void*>(runtime.allocator, "IGpuAllocator", "allocate", std::uint64_t{plan->weights},
                                          std::uint64_t{256}, std::uint32_t{0});
    if (head->state.weights == nullptr) {
      runtime.Report(kFailedAllocation, "deserializeCudaEngine: no memory for the weights");
      return nullptr;
    }
  }
  return MakePublic(std::move(head));
}

void SetRuntimeRecorder(void* self, void* recorder) { RuntimeOf(self).recorder = recorder; }
void SetRuntimeAllocator(void* self, void* allocator) { RuntimeOf(self).allocator = allocator; }
void SetHostCode(void* self, bool allowed) {
  RuntimeOf(self).host_code_allowed = allowed;
  State().host_code_allowed = allowed;
}

void* const* RuntimeTable() {
  static const Table table = TableBuilder("VRuntime")
                                 .Add("deserializeCudaEngine", Deserialize)
                                 .Add("setErrorRecorder", SetRuntimeRecorder)
                                 .Add("setGpuAllocator", SetRuntimeAllocator)
                                 .Add("setEngineHostCodeAllowed", SetHostCode)
                                 .Take();
  return table.data();
}

}  // namespace

EXPORT FakeTrtState* fake_trt_state() { return &fake::State(); }
EXPORT int getInferLibVersion() { return FAKE_TRT_VERSION; }
EXPORT int getInferLibBuildVersion() { return 1; }

EXPORT void* createInferRuntime_INTERNAL(void* logger, int version) {
  if (version != FAKE_TRT_VERSION || Driver().state == nullptr) std::abort();
  Reporter reporter;
  reporter.logger = logger;
  if (reporter.Injected("createInferRuntime")) return nullptr;
  auto head = std::make_unique<RuntimeHead>();
  head->table = RuntimeTable();
  head->state.logger = logger;
  return MakePublic(std::move(head));
}
