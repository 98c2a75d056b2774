#include "session.h"

#include <limits>

namespace im::ort {
namespace {

constexpr char kLoadStage[] = "onnxruntime.load";
constexpr char kProviderStage[] = "onnxruntime.provider";
constexpr char kCpu[] = "CPU";
constexpr int kSeverityError = 3;

Status WithLastLog(const Status& status) {
  const std::string& log = LastLog();
  if (status.ok() || log.empty() || status.message().find(log) != std::string::npos) return status;
  return {status.code(), status.stage(), status.message() + " (" + log + ")"};
}

// Options as the interface wants them: two arrays of C strings.
struct KeyValues {
  explicit KeyValues(const Provider& provider) {
    for (const auto& [key, value] : provider.options) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

// Update comes before append: it loads the provider's library, and its status names the library that is missing.
Status AppendCuda(const Runtime& runtime, OrtSessionOptions* options, const KeyValues& settings) {
  const Table& table = runtime.table();
  OrtCudaProviderOptions* raw = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(table.CreateCUDAProviderOptions(&raw), kProviderStage));
  const Owned<OrtCudaProviderOptions> cuda(raw);
  IM_RETURN_IF_ERROR(runtime.Check(
      table.UpdateCUDAProviderOptions(raw, settings.keys.data(), settings.values.data(), settings.keys.size()), kProviderStage));
  return runtime.Check(table.SessionOptionsAppendExecutionProvider_CUDA_V2(options, raw), kProviderStage);
}

Status AppendTensorRt(const Runtime& runtime, OrtSessionOptions* options, const KeyValues& settings) {
  const Table& table = runtime.table();
  OrtTensorRtProviderOptions* raw = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(table.CreateTensorRTProviderOptions(&raw), kProviderStage));
  const Owned<OrtTensorRtProviderOptions> tensorrt(raw);
  IM_RETURN_IF_ERROR(
      runtime.Check(table.UpdateTensorRTProviderOptions(raw, settings.keys.data(), settings.values.data(), settings.keys.size()),
                    kProviderStage));
  return runtime.Check(table.SessionOptionsAppendExecutionProvider_TensorRT_V2(options, raw), kProviderStage);
}

Status Append(const Runtime& runtime, OrtSessionOptions* options, const Provider& provider) {
  if (provider.name == kCpu) return {};  // always there
  const KeyValues settings(provider);
  ClearLastLog();
  if (provider.name == "CUDA") return WithLastLog(AppendCuda(runtime, options, settings));
  if (provider.name == "TensorRT") return WithLastLog(AppendTensorRt(runtime, options, settings));
  return WithLastLog(
      runtime.Check(runtime.table().SessionOptionsAppendExecutionProvider(options, provider.name.c_str(), settings.keys.data(),
                                                                          settings.values.data(), settings.keys.size()),
                    kProviderStage));
}

Result<Owned<OrtSessionOptions>> MakeOptions(const Runtime& runtime, const SessionConfiguration& configuration) {
  const Table& table = runtime.table();
  OrtSessionOptions* raw = nullptr;
  IM_RETURN_IF_ERROR(runtime.Check(table.CreateSessionOptions(&raw), kLoadStage));
  Owned<OrtSessionOptions> options(raw);
  IM_RETURN_IF_ERROR(runtime.Check(table.SetIntraOpNumThreads(raw, configuration.intra_op_threads), kLoadStage));
  IM_RETURN_IF_ERROR(runtime.Check(table.SetSessionGraphOptimizationLevel(raw, configuration.graph_optimization), kLoadStage));
  IM_RETURN_IF_ERROR(runtime.Check(
      table.AddSessionConfigEntry(raw, "session.intra_op.allow_spinning", configuration.spinning ? "1" : "0"), kLoadStage));
  IM_RETURN_IF_ERROR(runtime.Check(table.SetSessionLogSeverityLevel(raw, kSeverityError), kLoadStage));
  IM_RETURN_IF_ERROR(runtime.Check(table.SetUserLoggingFunction(raw, RecordLog, nullptr), kLoadStage));
  return options;
}

Result<Port> DescribePort(const Runtime& runtime, std::string name, OrtTypeInfo* raw_type) {
  const Table& table = runtime.table();
  const Owned<OrtTypeInfo> type(raw_type);
  Port port;
  port.name = std::move(name);
  IM_RETURN_IF_ERROR(runtime.Check(table.GetOnnxTypeFromTypeInfo(raw_type, &port.kind), kLoadStage));
  const OrtTensorTypeAndShapeInfo* info = nullptr;
  if (port.kind != kKindTensor) return port;  // the others have no shape, and asking for one fails
  IM_RETURN_IF_ERROR(runtime.Check(table.CastTypeInfoToTensorInfo(raw_type, &info), kLoadStage));
  if (info == nullptr) return port;
  IM_RETURN_IF_ERROR(runtime.Check(table.GetTensorElementType(info, &port.type), kLoadStage));
  std::size_t rank = 0;
  IM_RETURN_IF_ERROR(runtime.Check(table.GetDimensionsCount(info, &rank), kLoadStage));
  std::vector<std::int64_t> sizes(rank);
  std::vector<const char*> symbols(rank);
  IM_RETURN_IF_ERROR(runtime.Check(table.GetDimensions(info, sizes.data(), rank), kLoadStage));
  IM_RETURN_IF_ERROR(runtime.Check(table.GetSymbolicDimensions(info, symbols.data(), rank), kLoadStage));
  for (std::size_t i = 0; i < rank; ++i) port.dims.push_back({sizes[i], symbols[i] == nullptr ? "" : symbols[i]});
  return port;
}

}  // namespace

void LoadCancellation::Request() {
  std::lock_guard<std::mutex> lock(mutex_);
  requested_ = true;
  const Runtime& runtime = *Runtime::Get();
  if (options_ == nullptr || runtime.table().SessionOptionsSetLoadCancellationFlag == nullptr) return;
  // Not being able to stop the creation only means that its result is thrown away later.
  (void)runtime.Check(runtime.table().SessionOptionsSetLoadCancellationFlag(options_, true), kLoadStage);
}

bool LoadCancellation::requested() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return requested_;
}

