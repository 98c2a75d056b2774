// The builder of the TensorRT stand-in: it writes plans that the same stand-in loads (fake_tensorrt.h).
//
// A plan has the network's inputs, outputs and profiles, and a line with every setting that the builder was given, numerically:
//   config network=FLAGS flags=FLAGS hardware=LEVEL workspace=BYTES layers=N
// A network with a layer of the kind "Slow" takes 400 steps of five milliseconds; others take three.
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "fake_cuda.h"
#include "fake_objects.h"

namespace {

using namespace fake;

constexpr char kCacheMagic[] = "FAKE-TIMING-CACHE ";

struct Counted {
  Counted() { ++State().build_objects; }
  ~Counted() { --State().build_objects; }
};

template <typename Implementation>
Public* Make(void* const* table, Implementation implementation) {
  return MakePublic(std::make_unique<Head<Implementation>>(Head<Implementation>{table, std::move(implementation)}));
}

template <typename Implementation>
Implementation& Of(void* self) {
  return static_cast<Head<Implementation>*>(self)->state;
}
template <typename Implementation>
Implementation& OfPublic(Public* object) {
  return Of<Implementation>(object->implementation);
}

// By pointer, so that states can be moved.
using Counter = std::unique_ptr<Counted>;

// ------------------------------------------------------------------------------------------------------------- memory

struct Memory {
  std::string bytes;
  Counter counter = std::make_unique<Counted>();
};

const void* MemoryData(void* self) { return Of<Memory>(self).bytes.data(); }
std::size_t MemorySize(void* self) { return Of<Memory>(self).bytes.size(); }

Public* MakeMemory(std::string bytes) {
  static const Table table = TableBuilder("VHostMemory").Add("data", MemoryData).Add("size", MemorySize).Take();
  Memory memory;
  memory.bytes = std::move(bytes);
  return Make(table.data(), std::move(memory));
}

// ------------------------------------------------------------------------------------------------------------ network

struct Dims {
  std::int32_t rank;
  std::int64_t sizes[8];
};

struct Tensor {
  std::string name;
  int type = 0;
  Dims dims{};
  Public object{};
  Head<Tensor*> head{};
};

const char* TensorName(void* self) { return Of<Tensor*>(self)->name.c_str(); }
Dims TensorDims(void* self) { return Of<Tensor*>(self)->dims; }
std::int32_t TensorType(void* self) { return Of<Tensor*>(self)->type; }
// A name says so, as nothing else of a stand-in's network could.
bool TensorDecidesShapes(void* self) { return Of<Tensor*>(self)->name.rfind("shape_", 0) == 0; }

struct Network {
  Counter counter = std::make_unique<Counted>();
  Reporter reporter;
  std::uint32_t flags = 0;
  std::string name = "network";
  std::vector<std::unique_ptr<Tensor>> tensors;
  std::vector<Tensor*> inputs;
  std::vector<Tensor*> outputs;
  std::vector<std::string> layers;
};

// As the parser of the stand-in fills it: an input, or (marked afterwards) an output; the name of the network; a layer of a kind.
Public* AddTensor(void* self, const char* name, std::int32_t type, const Dims* dims) {
  static const Table table = TableBuilder("VTensor")
                                 .Add("getName", TensorName)
                                 .Add("getDimensions", TensorDims)
                                 .Add("getType", TensorType)
                                 .Add("isShapeTensor", TensorDecidesShapes)
                                 .Take();
  auto tensor = std::make_unique<Tensor>();
  tensor->name = name;
  tensor->type = type;
  tensor->dims = *dims;
  tensor->head = {table.data(), tensor.get()};
  // Nobody may destroy it: it belongs to its network.
  static void* const forbidden[2] = {reinterpret_cast<void*>(Wrong), reinterpret_cast<void*>(Wrong)};
  tensor->object = {const_cast<void**>(forbidden), &tensor->head};
  Network& network = Of<Network>(self);
  network.inputs.push_back(tensor.get());
  network.tensors.push_back(std::move(tensor));
  return &network.inputs.back()->object;
}

void MarkOutput(void* self, Public* object) {
  Network& network = Of<Network>(self);
  Tensor* tensor = OfPublic<Tensor*>(object);
  std::vector<Tensor*> rest;
  for (Tensor* input : network.inputs) {
    if (input != tensor) rest.push_back(input);
  }
  network.inputs = rest;
  network.outputs.push_back(tensor);
}

void SetName(void* self, const char* name) { Of<Network>(self).name = name; }
void* AddLayer(void* self, const char* kind) {
  Of<Network>(self).layers.push_back(kind);
  return nullptr;
}

std::int32_t LayerCount(void* self) { return static_cast<std::int32_t>(Of<Network>(self).layers.size()); }
std::int32_t InputCount(void* self) { return static_cast<std::int32_t>(Of<Network>(self).inputs.size()); }
std::int32_t OutputCount(void* self) { return static_cast<std::int32_t>(Of<Network>(self).outputs.size()); }
Public* Input(void* self, std::int32_t index) {
  if (Of<Network>(self).reporter.Injected("getInput")) return nullptr;
  return &Of<Network>(self).inputs[static_cast<std::size_t>(index)]->object;
}
Public* Output(void* self, std::int32_t index) {
  if (Of<Network>(self).reporter.Injected("getOutput")) return nullptr;
  return &Of<Network>(self).outputs[static_cast<std::size_t>(index)]->object;
}

// ------------------------------------------------------------------------------------------------------------ profile

struct Profile {
  Reporter reporter;
  std::map<std::string, std::map<int, Dims>> ranges;
};

bool SetDimensions(void* self, const char* name, std::int32_t selector, const Dims* dims) {
  Profile& profile = Of<Profile>(self);
  if (profile.reporter.Injected("setDimensions")) return false;
  profile.ranges[name][selector] = *dims;
  return true;
}

// ------------------------------------------------------------------------------------------------------- timing cache

struct Cache {
  Counter counter = std::make_unique<Counted>();
  Reporter reporter;
  std::string release;
  std::set<std::string> entries;

