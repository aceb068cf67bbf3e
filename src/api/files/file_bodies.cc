#include "api/files/file_bodies.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/files.h"

namespace gyre::files {
namespace {

constexpr std::int64_t kPieceBytes = kMiB;
constexpr std::size_t kWrittenAtOnce = std::size_t{16} << 20;

struct TableFormat {
  std::string_view name, content_type;
};
constexpr std::array kTableFormats = {TableFormat{"csv", "text/csv; charset=utf-8"},
                                      TableFormat{"jsonl", "application/x-ndjson"},
                                      TableFormat{"parquet", "application/vnd.apache.parquet"}};

}  // namespace

ScratchFolder::~ScratchFolder() { (void)exec::RemoveTree(path_).has_value(); }

Result<> FileSink::Append(std::string_view bytes) {
  waiting_ += bytes;
  return waiting_.size() < kWrittenAtOnce ? Result<>() : Flush();
}

Result<> FileSink::Flush() {
  GYRE_DO(exec::AppendFile(path_, waiting_));
  waiting_.clear();
  return {};
}

std::optional<std::string_view> TableContentType(std::string_view format) {
  for (const TableFormat& known : kTableFormats) {
    if (known.name == format) return known.content_type;
  }
  return std::nullopt;
}

BodyStream StreamBlob(std::shared_ptr<blob::ReadStream> blob, std::int64_t begin,
                      std::int64_t length) {
  return [blob = std::move(blob), begin, length](net::BodyWriter& writer) -> Result<> {
    for (std::int64_t done = 0; done < length;) {
      GYRE_TRY(const std::string piece,
               blob->Read(begin + done, std::min(kPieceBytes, length - done)));
      if (piece.empty()) return {};
      GYRE_DO(writer.Write(piece));
      done += static_cast<std::int64_t>(piece.size());
    }
    return {};
  };
}

BodyStream StreamFile(std::shared_ptr<ScratchFolder> folder, std::string path) {
  return [folder = std::move(folder), path = std::move(path)](net::BodyWriter& writer) -> Result<> {
    for (std::int64_t offset = 0;;) {
      GYRE_TRY(const std::string piece, exec::ReadFilePart(path, offset, kPieceBytes));
      if (piece.empty()) return {};
      GYRE_DO(writer.Write(piece));
      offset += static_cast<std::int64_t>(piece.size());
    }
  };
}

}  // namespace gyre::files
