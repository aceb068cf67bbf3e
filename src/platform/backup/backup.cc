#include "platform/backup/backup.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/backup/compression.h"
#include "platform/backup/reader.h"
#include "platform/db/database_file.h"
#include "platform/exec/files.h"

namespace gyre::backup {
namespace {

constexpr std::int64_t kPiece = kMiB;
constexpr int kKeyTriesMax = 5;
constexpr std::int64_t kPage = 1'000;

// The pieces of a file, in order; its SHA-256 when asked for.
Source PiecesOf(blob::ReadableFile& file, Sha256* hash = nullptr) {
  return [&file, hash, offset = std::int64_t{0}]() mutable -> Result<std::string> {
    GYRE_TRY(std::string piece, file.Read(offset, kPiece));
    offset += std::ssize(piece);
    if (hash != nullptr) hash->Update(piece);
    return piece;
  };
}

Source PiecesOf(blob::ReadStream& stream) {
  return [&stream, offset = std::int64_t{0}]() mutable -> Result<std::string> {
    GYRE_TRY(std::string piece, stream.Read(offset, kPiece));
    offset += std::ssize(piece);
    return piece;
  };
}

// What the copy of the database takes on our own disk, while it is sent.
Result<> CheckSpace(const std::string& folder, std::int64_t database_bytes) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) return {};
  const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  const std::int64_t wanted = database_bytes + database_bytes / 2;
  if (free >= wanted) return {};
  return MakeError(Code::kOutOfSpace, "GY1907",
                   "a backup needs {} on the disk of the data directory, and {} are free",
                   HumanBytes(wanted), HumanBytes(free))
      .Why("the database is copied there as of one moment, and goes when the backup has been sent")
      .Fix("gyre gc, or free space on the disk");
}

}  // namespace

Result<BackupSize> SizeOfBackup(db::Database& database, const std::string& directory) {
  BackupSize size;
  size.database_bytes = std::max<std::int64_t>(0, exec::FileSize(directory + "/gyre.db"));
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool found,
             reader.QueryOne("SELECT count(*), coalesce(sum(size_bytes), 0) FROM (SELECT DISTINCT "
                             "digest, size_bytes FROM blob_ref)",
                             {}, [&](const db::Row& row) {
                               size.blobs = row.Int(0);
                               size.blob_bytes = row.Int(1);
                             }));
    return {};
  }));
  return size;
}

Backup::Backup(blob::Store& blobs, BackupSettings settings)
    : blobs_(blobs),
      settings_(std::move(settings)),
      hold_(blobs.PinEverything()),
      folder_(fmt::format("{}/backup-{}", blobs.scratch_directory(), NewId())) {}

Backup::~Backup() { static_cast<void>(exec::RemoveTree(folder_).has_value()); }

std::string Backup::scratch(const char* name) const { return folder_ + "/" + name; }

// With what a change of keys leaves beside them.
std::string Backup::KeysNow() const {
  std::string keys;
  for (const std::string_view name : {kMasterKeyFile, kCaptureKeyFile}) {
    const auto key = exec::ReadPrivateFile(fmt::format("{}/{}", settings_.directory, name));
    keys += fmt::format("{}\n", key ? Sha256Hex(*key) : "none");
  }
  return keys + (exec::FileExists(settings_.directory + "/master.key.next") ? "changing" : "");
}

Result<std::unique_ptr<Backup>> Backup::Take(db::Database& database, blob::Store& blobs,
                                             BackupSettings settings) {
  std::unique_ptr<Backup> backup(new Backup(blobs, std::move(settings)));
  GYRE_DO(exec::MakeDirectory(backup->folder_));
  GYRE_TRY(const BackupSize size, SizeOfBackup(database, backup->settings_.directory));
  GYRE_DO(CheckSpace(backup->folder_, size.database_bytes));
  // A key that was changed meanwhile would not open what stands in the copy.
  for (int tries = 0; tries < kKeyTriesMax; ++tries) {
    const std::string before = backup->KeysNow();
    // Before the copy: an anchor names an entry of the audit log, which must be in it.
    GYRE_DO(backup->ReadFiles());
    GYRE_DO(backup->TakeDatabase(database));
    if (!before.ends_with("changing") && before == backup->KeysNow()) return backup;
  }
  return Error(Code::kAborted, "GY1906", "the master key was changed while the backup was taken")
      .Fix("try again");
}

Result<> Backup::ReadFiles() {
  files_.clear();
  for (const std::string_view name : {kAnchorsFile, kCaptureKeyFile, kMasterKeyFile}) {
    const bool is_key = name != kAnchorsFile;
    if (is_key && !settings_.keys) continue;
    auto bytes = exec::ReadFile(fmt::format("{}/{}", settings_.directory, name));
    if (!bytes && bytes.error().code() == Code::kNotFound) continue;
    if (!bytes) return std::move(bytes).error();
    files_.push_back({std::string(name), *std::move(bytes)});
  }
  return {};
}