  bool Read(const std::string& text) {
    release = std::to_string(FAKE_TRT_VERSION);
    if (text.empty()) return true;
    std::istringstream lines(text);
    std::string line;
    if (!std::getline(lines, line) || line.rfind(kCacheMagic, 0) != 0) return false;
    release = line.substr(sizeof kCacheMagic - 1);
    while (std::getline(lines, line)) entries.insert(line);
    return true;
  }
  std::string Text() const {
    std::string text = kCacheMagic + release + "\n";
    for (const std::string& entry : entries) text += entry + "\n";
    return text;
  }
};

Public* SerializeCache(void* self) {
  Cache& cache = Of<Cache>(self);
  return cache.reporter.Injected("serialize") ? nullptr : MakeMemory(cache.Text());
}

bool CombineCache(void* self, Public* other, bool ignore_mismatch) {
  Cache& cache = Of<Cache>(self);
  if (cache.reporter.Injected("combine")) return false;
  const Cache& given = OfPublic<Cache>(other);
  if (!ignore_mismatch && given.release != cache.release) {
    cache.reporter.Report(kInvalidArgument, "combine: the caches are of different releases");
    return false;
  }
  cache.entries.insert(given.entries.begin(), given.entries.end());
  return true;
}

// ------------------------------------------------------------------------------------------------------ configuration

struct Config {
  Counter counter = std::make_unique<Counted>();
  Reporter reporter;
  std::uint32_t flags = 0;
  int hardware = 0;
  std::map<int, std::size_t> pools;
  std::vector<Public*> profiles;
  Public* cache = nullptr;
  void* monitor = nullptr;
};

void SetFlag(void* self, std::int32_t flag) { Of<Config>(self).flags |= 1u << flag; }
void SetHardware(void* self, std::int32_t level) { Of<Config>(self).hardware = level; }
void SetPool(void* self, std::int32_t pool, std::size_t bytes) { Of<Config>(self).pools[pool] = bytes; }
void SetMonitor(void* self, void* monitor) { Of<Config>(self).monitor = monitor; }
std::int32_t AddProfile(void* self, Public* profile) {
  Config& config = Of<Config>(self);
  if (config.reporter.Injected("addOptimizationProfile")) return -1;
  config.profiles.push_back(profile);
  return static_cast<std::int32_t>(config.profiles.size()) - 1;
}

Public* CreateCache(void* self, const void* bytes, std::size_t size) {
  static const Table table = TableBuilder("VTimingCache").Add("serialize", SerializeCache).Add("combine", CombineCache).Take();
  Config& config = Of<Config>(self);
  if (config.reporter.Injected("createTimingCache")) return nullptr;
  Cache cache;
  cache.reporter = config.reporter;
  if (!cache.Read(std::string(static_cast<const char*>(bytes), size))) {
    config.reporter.Report(kInvalidArgument, "createTimingCache: this is no timing cache");
    return nullptr;
  }
  return Make(table.data(), std::move(cache));
}

bool UseCache(void* self, Public* cache, bool ignore_mismatch) {
  Config& config = Of<Config>(self);
  if (config.reporter.Injected("setTimingCache")) return false;
  if (!ignore_mismatch && OfPublic<Cache>(cache).release != std::to_string(FAKE_TRT_VERSION)) {
    config.reporter.Report(kInvalidArgument, "setTimingCache: the cache is of another release");
    return false;
  }
  config.cache = cache;
  return true;
}
Public* UsedCache(void* self) { return Of<Config>(self).cache; }

// ------------------------------------------------------------------------------------------------------------ builder

struct Builder {
  Counter counter = std::make_unique<Counted>();
  Reporter reporter;
  std::vector<Public*> profiles;

