#include "platform/exec/bounded_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "platform/exec/files.h"

namespace gyre::exec {
namespace {

constexpr std::int64_t kPage = 4096;   // what file systems give back is whole pages
constexpr std::int64_t kSector = 512;  // st_blocks counts these

class OpenLog {
 public:
  OpenLog(const std::string& path, int flags) : file_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~OpenLog() {
    if (file_ >= 0) ::close(file_);
  }
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;
  int get() const { return file_; }

 private:
  const int file_;
};

}  // namespace

void BoundLog(const std::string& path, std::int64_t bytes_max) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || info.st_blocks * kSector <= bytes_max) return;
  // More than is owed, so that a program that prints on and on is not interrupted each time.
  const std::int64_t begin = bytes_max / 4 / kPage * kPage;
  const std::int64_t end = (info.st_size - bytes_max / 2) / kPage * kPage;
  if (end <= begin) return;
  const OpenLog file(path, O_WRONLY);
  static_cast<void>(
      ::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, end - begin));
}

Result<PieceOfLog> ReadLogFrom(const std::string& path, std::int64_t offset,
                               std::int64_t bytes_max) {
  PieceOfLog piece{.text = {}, .next_offset = offset};
  const OpenLog file(path, O_RDONLY);
  if (file.get() < 0) return SystemError("reading " + path, errno);
  const std::int64_t data = ::lseek(file.get(), offset, SEEK_DATA);
  if (data < 0) return piece;  // at its end
  if (data > offset) {
    piece.text = fmt::format("\n[{} of output were left out here]\n", HumanBytes(data - offset));
    piece.next_offset = data;
    return piece;
  }
  const std::int64_t hole = std::max(data, std::int64_t{::lseek(file.get(), data, SEEK_HOLE)});
  GYRE_TRY(piece.text, ReadFilePart(path, data, std::min(bytes_max, hole - data)));
  piece.next_offset = data + static_cast<std::int64_t>(piece.text.size());
  return piece;
}

}  // namespace gyre::exec
