#include "ml/tracking/files.h"

#include <algorithm>
#include <iterator>

#include "ml/tracking/checks.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

// What stands in the rows; trash_kind.cc knows those of a project by it.
std::string KeyOf(const FileOwner& owner) {
  switch (owner.kind) {
    case FileOwner::Kind::kRun:
      return owner.id;
    case FileOwner::Kind::kLoggedModel:  // ids of other projects' models name nothing here
      return "model:" + owner.project + ":" + owner.id;
    case FileOwner::Kind::kProject:
      break;
  }
  return "project:" + owner.project;
}
std::string_view RefOf(const FileOwner& owner) {
  return owner.kind == FileOwner::Kind::kRun ? kRefOwner : kFileOwner;
}

// "a/b" -> everything below it: from "a/b/" to before "a/b0".
struct Below {
  explicit Below(std::string_view folder)
      : from(folder.empty() ? "" : std::string(folder) + "/"),
        to(folder.empty() ? "\xf4\x8f\xbf\xbf" : std::string(folder) + "0") {}
  std::string from, to;
};

Result<> CheckOwner(db::Reader& reader, const FileOwner& owner) {
  if (owner.kind != FileOwner::Kind::kRun) return {};
  bool here = false;
  GYRE_TRY(const bool found,
           reader.QueryOne("SELECT project FROM tracking_run WHERE id = ?1", {owner.id},
                           [&](const db::Row& row) { here = row.Text(0) == owner.project; }));
  if (found && here) return {};
  return NotFound("GY3401", "there is no run `{}`", owner.id);
}

// Who takes a file is there, in that project, and not deleted.
Result<> CheckTakes(db::Reader& reader, const FileOwner& owner) {
  if (owner.kind == FileOwner::Kind::kProject) return {};
  const bool is_run = owner.kind == FileOwner::Kind::kRun;
  bool deleted = false;
  GYRE_TRY(
      const bool found,
      reader.QueryOne(
          is_run ? "SELECT deleted_us FROM tracking_run WHERE id = ?1 AND project = ?2"
                 : "SELECT deleted_us FROM tracking_logged_model WHERE id = ?1 AND project = ?2",
          {owner.id, owner.project}, [&](const db::Row& row) { deleted = row.Int(0) != 0; }));
  if (!found && is_run) return NotFound("GY3401", "there is no run `{}`", owner.id.substr(0, 100));
  if (!found || (deleted && !is_run))
    return NotFound("GY3441", "there is no logged model `{}`", owner.id.substr(0, 100));
  if (deleted)
    return FailedPrecondition("GY3426", "run {} is deleted", owner.id)
        .Fix("restore it before anything is added");
  return {};
}

Result<bool> IsFile(db::Reader& reader, std::string_view key, std::string_view path) {
  return reader.QueryOne("SELECT 1 FROM tracking_file WHERE owner = ?1 AND path = ?2", {key, path},
                         [](const db::Row&) {});
}

Error NoPlace(std::string_view path, std::string_view what) {
  return FailedPrecondition("GY3440", "the file `{}` cannot be kept: {}", path, what)
      .Why("a place holds a file or a folder");
}

Result<> CheckPlace(db::Reader& reader, std::string_view key, std::string_view path) {
  const Below below(path);
  GYRE_TRY(const bool folder,
           reader.QueryOne("SELECT 1 FROM tracking_file WHERE owner = ?1 AND path >= ?2 AND path "
                           "< ?3 LIMIT 1",
                           {key, below.from, below.to}, [](const db::Row&) {}));
  if (folder) return NoPlace(path, "there is a folder of that name");
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    GYRE_TRY(const bool file, IsFile(reader, key, path.substr(0, slash)));
    if (file) return NoPlace(path, fmt::format("`{}` is a file", path.substr(0, slash)));
  }
  return {};
}

// The blob of a file that has gone or changed, unless another file of that owner is the same.
Result<> DropUnused(db::Transaction& tx, const FileOwner& owner, std::string_view key,
                    const blob::Digest& digest) {
  GYRE_TRY(const bool used,
           tx.QueryOne("SELECT 1 FROM tracking_file WHERE owner = ?1 AND digest = ?2 LIMIT 1",
                       {key, digest}, [](const db::Row&) {}));
  return used ? Result<>() : blob::DropRef(tx, RefOf(owner), key, digest);
}

FileEntry EntryOf(std::string_view path, std::size_t folder_bytes, std::int64_t size_bytes) {
  const std::string_view rest = path.substr(folder_bytes);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {std::string(rest), false, size_bytes};
  return {std::string(rest.substr(0, slash)), true, 0};
}

}  // namespace