  Builder() = default;
  Builder(Builder&&) = default;
  ~Builder() {
    for (Public* profile : profiles) Delete<Head<Profile>>(profile);
  }
};

Public* CreateConfig(void* self) {
  static const Table table = TableBuilder("VBuilderConfig")
                                 .Add("setFlag", SetFlag)
                                 .Add("setHardwareCompatibilityLevel", SetHardware)
                                 .Add("setMemoryPoolLimit", SetPool)
                                 .Add("setProgressMonitor", SetMonitor)
                                 .Add("addOptimizationProfile", AddProfile)
                                 .Add("createTimingCache", CreateCache)
                                 .Add("setTimingCache", UseCache)
                                 .Add("getTimingCache", UsedCache)
                                 .Take();
  Builder& builder = Of<Builder>(self);
  if (builder.reporter.Injected("createBuilderConfig")) return nullptr;
  Config config;
  config.reporter = builder.reporter;
  return Make(table.data(), std::move(config));
}

Public* CreateNetwork(void* self, std::uint32_t flags) {
  static const Table table = TableBuilder("VNetworkDefinition")
                                 .Add("addInput", AddTensor)
                                 .Add("markOutput", MarkOutput)
                                 .Add("setName", SetName)
                                 .Add("addIdentity", AddLayer)
                                 .Add("getNbLayers", LayerCount)
                                 .Add("getNbInputs", InputCount)
                                 .Add("getInput", Input)
                                 .Add("getNbOutputs", OutputCount)
                                 .Add("getOutput", Output)
                                 .Take();
  Builder& builder = Of<Builder>(self);
  if (builder.reporter.Injected("createNetworkV2")) return nullptr;
  Network network;
  network.reporter = builder.reporter;
  network.flags = flags;
  return Make(table.data(), std::move(network));
}

Public* CreateProfile(void* self) {
  static const Table table = TableBuilder("VOptimizationProfile").Add("setDimensions", SetDimensions).Take();
  Builder& builder = Of<Builder>(self);
  if (builder.reporter.Injected("createOptimizationProfile")) return nullptr;
  Profile profile;
  profile.reporter = builder.reporter;
  auto head = std::make_unique<Head<Profile>>(Head<Profile>{table.data(), std::move(profile)});
  // Nobody else may destroy it.
  static void* forbidden[2] = {reinterpret_cast<void*>(Wrong), reinterpret_cast<void*>(Wrong)};
  builder.profiles.push_back(new Public{forbidden, head.release()});
  return builder.profiles.back();
}

void SetRecorder(void* self, void* recorder) { Of<Builder>(self).reporter.recorder = recorder; }

std::string DimsText(const Dims& dims, bool with_rank) {
  std::string text = with_rank ? " " + std::to_string(dims.rank) : "";
  for (int i = 0; i < dims.rank; ++i) text += " " + std::to_string(dims.sizes[i]);
  return text;
}

// Two phases, one inside the other. False when the monitor wants it to stop.
bool Work(void* monitor, const Network& network) {
  if (monitor == nullptr) return true;
  bool slow = false;
  for (const std::string& layer : network.layers) slow = slow || layer == "Slow";
  const int steps = slow ? 400 : 3;
  bool go_on = true;
  const auto start = [&](const char* phase, const char* parent, int count) {
    CallBack<void>(monitor, "IProgressMonitor", "phaseStart", phase, parent, std::int32_t{count});
  };
  const auto step = [&](const char* phase, int index) {
    go_on = go_on && CallBack<bool>(monitor, "IProgressMonitor", "stepComplete", phase, std::int32_t{index});
  };
  start("Building", nullptr, steps);
  for (int i = 0; i < steps && go_on; ++i) {
    start("Timing tactics", "Building", 2);
    for (int j = 0; j < 2; ++j) step("Timing tactics", j);
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CallBack<void>(monitor, "IProgressMonitor", "phaseFinish", "Timing tactics");
    step("Building", i);
  }
  CallBack<void>(monitor, "IProgressMonitor", "phaseFinish", "Building");
  return go_on;
}

std::string PlanOf(const Network& network, const Config& config) {
  const int version_compatible = kMajor >= 11 ? 12 : 13;
  std::ostringstream plan;
  plan << "name " << network.name << "\n";
  if ((config.flags >> version_compatible & 1) != 0) plan << "host-code\n";
  const auto pool = config.pools.find(0);
  plan << "config network=" << network.flags << " flags=" << config.flags << " hardware=" << config.hardware
       << " workspace=" << (pool == config.pools.end() ? 0 : pool->second) << " layers=" << network.layers.size() << "\n";
  for (const Tensor* tensor : network.inputs)
    plan << "in " << tensor->name << " " << tensor->type << DimsText(tensor->dims, true) << "\n";
  for (const Tensor* tensor : network.outputs)
    plan << "out " << tensor->name << " " << tensor->type << DimsText(tensor->dims, true) << "\n";
  for (std::size_t i = 0; i < config.profiles.size(); ++i) {
    for (auto& [name, range] : OfPublic<Profile>(config.profiles[i]).ranges) {
      plan << "profile " << i << " " << name << DimsText(range[0], true) << DimsText(range[1], false) << DimsText(range[2], false)
           << "\n";
    }
  }
  return FakePlan(kMajor, FAKE_TRT_VERSION / 100 % 100, FAKE_TRT_VERSION % 100, 1, plan.str());
}

Public* BuildNetwork(void* self, Public* network_object, Public* config_object) {
  Builder& builder = Of<Builder>(self);
  const Network& network = OfPublic<Network>(network_object);
  const Config& config = OfPublic<Config>(config_object);
  if (builder.reporter.Injected("buildSerializedNetwork")) return nullptr;
  for (const Tensor* input : network.inputs) {
    for (int i = 0; i < input->dims.rank; ++i) {
      if (input->dims.sizes[i] >= 0 || !config.profiles.empty()) continue;
      builder.reporter.Report(kInvalidArgument, "buildSerializedNetwork: " + input->name + " varies, and there is no profile");
      return nullptr;
    }
  }
  if (!Work(config.monitor, network)) return nullptr;
  if (config.cache != nullptr) OfPublic<Cache>(config.cache).entries.insert("tactics of " + network.name);
  return MakeMemory(PlanOf(network, config));
}

}  // namespace

EXPORT void* createInferBuilder_INTERNAL(void* logger, int version) {
  static const Table table = TableBuilder("VBuilder")
                                 .Add("createBuilderConfig", CreateConfig)
                                 .Add("createNetworkV2", CreateNetwork)
                                 .Add("createOptimizationProfile", CreateProfile)
                                 .Add("setErrorRecorder", SetRecorder)
                                 .Add("buildSerializedNetwork", BuildNetwork)
                                 .Take();
  if (version != FAKE_TRT_VERSION || FakeCuda::Attach("libcuda.so.1").state == nullptr) std::abort();
  Builder builder;
  builder.reporter.logger = logger;
  if (builder.reporter.Injected("createInferBuilder")) return nullptr;
  return Make(table.data(), std::move(builder));
}
