// The measured facts of tensorrt_abi.inc, to look up.
#pragma once

#include <cstring>

namespace im::trt::abi {

struct SlotFact {
  int major;
  const char* interface;
  const char* method;
  int slot;
  int since;
};
struct PairFact {
  int major;
  const char* owner;
  const char* name;
  int first;
  int second;
};

#define SLOT(major, interface, method, slot, since)
#define DESTRUCTOR(major, interface, complete, deleting)
#define ENUMERATOR(major, enumeration, name, value)
#define SIZE(major, type, bytes)
#define KIND(major, interface, text, first, second)

inline constexpr SlotFact kSlots[] = {
#undef SLOT
#define SLOT(major, interface, method, slot, since) {major, #interface, method, slot, since},
#include "tensorrt_abi.inc"
#undef SLOT
#define SLOT(major, interface, method, slot, since)
};
inline constexpr PairFact kDestructors[] = {
#undef DESTRUCTOR
#define DESTRUCTOR(major, interface, complete, deleting) {major, #interface, "", complete, deleting},
#include "tensorrt_abi.inc"
#undef DESTRUCTOR
#define DESTRUCTOR(major, interface, complete, deleting)
};
inline constexpr PairFact kEnumerators[] = {
#undef ENUMERATOR
#define ENUMERATOR(major, enumeration, name, value) {major, #enumeration, name, value, 0},
#include "tensorrt_abi.inc"
#undef ENUMERATOR
#define ENUMERATOR(major, enumeration, name, value)
};
inline constexpr PairFact kSizes[] = {
#undef SIZE
#define SIZE(major, type, bytes) {major, #type, "", bytes, 0},
#include "tensorrt_abi.inc"
#undef SIZE
#define SIZE(major, type, bytes)
};
inline constexpr PairFact kKinds[] = {
#undef KIND
#define KIND(major, interface, text, first, second) {major, #interface, text, first, second},
#include "tensorrt_abi.inc"
#undef KIND
};
#undef SLOT
#undef DESTRUCTOR
#undef ENUMERATOR
#undef SIZE

// Null when the major does not have it.
inline const SlotFact* FindSlot(int major, const char* interface, const char* method) {
  for (const SlotFact& fact : kSlots) {
    if (fact.major == major && std::strcmp(fact.interface, interface) == 0 && std::strcmp(fact.method, method) == 0) return &fact;
  }
  return nullptr;
}

template <std::size_t N>
const PairFact* Find(const PairFact (&facts)[N], int major, const char* owner, const char* name = "") {
  for (const PairFact& fact : facts) {
    if (fact.major == major && std::strcmp(fact.owner, owner) == 0 && std::strcmp(fact.name, name) == 0) return &fact;
  }
  return nullptr;
}

}  // namespace im::trt::abi
