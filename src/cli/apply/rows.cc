// Rows on their way to the server: a file, a folder of tables, what an address or a query answers.
#include "base/hash.h"
#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/fetch.h"
#include "cli/transfer.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli::apply {

Result<Rows> Rows::Open(const RowsPlace& place, Reading& reading) {
  Rows rows;
  if (!place.sql.empty()) {
    GYRE_DO(rows.Ask(place.sql, reading));
    return rows;
  }
  if (!place.url.empty()) {
    GYRE_DO(rows.Fetch(place.url, reading));
    return rows;
  }
  rows.file_ = place.path;
  while (rows.file_.size() > 1 && rows.file_.ends_with('/')) rows.file_.pop_back();
  if (exec::FolderExists(rows.file_)) {
    GYRE_DO(rows.Pack(rows.file_));
  } else if (!exec::FileExists(rows.file_)) {
    return NotFound("GY4061", "there is no file {}", place.path);
  }
  return rows;
}

Result<> Rows::MakeFolder() {
  GYRE_TRY(folder_, exec::MakeTemporaryDirectory());
  file_ = folder_ + "/rows";
  return {};
}

Result<> Rows::Pack(const std::string& folder) {
  GYRE_TRY(const auto files, table::ListTables(folder));
  GYRE_DO(MakeFolder());
  format_ = "tar";
  return table::WriteTar(files, file_);
}

Result<> Rows::Fetch(const std::string& url, Reading& reading) {
  GYRE_DO(MakeFolder());
  return FetchFile(url, file_, reading.egress, reading.out);
}

// The server keeps the answer for a day, and says what it is.
Result<> Rows::Ask(const std::string& sql, Reading& reading) {
  const std::string path = ProjectPath(reading.project) + "/query";
  GYRE_TRY(const Json job, reading.session.Post(path + "?wait=false",
                                                Json::Obj({{"sql", sql}, {"format", "parquet"}})));
  GYRE_TRY(const Json done, reading.session.WaitJob(job, reading.out));
  answer_ = fmt::format("{}/{}", path, PercentEncode(done["id"].AsString()));
  digest_ = done["result"]["sha256"].AsString();
  format_ = "parquet";
  for (const Json& table : done["input"]["tables"].items())
    made_from_.push_back(table["version"].AsString());
  return {};
}

Result<> Rows::Load(Reading& reading) {
  if (answer_.empty() || !file_.empty()) return {};
  GYRE_DO(MakeFolder());
  return reading.session.Download(answer_, file_, reading.out);
}

Rows::Rows(Rows&& other) noexcept
    : file_(std::move(other.file_)),
      format_(std::move(other.format_)),
      folder_(std::exchange(other.folder_, {})),
      answer_(std::move(other.answer_)),
      digest_(std::move(other.digest_)),
      made_from_(std::move(other.made_from_)) {}

Rows::~Rows() {
  if (!folder_.empty()) (void)exec::RemoveTree(folder_).has_value();
}

Result<std::string> Rows::Digest() const {
  if (!digest_.empty()) return digest_;
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
