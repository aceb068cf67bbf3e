// A file or a folder of tables on its way to the server.
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/transfer.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli::apply {

Result<Rows> Rows::Open(const std::string& path) {
  Rows rows;
  rows.file_ = path;
  while (rows.file_.size() > 1 && rows.file_.ends_with('/')) rows.file_.pop_back();
  if (!exec::FolderExists(rows.file_)) {
    if (exec::FileExists(rows.file_)) return rows;
    return NotFound("GY4061", "there is no file {}", path);
  }
  GYRE_TRY(const auto files, table::ListTables(rows.file_));
  rows.file_ =
      fmt::format("{}/gyre-apply-{}.tar", config::Environment("TMPDIR").value_or("/tmp"), getpid());
  rows.format_ = "tar";
  rows.temporary_ = true;
  GYRE_DO(table::WriteTar(files, rows.file_));
  return rows;
}

Rows::Rows(Rows&& other) noexcept
    : file_(std::move(other.file_)),
      format_(std::move(other.format_)),
      temporary_(std::exchange(other.temporary_, false)) {}

Rows::~Rows() {
  if (temporary_) (void)exec::RemoveTree(file_).has_value();
}

Result<std::string> Rows::Digest() const {
  GYRE_TRY(const File file, OpenFile(file_, "r"));
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  for (;;) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    hash.Update(std::string_view(buffer).substr(0, count));
    if (count < buffer.size()) break;
  }
  if (std::ferror(file.get()) != 0) return SystemError("reading " + file_, errno);
  return hash.FinishHex();
}

}  // namespace gyre::cli::apply