Result<> Files::Put(const FileOwner& owner, const Artifact& given) {
  GYRE_DO(CheckPath(given.path));
  Artifact file = given;
  if (file.media_type.empty()) file.media_type = GuessMediaType(file.path);
  const std::string key = KeyOf(owner);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckTakes(tx, owner));
    std::string before;
    GYRE_TRY(const bool replaces,
             tx.QueryOne("SELECT digest FROM tracking_file WHERE owner = ?1 AND path = ?2",
                         {key, file.path}, [&](const db::Row& row) { before = row.Str(0); }));
    if (!replaces) GYRE_DO(CheckPlace(tx, key, file.path));
    GYRE_DO(PutFile(tx, key, file));
    GYRE_DO(blob::AddRef(tx, RefOf(owner), key, file.object));
    if (replaces && before != file.object.digest) return DropUnused(tx, owner, key, before);
    return {};
  });
}

Result<> Files::CheckTaker(const FileOwner& owner) {
  return database_.Read([&](db::Reader& reader) { return CheckTakes(reader, owner); });
}

Result<Artifact> Files::Get(const FileOwner& owner, std::string_view path) {
  const std::string key = KeyOf(owner);
  Artifact file;
  bool found = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(CheckOwner(reader, owner));
    GYRE_TRY(found, reader.QueryOne("SELECT digest, size_bytes, media_type FROM tracking_file "
                                    "WHERE owner = ?1 AND path = ?2",
                                    {key, path}, [&](const db::Row& row) {
                                      file = {
                                          std::string(path), {row.Str(0), row.Int(1)}, row.Str(2)};
                                    }));
    return {};
  }));
  if (!found) return NotFound("GY3403", "there is no file `{}`", path);
  return file;
}

// What is below a folder is passed over by one seek, however much that is.
Result<FilePage> Files::List(const FileOwner& owner, std::string_view folder,
                             std::string_view page_token, int limit) {
  constexpr int kRowsAtOnce = 256;
  const std::string key = KeyOf(owner);
  const Below below(folder);
  FilePage page;
  std::string from(page_token > below.from ? page_token : below.from);
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_DO(CheckOwner(reader, owner));
    for (int rows = kRowsAtOnce; rows == kRowsAtOnce && std::ssize(page.entries) <= limit;) {
      rows = 0;
      const std::string begin = from;
      GYRE_DO(reader.Query(
          "SELECT path, size_bytes FROM tracking_file WHERE owner = ?1 AND path >= ?2 AND path < "
          "?3 ORDER BY path LIMIT ?4",
          {key, begin, below.to, kRowsAtOnce}, [&](const db::Row& row) -> Result<> {
            const std::string_view path = row.Text(0);
            ++rows;
            if (path < from || std::ssize(page.entries) > limit) return {};
            page.entries.push_back(EntryOf(path, below.from.size(), row.Int(1)));
            const FileEntry& entry = page.entries.back();
            if (std::ssize(page.entries) > limit) page.next_page_token = path;
            from = entry.is_folder ? below.from + entry.name + "0" : std::string(path) + '\x01';
            return {};
          }));
    }
    return {};
  }));
  if (!page.next_page_token.empty()) page.entries.pop_back();
  std::ranges::sort(page.entries, {}, &FileEntry::name);
  return page;
}

Result<std::int64_t> Files::Remove(const FileOwner& owner, std::string_view path) {
  std::int64_t removed = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckOwner(tx, owner));
    GYRE_TRY(removed, RemoveFiles(tx, owner, path));
    return {};
  }));
  return removed;
}

BlobOwner BlobOwnerOf(const FileOwner& owner) { return {std::string(RefOf(owner)), KeyOf(owner)}; }

Result<std::int64_t> RemoveFiles(db::Transaction& tx, const FileOwner& owner,
                                 std::string_view path) {
  const std::string key = KeyOf(owner);
  const Below below(path);
  std::vector<std::string> digests;
  GYRE_DO(
      tx.Query("SELECT DISTINCT digest FROM tracking_file WHERE owner = ?1 AND (path = ?2 "
               "OR (path >= ?3 AND path < ?4))",
               {key, path, below.from, below.to}, [&](const db::Row& row) -> Result<> {
                 digests.push_back(row.Str(0));
                 return {};
               }));
  GYRE_DO(
      tx.Execute("DELETE FROM tracking_file WHERE owner = ?1 AND (path = ?2 OR (path >= ?3 "
                 "AND path < ?4))",
                 {key, path, below.from, below.to}));
  const std::int64_t removed = tx.changes();
  for (const std::string& digest : digests) GYRE_DO(DropUnused(tx, owner, key, digest));
  return removed;
}

}  // namespace gyre::tracking
