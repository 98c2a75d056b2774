#include "table.h"

#include <charconv>

namespace im::ort {

std::optional<std::uint32_t> ApiOfRelease(const std::string& version) {
  const std::size_t dot = version.find('.');
  if (dot == std::string::npos || version.compare(0, dot, "1") != 0) return std::nullopt;
  std::uint32_t minor = 0;
  const char* begin = version.data() + dot + 1;
  const char* end = version.data() + version.size();
  const auto [rest, error] = std::from_chars(begin, end, minor);
  if (error != std::errc() || rest == begin || (rest != end && *rest != '.')) return std::nullopt;
  return minor;
}

Table ReadTable(const void* slots, std::uint32_t api) {
  const auto* entries = static_cast<void* const*>(slots);
  Table table;
#define IM_ORT_READ(slot, first_api, result, name, parameters) \
  if (api >= (first_api)) table.name = reinterpret_cast<decltype(table.name)>(entries[slot]);
  IM_ORT_FUNCTIONS(IM_ORT_READ)
#undef IM_ORT_READ
  return table;
}

}  // namespace im::ort
