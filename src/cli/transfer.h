// Files on their way to the API and back, with their progress shown. "-" is standard input or
// output.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/output.h"
#include "platform/net/client.h"

namespace gyre::cli {

struct FileCloser {
  void operator()(std::FILE* file) const {
    if (file != stdin && file != stdout) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// mode: "r" or "w". Errors: kNotFound GY4061 no such file or folder; what the file system says.
Result<File> OpenFile(const std::string& path, const char* mode);

// Makes the file the body of the request; both must outlive its sending. `whole` becomes true when
// all of it was handed over.
void AttachFile(net::ClientRequest& request, std::FILE* file, const std::string& name, bool* whole,
                Output& out);
// Ctrl-C while a body was read: kCancelled GY4066.
Error StoppedSending(const std::string& name);

// An answer's body into a file that appears whole, by Commit, or not at all. Errors: what the file
// system says; kCancelled GY4024 when nobody reads standard output any more.
class FileSink {
 public:
  enum class Readers : unsigned char { kAsUsual, kOwner };  // kOwner: mode 0600 from the first byte
  static Result<FileSink> Open(const std::string& path, Readers readers = Readers::kAsUsual);
  FileSink(FileSink&&) = default;
  ~FileSink();
  Result<> Write(std::string_view bytes);
  enum class Durable : unsigned char { kNo, kYes };  // synced before and after it gets its name
  Result<> Commit(Durable durable = Durable::kNo);

 private:
  FileSink() = default;
  std::string path_, temporary_;
  bool direct_ = false;  // without a temporary file
  File file_;
};

}  // namespace gyre::cli
