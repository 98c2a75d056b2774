// Memory that jobs on other threads may use in place: allocated here, handed out as external ArrayBuffers.
//
// An ordinary ArrayBuffer can be detached while a job reads it, and its new owner may free it. An external one is copied
// when it is transferred, so its memory lives as long as the object that the job holds.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace im {

// Zero-filled, aligned to 64 bytes. Throws Napi::RangeError when the size is refused or the memory cannot be had.
Napi::ArrayBuffer AllocateBuffer(Napi::Env env, std::size_t byte_length);

// An ArrayBuffer over memory that already exists; `release` runs on the JavaScript thread once it is collected (at once
// for an empty buffer, or where external buffers are not allowed and a copy is returned).
Napi::ArrayBuffer AdoptBuffer(Napi::Env env, void* data, std::size_t byte_length, void (*release)(void* hint), void* hint);

// Whether [data, data + byte_length) lies in memory from AllocateBuffer or AdoptBuffer that is still alive.
bool IsOwnedMemory(const void* data, std::size_t byte_length);

std::uint64_t MemoryInUse();

}  // namespace im
