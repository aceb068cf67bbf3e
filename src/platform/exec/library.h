// Third-party shared libraries that are loaded at the first use: DuckDB, LightGBM. Looked for in
// $GYRE_LIB_DIR, then <program>/../lib/gyre, then <program>/lib/gyre. A library that was opened
// stays open until the process ends.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::exec {

// Error: kNotFound GY1320 names the file, the places that were searched and the remedy.
Result<std::string> FindLibrary(std::string_view file);

// dlopen(RTLD_NOW | RTLD_LOCAL). Thread-safe.
class Library {
 public:
  // Error: kFailedPrecondition GY1321 when the system's loader refuses the file.
  static Result<Library> Open(const std::string& path);
  // Error: kFailedPrecondition GY1322 names the missing function and the library.
  Result<void*> Symbol(const char* name) const;

 private:
  Library(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  void* handle_;
  std::string path_;
};

}  // namespace gyre::exec
