#include <algorithm>

#include "base/hash.h"
#include "base/shell.h"
#include "base/text.h"
#include "cli/imports/importer.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::string_view kKey = "import.key";

std::string SizeOf(const Json& version) {
  return fmt::format("{} rows, {} columns", GroupDigits(version["rows"].AsInt()),
                     version["columns"].is_array()
                         ? static_cast<std::int64_t>(version["columns"].size())
                         : version["columns"].AsInt());
}

std::string PathOf(const Work& work, const std::string& dataset) {
  return fmt::format("{}/datasets/{}", work.project_path(), PercentEncode(dataset));
}

// Newest first.
Result<Json> VersionsOf(Work& work, const std::string& dataset) {
  GYRE_TRY(const Json versions,
           GetOrNull(work.session, PathOf(work, dataset) + "/versions?limit=1000"));
  return versions["items"];
}

Json OfKey(const Json& versions, const std::string& key) {
  for (const Json& version : versions.items()) {
    if (version["tags"][kKey].AsString() == key) return version;
  }
  return Json();
}

// What a source says of its own table may change from version to version; a dataset that somebody
// else has had a hand in stays the table that it is.
bool MayChange(const Work& work, const DatasetSource& source, const Json& versions) {
  const std::vector<std::string> joined = work.in.List("join");
  if (std::ranges::find(joined, source.dataset) != joined.end()) return true;
  return std::ranges::all_of(versions.items(), [&](const Json& version) {
    const Json& tags = version["tags"];
    return tags.Has(kKey) && tags[source.origin.first].AsString() == source.origin.second;
  });
}

std::string RefusalText(const DatasetSource& source, const Error& error) {
  return fmt::format(
      "{} {}: --as {}=NAME makes it a dataset of its own, --join {} its version all "
      "the same",
      error.gy(), error.message(), ShellWord(source.origin.second), source.dataset);
}

std::string UploadQuery(const Work& work, const DatasetSource& source, bool may_change) {
  std::string query = "?filename=" + PercentEncode(source.filename);
  const auto add = [&](std::string_view key, const std::string& value) {
    query += fmt::format("&{}={}", key, PercentEncode(value));
  };
  if (!source.format.empty()) add("format", source.format);
  if (!may_change) add("columns", "same");
  if (work.in.Has("bad")) add("bad", work.in.Get("bad"));
  for (const std::string& type : work.in.List("type")) add("type", type);
  add("tag", fmt::format("{}:{}", kKey, source.key));
  add("tag", fmt::format("{}:{}", source.origin.first, source.origin.second));
  for (const auto& [key, value] : source.tags) add("tag", key + ":" + value);
  return query;
}

}  // namespace

Result<std::string> HashOf(const std::string& path) {
  constexpr std::int64_t kPiece = 1 << 20;
  Sha256 hash;
  for (std::int64_t offset = 0;;) {
    GYRE_TRY(const std::string piece, exec::ReadFilePart(path, offset, kPiece));
    if (piece.empty()) return hash.FinishHex();
    hash.Update(piece);
    offset += static_cast<std::int64_t>(piece.size());
  }
}

Result<Json> VersionOfKey(Work& work, const std::string& dataset, const std::string& key) {
  GYRE_TRY(const Json versions, VersionsOf(work, dataset));
  return OfKey(versions, key);
}

Result<> BringDataset(Work& work, const DatasetSource& source) {
  const std::string path = PathOf(work, source.dataset);
  GYRE_TRY(const Json versions, VersionsOf(work, source.dataset));
  if (const Json there = OfKey(versions, source.key); !there.is_null()) {
    work.report.There(source.name, there["reference"].AsString());
    return {};
  }
  const bool may_change = MayChange(work, source, versions);
  if (work.in.dry_run()) {
    work.report.WouldTake(
        source.name,
        fmt::format("dataset {}, {}{}", source.dataset,
                    HumanBytes(std::max<std::int64_t>(0, exec::FileSize(source.upload))),
                    may_change ? "" : "; it is there: only if its columns are the same"));
    return {};
  }
  const auto job = work.session.Upload(path + "/versions" + UploadQuery(work, source, may_change),
                                       source.upload, work.out);
  if (!job && job.error().code() != Code::kInvalidArgument) return job.error();
  auto done = job ? work.session.WaitJob(*job, work.out) : Result<Json>(job.error());
  if (!done && done.error().code() == Code::kCancelled) return done.error();
  if (!done && done.error().gy() == "GY2115") {
    work.report.Refused(source.name, RefusalText(source, done.error()));
    return {};
  }
  if (!done) {
    work.report.Failed(source.name, done.error());
    return {};
  }
  const Json& result = (*done)["result"];
  work.report.Taken(
      source.name, fmt::format("{}: {}{}", result["reference"].AsString(), SizeOf(result),
                               result["unchanged"].AsBool() ? ", the content that was there" : ""));
  return {};
}

}  // namespace gyre::cli::imports
