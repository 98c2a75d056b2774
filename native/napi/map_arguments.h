// Maps as JavaScript asks for them: NativePlacement and NativeClassMapSettings of src/native/addon.ts.
#pragma once

#include <napi.h>

#include <string>

#include "../maps/class_map.h"

namespace im {

maps::Placement ReadPlacement(Napi::Value value, const std::string& name);
// Holds nothing of JavaScript's.
maps::ClassMapSettings ReadClassMapSettings(Napi::Value value, const std::string& name);
// "triangle" or "nearest-cubic".
Kernel ReadMapFilter(Napi::Value value, const std::string& name);

}  // namespace im
