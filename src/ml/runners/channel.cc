#include "ml/runners/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace gyre::runners {

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("making a pipe", errno);
  return Pipe{exec::Descriptor(ends[0]), exec::Descriptor(ends[1])};
}

Result<> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE)
      return MakeError(Code::kUnavailable, "GY3307", "the other side of the pipe has closed it");
    if (n < 0) return SystemError("writing to a pipe", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<bool> LineReader::Fill(int fd) {
  constexpr std::size_t kChunk = std::size_t{1} << 16;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kChunk);
  ssize_t n = 0;
  do {
    n = read(fd, buffer_.data() + before, kChunk);
  } while (n < 0 && errno == EINTR);
  buffer_.resize(before + static_cast<std::size_t>(n > 0 ? n : 0));
  if (n < 0) return SystemError("reading from a pipe", errno);
  if (buffer_.size() > line_bytes_max_ && buffer_.find('\n') == std::string::npos) {
    return MakeError(Code::kResourceExhausted, "GY3308",
                     "a message between processes is longer than {} bytes", line_bytes_max_);
  }
  return n > 0;
}

std::optional<std::string> LineReader::Next() {
  const std::size_t end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  scanned_ = 0;
  return line;
}

std::string LineReader::TakeRest() {
  scanned_ = 0;
  return std::exchange(buffer_, {});
}

int WaitReadable(int first, int second, int timeout_ms) {
  pollfd fds[2] = {{first, POLLIN, 0}, {second, POLLIN, 0}};  // poll ignores negative descriptors
  if (poll(fds, 2, timeout_ms) <= 0) return 0;
  return (fds[0].revents != 0 ? 1 : 0) | (fds[1].revents != 0 ? 2 : 0);
}

}  // namespace gyre::runners