void LoadCancellation::Attach(OrtSessionOptions* options) {
  std::lock_guard<std::mutex> lock(mutex_);
  options_ = options;
}

Result<std::unique_ptr<Session>> Session::Create(const Runtime& runtime, const ModelSource& model,
                                                 const SessionConfiguration& configuration, LoadCancellation& cancellation) {
  std::unique_ptr<Session> session(new Session(runtime));
  for (std::size_t first = 0;; ++first) {
    const Status status = session->Open(model, configuration, first, cancellation);
    if (cancellation.requested()) return Status(Code::kCancelled, kLoadStage, "The creation of the session was cancelled.");
    if (status.ok()) break;
    // Some providers report only now that their device cannot be used; the next one gets its chance.
    if (status.stage() != kProviderStage || first + 1 >= configuration.providers.size()) return status;
  }
  IM_RETURN_IF_ERROR(session->Describe());
  return session;
}

Status Session::Open(const ModelSource& model, const SessionConfiguration& configuration, std::size_t first_provider,
                     LoadCancellation& cancellation) {
  const Table& table = runtime_.table();
  const Result<OrtEnv*> environment = runtime_.Environment();
  if (!environment.ok()) return environment.status();
  Result<Owned<OrtSessionOptions>> made = MakeOptions(runtime_, configuration);
  if (!made.ok()) return made.status();
  const Owned<OrtSessionOptions> options = std::move(made.value());

  providers_.clear();
  for (std::size_t i = first_provider; i < configuration.providers.size(); ++i) {
    const Provider& provider = configuration.providers[i];
    const Status status = Append(runtime_, options.get(), provider);
    if (status.ok()) {
      providers_.push_back(provider.name);
    } else if (i + 1 == configuration.providers.size()) {
      return {status.code(), status.stage(), "Execution provider " + provider.name + " cannot be used: " + status.message()};
    }
  }
  if (providers_.empty() || providers_.back() != kCpu) providers_.emplace_back(kCpu);

  ClearLastLog();
  OrtSession* session = nullptr;
  cancellation.Attach(options.get());
  OrtStatus* created = nullptr;
  if (!cancellation.requested()) {
    created = model.data != nullptr
                  ? table.CreateSessionFromArray(environment.value(), model.data, model.size, options.get(), &session)
                  : table.CreateSession(environment.value(), model.path.c_str(), options.get(), &session);
  }
  cancellation.Attach(nullptr);
  session_.reset(session);
  const Status status = runtime_.Check(created, kLoadStage);
  return status.stage() == kProviderStage ? WithLastLog(status) : status;
}

