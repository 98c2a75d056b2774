// The CUDA driver, libcuda: opened, asked what it is, and its answers as statuses.
#pragma once

#include <string>

#include "base/library.h"
#include "base/status.h"
#include "cuda/driver_table.h"

namespace im::cuda {

// Where libcuda may lie. `configured` is a folder, or "".
LibrarySearch DriverSearch(const std::string& configured);

class Driver {
 public:
  // Opens the library and reads its table; initialises nothing, so it also answers for a machine without a device. The failure
  // tells a driver that is missing from one that cannot be opened.
  static Result<Driver> Open(const LibrarySearch& search);

  const DriverTable& table() const { return table_; }
  const std::string& path() const { return path_; }
  // CUDA version that the driver supports, times 1000: 12040. 0 when it does not say.
  int version() const { return version_; }

  // Once before anything else; repeating it costs nothing. Answers for a machine that has devices.
  Status Initialize() const;
  // Of an initialised driver; a driver without any GPU is a failure.
  Status CountDevices(int* count) const;
  // Refuses a driver that is too old for what this package does.
  Status RequireComplete() const;

  // `function` as the interface writes it. The text has the code, its name, its meaning, and what to do about it.
  Status Check(int result, const char* function) const;

 private:
  std::string path_;
  DriverTable table_;
  int version_ = 0;
  const char* missing_ = nullptr;
};

// 12040 -> "12.4".
std::string VersionText(int version);

}  // namespace im::cuda