Result<> Backup::TakeDatabase(db::Database& database) {
  const std::string copy = scratch("gyre.db");
  GYRE_DO(exec::RemoveTree(copy));
  return database.BackupTo(copy);
}

Result<> Backup::Write(const Sink& sink) {
  ArchiveWriter archive(sink, settings_.now_us);
  const Json about = Json::Obj({{"format", kFormat},
                                {"gyre", settings_.version},
                                {"made_at", FormatTime(settings_.now_us)},
                                {"keys", settings_.keys}});
  GYRE_DO(archive.Add("gyre-backup.json", about.DumpPretty() + "\n"));
  GYRE_DO(AddDatabase(archive));
  Json files = Json::Arr();
  for (const File& file : files_) {
    GYRE_DO(archive.Add("files/" + file.name, file.bytes));
    files.Push(Json::Obj(
        {{"name", file.name}, {"bytes", file.bytes.size()}, {"sha256", Sha256Hex(file.bytes)}}));
  }
  GYRE_DO(AddBlobs(archive));
  manifest_.Set("files", std::move(files))
      .Set("blobs", Json::Obj({{"count", blob_count_}, {"bytes", blob_bytes_}}))
      .Set("missing", std::move(missing_))
      .Set("settings", settings_.settings);
  GYRE_DO(archive.Add("manifest.json", manifest_.DumpPretty() + "\n"));
  return archive.Finish();
}

Result<> Backup::AddDatabase(ArchiveWriter& archive) {
  Json tables = Json::Obj();
  {
    GYRE_TRY(const auto copy, db::OpenDatabaseFile(scratch("gyre.db")));
    GYRE_TRY(const auto counts, copy->CountRows());
    for (const db::TableRows& table : counts) tables.Set(table.table, table.rows);
  }
  GYRE_TRY(const auto file, blob::RealFileSystem().Open(scratch("gyre.db")));
  Sha256 hash;
  GYRE_DO(AddPacked(archive, "gyre.db.zst", PiecesOf(*file, &hash), file->size_bytes()));
  manifest_.Set("database", Json::Obj({{"bytes", file->size_bytes()},
                                       {"sha256", hash.FinishHex()},
                                       {"tables", std::move(tables)}}));
  return {};
}

// By way of a file: a member says how long it is before it comes.
Result<> Backup::AddPacked(ArchiveWriter& archive, const std::string& name, const Source& source,
                           std::int64_t size) {
  blob::FileSystem& files = blob::RealFileSystem();
  const std::string path = scratch("packed");
  GYRE_DO(files.Remove(path));
  {
    GYRE_TRY(const auto packed, files.Create(path));
    GYRE_DO(Compress(source, size, [&](std::string_view bytes) { return packed->Append(bytes); }));
  }
  GYRE_TRY(const auto packed, files.Open(path));
  return archive.AddStream(name, packed->size_bytes(), PiecesOf(*packed));
}

Result<> Backup::AddBlobs(ArchiveWriter& archive) {
  GYRE_TRY(const auto copy, db::OpenDatabaseFile(scratch("gyre.db")));
  for (std::string last;;) {
    std::vector<blob::Object> page;
    GYRE_DO(copy->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, blob::ReferencedAfter(reader, last, kPage));
      return {};
    }));
    if (page.empty()) return {};
    for (const blob::Object& object : page) GYRE_DO(AddBlob(archive, object));
    last = page.back().digest;
  }
}

// One that is damaged is told, and the others are kept all the same.
Result<> Backup::AddBlob(ArchiveWriter& archive, const blob::Object& object) {
  const auto miss = [&](const std::string& why) -> Result<> {
    missing_.Push(
        Json::Obj({{"digest", object.digest}, {"bytes", object.size_bytes}, {"why", why}}));
    return {};
  };
  if (const auto sound = blobs_.CheckBlocks(object.digest); !sound) {
    const Code code = sound.error().code();
    if (code == Code::kDataLoss || code == Code::kNotFound) return miss(sound.error().message());
    return sound.error();
  }
  GYRE_TRY(const auto stream, blobs_.Open(object.digest));
  const std::int64_t size = stream->size_bytes();
  if (size != object.size_bytes)
    return miss(fmt::format("it has {} bytes, not {}", size, object.size_bytes));
  ++blob_count_;
  blob_bytes_ += size;
  const std::string name = "blobs/" + object.digest;
  GYRE_TRY(const std::string start, stream->Read(0, kPiece));
  const std::string packed = CompressIfItPays(start);
  if (packed.empty()) return archive.AddStream(name, size, PiecesOf(*stream));
  if (size <= kPiece) return archive.Add(name + ".zst", packed);
  return AddPacked(archive, name + ".zst", PiecesOf(*stream), size);
}

}  // namespace gyre::backup
