#include "cli/transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

std::optional<std::int64_t> SizeOf(std::FILE* file) {
  if (file == stdin || std::fseek(file, 0, SEEK_END) != 0) return std::nullopt;
  const long size = std::ftell(file);
  std::rewind(file);
  if (size < 0) return std::nullopt;
  return size;
}

// Of writing; a pipe that its reader has left is no failure to tell anybody of.
Error WriteError(const std::string& path, int number) {
  if (path == "-" && number == EPIPE)
    return Error(Code::kCancelled, "GY4024", "nobody reads standard output any more");
  return SystemError("writing " + path, number);
}

}  // namespace

Result<File> OpenFile(const std::string& path, const char* mode) {
  if (path == "-") return File(mode[0] == 'r' ? stdin : stdout);
  std::FILE* file = std::fopen(path.c_str(), mode);
  if (file != nullptr) return File(file);
  const int why = errno;
  if (why != ENOENT && why != ENOTDIR) return SystemError("opening " + path, why);
  if (mode[0] == 'r')
    return NotFound("GY4061", "there is no file {}", path)
        .Fix("name a file, or - for standard input");
  const std::size_t slash = path.rfind('/');
  return NotFound("GY4061", "there is no folder {}",
                  path.substr(0, std::max<std::size_t>(slash, 1)))
      .Fix("make the folder, or name a file in another one");
}

Error StoppedSending(const std::string& name) {
  return MakeError(Code::kCancelled, "GY4066", "stopped while {} was sent", name);
}

void AttachFile(net::ClientRequest& request, std::FILE* file, const std::string& name, bool* whole,
                Output& out) {
  const std::optional<std::int64_t> size = SizeOf(file);
  request.content_length = size;
  const std::int64_t started_us = SystemClock().MonotonicMicros();
  request.body_source = [file, name, whole, size, started_us, &out,
                         sent = std::int64_t{0}]() mutable -> Result<std::string> {
    std::string piece(kPieceBytes, '\0');
    piece.resize(std::fread(piece.data(), 1, piece.size(), file));
    if (std::ferror(file) != 0)
      return errno == EINTR ? StoppedSending(name) : SystemError("reading " + name, errno);
    sent += static_cast<std::int64_t>(piece.size());
    *whole = size ? sent >= *size : piece.empty();
    const double seconds =
        static_cast<double>(SystemClock().MonotonicMicros() - started_us) / kMicrosPerSecond;
    const std::string rate = seconds > 0.2
                                 ? fmt::format("  {}/s", HumanBytes(static_cast<std::int64_t>(
                                                             static_cast<double>(sent) / seconds)))
                                 : "";
    const double fraction =
        size && *size > 0 ? static_cast<double>(sent) / static_cast<double>(*size) : -1;
    out.Progress(fraction, fmt::format("sending {}  {}{}", name, HumanBytes(sent), rate));
    return piece;
  };
}

Result<FileSink> FileSink::Open(const std::string& path, Readers readers) {
  FileSink sink;
  sink.path_ = path;
  struct stat there{};
  // A pipe or a device is written into; a file appears whole.
  sink.direct_ = path == "-" || (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode));
  if (path == "/dev/stdout") {
    sink.path_ = "-";
    sink.direct_ = true;
  }
  sink.temporary_ = sink.direct_ ? sink.path_ : sink.path_ + ".part";
  if (readers == Readers::kOwner && !sink.direct_) {
    std::remove(sink.temporary_.c_str());
    const int made =
        ::open(sink.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made >= 0) ::close(made);  // else what is wrong is said below
  }
  GYRE_TRY(sink.file_, OpenFile(sink.temporary_, "w"));
  return sink;
}

FileSink::~FileSink() {
  if (file_ && !direct_) std::remove(temporary_.c_str());
}

Result<> FileSink::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
    return WriteError(path_, errno);
  return {};
}

Result<> FileSink::Commit(Durable durable) {
  if (std::fflush(file_.get()) != 0) return WriteError(path_, errno);
  const bool sync = durable == Durable::kYes && !direct_;
  if (sync && ::fsync(::fileno(file_.get())) != 0) return WriteError(path_, errno);
  file_.reset();
  if (sync) return exec::RenameDurably(temporary_, path_);
  if (!direct_ && std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return SystemError("renaming to " + path_, errno);
  return {};
}

}  // namespace gyre::cli
