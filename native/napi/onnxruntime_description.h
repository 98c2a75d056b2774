// What a session says about itself, and what it is told: JavaScript objects on one side, the structures of native/onnxruntime on
// the other.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "onnxruntime/session.h"

namespace im {

// More of anything is a slip, not a wish.
constexpr std::int64_t kMaximumThreads = 1024;

Napi::Array DescribePorts(Napi::Env env, const std::vector<ort::Port>& ports);
Napi::Object DescribeMetadata(Napi::Env env, const ort::Metadata& metadata);
Napi::Array DescribeProviders(Napi::Env env, const std::vector<std::string>& providers);

// Throws for what is missing or of another type.
ort::SessionConfiguration ReadConfiguration(Napi::Object options);

}  // namespace im
