#include "platform/exec/library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "base/text.h"

namespace gyre::exec {

namespace {

std::string ProgramFolder() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return ".";
  const std::string_view program(path, static_cast<std::size_t>(length));
  return std::string(program.substr(0, program.rfind('/')));
}

}  // namespace

Result<std::string> FindLibrary(std::string_view file) {
  std::vector<std::string> folders;
  if (const char* folder = std::getenv("GYRE_LIB_DIR"); folder != nullptr && *folder != '\0')
    folders.emplace_back(folder);
  const std::string program = ProgramFolder();
  folders.push_back(program + "/../lib/gyre");
  folders.push_back(program + "/lib/gyre");
  for (const std::string& folder : folders) {
    std::string path = fmt::format("{}/{}", folder, file);
    if (access(path.c_str(), R_OK) == 0) return path;
  }
  return NotFound("GY1320", "the library {} is not installed", file)
      .Why("looked in " + Join(folders, ", "))
      .Fix("install gyre again: its package brings its libraries (in its source: make deps)")
      .Fix("set GYRE_LIB_DIR to the folder that holds it");
}

Result<Library> Library::Open(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    return FailedPrecondition("GY1321", "the library {} cannot be loaded", path)
        .Why(reason != nullptr ? reason : "");
  }
  return Library(handle, path);
}

Result<void*> Library::Symbol(const char* name) const {
  void* symbol = dlsym(handle_, name);
  if (symbol == nullptr) {
    return FailedPrecondition("GY1322", "the library {} has no function `{}`", path_, name)
        .Why("gyre was written for another version of it")
        .Fix("make deps");
  }
  return symbol;
}

}  // namespace gyre::exec
