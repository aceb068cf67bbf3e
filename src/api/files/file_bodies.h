// Bodies that are files: what a request brings, a stored blob, a file made for one answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/net/http.h"

namespace gyre::blob {
class ReadStream;
}

namespace gyre::files {

// A folder that goes when the answer has been sent or given up.
class ScratchFolder {
 public:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Of a table as csv, jsonl or parquet; empty for another format.
std::optional<std::string_view> TableContentType(std::string_view format);

// Gives the body of a request, piece by piece, to what appends it.
template <typename Sink>
Result<> Receive(net::Request& request, Sink& sink) {
  for (;;) {
    GYRE_TRY(const std::string piece, request.body_reader().Next());
    if (piece.empty()) return {};
    GYRE_DO(sink.Append(piece));
  }
}

// Appends what is received to a file, in pieces that are worth a write.
class FileSink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}
  Result<> Append(std::string_view bytes);
  Result<> Flush();  // when all has been received
  const std::string& path() const { return path_; }

 private:
  std::string path_, waiting_;
};

using BodyStream = std::move_only_function<Result<>(net::BodyWriter&)>;
BodyStream StreamBlob(std::shared_ptr<blob::ReadStream> blob, std::int64_t begin,
                      std::int64_t length);
// Keeps `folder`, where the file lies, until the last byte has gone.
BodyStream StreamFile(std::shared_ptr<ScratchFolder> folder, std::string path);

}  // namespace gyre::files
