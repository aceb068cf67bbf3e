#include "platform/exec/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "platform/exec/descriptor.h"

namespace gyre::exec {

MappedFile::~MappedFile() {
  if (start_ != nullptr) munmap(start_, size_);
}

Result<MappedFile> MapFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return SystemError("reading " + path, errno);
  if (info.st_size == 0) return MappedFile();
  const auto size = static_cast<std::size_t>(info.st_size);
  void* const start = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED) return SystemError("mapping " + path, errno);
  return MappedFile(start, size);
}

}  // namespace gyre::exec