Status Session::Describe() {
  const Table& table = runtime_.table();
  OrtSession* session = session_.get();
  OrtAllocator* allocator = runtime_.allocator();
  std::size_t input_count = 0;
  std::size_t output_count = 0;
  IM_RETURN_IF_ERROR(runtime_.Check(table.SessionGetInputCount(session, &input_count), kLoadStage));
  IM_RETURN_IF_ERROR(runtime_.Check(table.SessionGetOutputCount(session, &output_count), kLoadStage));
  for (std::size_t i = 0; i < input_count + output_count; ++i) {
    const bool input = i < input_count;
    const std::size_t index = input ? i : i - input_count;
    const auto get_name = input ? table.SessionGetInputName : table.SessionGetOutputName;
    const auto get_type = input ? table.SessionGetInputTypeInfo : table.SessionGetOutputTypeInfo;
    OrtTypeInfo* type = nullptr;
    IM_RETURN_IF_ERROR(runtime_.Check(get_type(session, index, &type), kLoadStage));
    Result<Port> port =
        DescribePort(runtime_, runtime_.TakeText([&](char** out) { return get_name(session, index, allocator, out); }), type);
    if (!port.ok()) return port.status();
    (input ? inputs_ : outputs_).push_back(std::move(port.value()));
  }

  OrtModelMetadata* raw = nullptr;
  IM_RETURN_IF_ERROR(runtime_.Check(table.SessionGetModelMetadata(session, &raw), kLoadStage));
  const Owned<OrtModelMetadata> metadata(raw);
  const auto text = [&](auto getter) { return runtime_.TakeText([&](char** out) { return getter(raw, allocator, out); }); };
  metadata_.producer = text(table.ModelMetadataGetProducerName);
  metadata_.graph_name = text(table.ModelMetadataGetGraphName);
  metadata_.domain = text(table.ModelMetadataGetDomain);
  metadata_.description = text(table.ModelMetadataGetDescription);
  IM_RETURN_IF_ERROR(runtime_.Check(table.ModelMetadataGetVersion(raw, &metadata_.version), kLoadStage));
  char** keys = nullptr;
  std::int64_t key_count = 0;
  IM_RETURN_IF_ERROR(runtime_.Check(table.ModelMetadataGetCustomMetadataMapKeys(raw, allocator, &keys, &key_count), kLoadStage));
  for (std::int64_t i = 0; i < key_count; ++i) {
    std::string value =
        runtime_.TakeText([&](char** out) { return table.ModelMetadataLookupCustomMetadataMap(raw, allocator, keys[i], out); });
    metadata_.custom.emplace_back(keys[i], std::move(value));
    IM_RETURN_IF_ERROR(runtime_.Check(table.AllocatorFree(allocator, keys[i]), kLoadStage));
  }
  return runtime_.Check(keys == nullptr ? nullptr : table.AllocatorFree(allocator, keys), kLoadStage);
}

Result<std::vector<OutputTensor>> Session::Run(const OrtRunOptions* options, const std::vector<std::string>& input_names,
                                               const std::vector<Owned<OrtValue>>& inputs,
                                               const std::vector<std::string>& output_names) const {
  std::vector<const char*> input_pointers;
  std::vector<const OrtValue*> input_values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    input_pointers.push_back(input_names[i].c_str());
    input_values.push_back(inputs[i].get());
  }
  std::vector<const char*> output_pointers;
  for (const std::string& name : output_names) output_pointers.push_back(name.c_str());
  std::vector<OrtValue*> raw(output_names.size(), nullptr);

  const Status status =
      runtime_.Check(runtime_.table().Run(session_.get(), options, input_pointers.data(), input_values.data(), inputs.size(),
                                          output_pointers.data(), output_names.size(), raw.data()),
                     "onnxruntime.run");
  std::vector<Owned<OrtValue>> values;  // first of all owned: some exist even after a failure
  for (OrtValue* value : raw) values.emplace_back(value);
  if (!status.ok()) return status;

  std::vector<OutputTensor> outputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Result<OutputTensor> tensor = ReadTensor(runtime_, std::move(values[i]), output_names[i]);
    if (!tensor.ok()) return tensor.status();
    outputs.push_back(std::move(tensor.value()));
  }
  return outputs;
}

}  // namespace im::ort
