#include "onnxruntime_description.h"

#include <iterator>

#include "arguments.h"
#include "tensor_values.h"
#include "onnxruntime/runtime.h"

namespace im {

namespace {

Napi::Object DescribePort(Napi::Env env, const ort::Port& port) {
  static constexpr const char* kKinds[] = {"unknown", "tensor", "sequence", "map", "opaque", "sparse-tensor", "optional"};
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", port.name);
  result.Set("kind", port.kind >= 0 && port.kind < static_cast<int>(std::size(kKinds)) ? kKinds[port.kind] : kKinds[0]);
  result.Set("type", port.type);
  if (port.kind != ort::kKindTensor) {
    result.Set("dims", env.Null());
    return result;
  }
  Napi::Array dims = Napi::Array::New(env, port.dims.size());
  for (std::size_t i = 0; i < port.dims.size(); ++i) {
    const ort::Dimension& dimension = port.dims[i];
    const auto index = static_cast<std::uint32_t>(i);
    if (dimension.size < 0) dims.Set(index, dimension.symbol);
    else dims.Set(index, static_cast<double>(dimension.size));
  }
  result.Set("dims", dims);
  return result;
}

}  // namespace

Napi::Array DescribePorts(Napi::Env env, const std::vector<ort::Port>& ports) {
  Napi::Array result = Napi::Array::New(env, ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) result.Set(static_cast<std::uint32_t>(i), DescribePort(env, ports[i]));
  return result;
}

Napi::Object DescribeMetadata(Napi::Env env, const ort::Metadata& metadata) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("producer", metadata.producer);
  result.Set("graphName", metadata.graph_name);
  result.Set("domain", metadata.domain);
  result.Set("description", metadata.description);
  // A version that was never set reads as the largest number, and one that is not exact in JavaScript is of no use.
  const bool known = metadata.version >= 0 && metadata.version <= kMaximumDimension;
  result.Set("version", known ? Napi::Number::New(env, static_cast<double>(metadata.version)).As<Napi::Value>() : env.Null());
  Napi::Object custom = Napi::Object::New(env);
  for (const auto& [key, value] : metadata.custom) {
    // Defined, not assigned: a key "__proto__" is a key like any other.
    custom.DefineProperty(Napi::PropertyDescriptor::Value(
        key, Napi::String::New(env, value),
        static_cast<napi_property_attributes>(napi_enumerable | napi_configurable | napi_writable)));
  }
  result.Set("custom", custom);
  return result;
}

Napi::Array DescribeProviders(Napi::Env env, const std::vector<std::string>& providers) {
  Napi::Array result = Napi::Array::New(env, providers.size());
  for (std::size_t i = 0; i < providers.size(); ++i) result.Set(static_cast<std::uint32_t>(i), providers[i]);
  return result;
}

ort::SessionConfiguration ReadConfiguration(Napi::Object options) {
  ort::SessionConfiguration configuration;
  Napi::Value listed = Field(options, "providers");
  if (!listed.IsArray()) ThrowArgument(options.Env(), "options.providers", "an array", listed);
  Napi::Array providers = listed.As<Napi::Array>();
  for (std::uint32_t i = 0; i < providers.Length(); ++i) {
    const std::string where = "options.providers[" + std::to_string(i) + "]";
    Napi::Object given = RequireObject(providers.Get(i), where);
    ort::Provider provider{RequireString(Field(given, "name"), where + ".name"), {}};
    Napi::Object settings = RequireObject(Field(given, "options"), where + ".options");
    Napi::Array keys = settings.GetPropertyNames();
    for (std::uint32_t k = 0; k < keys.Length(); ++k) {
      const std::string key = keys.Get(k).ToString().Utf8Value();
      provider.options.emplace_back(key, RequireString(settings.Get(key), where + ".options." + key));
    }
    configuration.providers.push_back(std::move(provider));
  }
  configuration.intra_op_threads =
      static_cast<int>(RequireInteger(Field(options, "intraOpThreads"), "options.intraOpThreads", 0, kMaximumThreads));
  configuration.spinning = RequireBoolean(Field(options, "spinning"), "options.spinning");
  configuration.graph_optimization =
      static_cast<int>(RequireInteger(Field(options, "graphOptimization"), "options.graphOptimization", 0, 99));
  return configuration;
}

}  // namespace im
