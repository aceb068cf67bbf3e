#include "gyre/upgrade.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <ranges>

#include "base/json.h"
#include "base/time.h"
#include "ledger/audit/anchors.h"
#include "ledger/secrets/secrets.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/files.h"

namespace gyre {
namespace {

constexpr std::string_view kOwnerKind = "set_aside";  // of blob references
constexpr std::int64_t kPage = 500;

Result<> CheckSound(db::DatabaseFile& file, const std::string& path) {
  GYRE_TRY(const auto problems, file.IntegrityProblems());
  if (problems.empty()) return {};
  return MakeError(Code::kDataLoss, "GY1921", "{} is damaged: {}", path, problems.front())
      .Fix("gyre restore FILE --data NEW    (of a backup)");
}

Result<db::DatabaseSnapshot> Choose(const std::string& database, std::int64_t applied,
                                    std::span<const db::ModuleSchema> schemas) {
  const auto snapshots = db::SnapshotsOf(database);
  for (const db::DatabaseSnapshot& snapshot : snapshots | std::views::reverse) {
    GYRE_TRY(const auto file, db::OpenDatabaseFile(snapshot.path));
    GYRE_TRY(const db::Applied then, file->AppliedSoFar());
    if (then.count >= applied || !file->Pending(schemas)) continue;
    GYRE_DO(CheckSound(*file, snapshot.path));
    return snapshot;
  }
  return Error(Code::kNotFound, "GY1920", "there is no snapshot to go back to")
      .Why("one is made before a start changes the schema of a database that holds data")
      .Fix("gyre upgrade    (which there are)")
      .Fix("gyre restore FILE --data NEW    (of a backup)");
}

Result<std::vector<RowsSince>> Compare(const std::string& before, const std::string& after) {
  std::map<std::string, RowsSince> tables;
  const auto count = [&](const std::string& path, std::int64_t RowsSince::* member) -> Result<> {
    GYRE_TRY(const auto file, db::OpenDatabaseFile(path));
    GYRE_TRY(const auto counts, file->CountRows());
    for (const db::TableRows& one : counts)
      tables.try_emplace(one.table, one.table, -1, -1).first->second.*member = one.rows;
    return {};
  };
  GYRE_DO(count(before, &RowsSince::then));
  GYRE_DO(count(after, &RowsSince::now));
  std::vector<RowsSince> differ;
  for (const auto& [name, rows] : tables) {
    if (rows.then != rows.now) differ.push_back(rows);
  }
  return differ;
}

// Calls back with each page of what the database refers to.
Result<> ForEachPage(const std::string& path,
                     const std::function<Result<>(const std::vector<blob::Object>&)>& use) {
  GYRE_TRY(const auto file, db::OpenDatabaseFile(path));
  for (std::string last;;) {
    std::vector<blob::Object> page;
    GYRE_DO(file->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, blob::ReferencedAfter(reader, last, kPage));
      return {};
    }));
    if (page.empty()) return {};
    GYRE_DO(use(page));
    last = page.back().digest;
  }
}

// Whoever collects from now on knows the one database only.
Result<> HoldBlobsOf(const std::string& set_aside, const std::string& database_path) {
  GYRE_TRY(const auto database, db::OpenSqlite({.path = database_path}));
  const std::string name = std::filesystem::path(set_aside).filename();
  return ForEachPage(set_aside, [&](const std::vector<blob::Object>& page) {
    return database->Write([&](db::Transaction& tx) -> Result<> {
      for (const blob::Object& object : page) {
        // Nobody is collecting: what a collector had begun is taken back.
        GYRE_DO(tx.Execute("DELETE FROM blob_condemned WHERE digest = ?1", {object.digest}));
        GYRE_DO(blob::AddRef(tx, kOwnerKind, name, object));
      }
      return {};
    });
  });
}

Result<std::int64_t> CountGone(const std::string& directory, const std::string& snapshot) {
  GYRE_TRY(const auto store, blob::OpenLocalStore(directory + "/blobs"));
  std::int64_t gone = 0;
  GYRE_DO(ForEachPage(snapshot, [&](const std::vector<blob::Object>& page) -> Result<> {
    for (const blob::Object& object : page) {
      GYRE_TRY(const bool there, store->Exists(object.digest));
      if (!there) ++gone;
    }
    return {};
  }));
  return gone;
}

// A copy in one file: with it goes the log beside the original.
Result<> SetAside(const std::string& database_path, const std::string& to) {
  {
    GYRE_TRY(const auto database, db::OpenSqlite({.path = database_path}));
    GYRE_DO(database->BackupTo(to));
  }
  if (exec::FileSize(database_path + "-wal") <= 0) return {};
  return MakeError(Code::kDataLoss, "GY1921", "{} has a log that does not go into it",
                   database_path)
      .Fix("check that no other program has it open");
}

// Whoever looks at the log later finds no end that is missing, but the reason.
Result<> TakeLogBack(const std::string& directory, const std::string& next,
                     const RolledBack& back) {
  GYRE_TRY(const auto database, db::OpenSqlite({.path = next}));
  GYRE_TRY(const audit::Anchor end, audit::Audit(*database).End());
  const std::string name = std::filesystem::path(back.set_aside).stem();
  GYRE_DO(audit::Anchors::CutAfter(directory + "/audit.anchors", end.sequence,
                                   fmt::format("{}/snapshots/{}.anchors", directory, name)));
  const std::string details =
      Json::Obj({{"snapshot_of", FormatTime(back.snapshot.made_us)}, {"set_aside", name}}).Dump();
  return audit::Audit(*database).Append({.at_us = SystemClock().NowMicros(),
                                         .actor_name = "local-owner",
                                         .actor_kind = "owner",
                                         .action = "database.rolled_back",
                                         .details = details});
}

Result<> KeepSecrets(const std::string& directory, const std::string& next, RolledBack* back) {
  GYRE_TRY(const auto newer, db::OpenDatabaseFile(back->set_aside));
  GYRE_TRY(const auto database, db::OpenSqlite({.path = next}));
  return newer->Read([&](db::Reader& reader) {
    return database->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(const secrets::CarriedOver carried,
               secrets::CarryOver(reader, tx, directory + "/master.key"));
      back->secrets_kept = carried.kept;
      back->secrets_gone = carried.gone;
      return {};
    });
  });
}

}  // namespace

Result<RolledBack> RollBack(const std::string& directory,
                            std::span<const db::ModuleSchema> schemas) {
  const std::string database = directory + "/gyre.db", next = database + ".rollback";
  std::int64_t applied = 0;
  {
    GYRE_TRY(const auto file, db::OpenDatabaseFile(database));
    GYRE_TRY(const db::Applied now, file->AppliedSoFar());
    applied = now.count;
  }
  RolledBack back;
  GYRE_TRY(back.snapshot, Choose(database, applied, schemas));
  back.set_aside =
      fmt::format("{}/snapshots/set-aside-{}.db", directory, SystemClock().NowMicros());
  GYRE_DO(SetAside(database, back.set_aside));
  GYRE_TRY(back.since, Compare(back.snapshot.path, back.set_aside));
  GYRE_TRY(back.blobs_gone, CountGone(directory, back.snapshot.path));
  for (const char* suffix : {"", "-wal", "-shm"}) GYRE_DO(exec::RemoveTree(next + suffix));
  std::error_code error;
  std::filesystem::copy_file(back.snapshot.path, next, error);
  if (error) return SystemError("copying " + back.snapshot.path, error.value());
  GYRE_DO(HoldBlobsOf(back.set_aside, next));
  GYRE_DO(KeepSecrets(directory, next, &back));
  GYRE_DO(TakeLogBack(directory, next, back));
  exec::Fault("rollback.ready");
  GYRE_DO(exec::RenameDurably(next, database));
  return back;
}

Result<> ForgetSetAside(db::Database& database, const std::string& directory) {
  std::vector<std::string> gone;
  GYRE_DO(database.Read([&](db::Reader& reader) {
    return reader.Query(
        "SELECT DISTINCT owner_id FROM blob_ref WHERE owner_kind = ?1", {kOwnerKind},
        [&](const db::Row& row) -> Result<> {
          if (!exec::FileExists(fmt::format("{}/snapshots/{}", directory, row.Text(0))))
            gone.push_back(row.Str(0));
          return {};
        });
  }));
  for (const std::string& name : gone) {
    GYRE_DO(
        database.Write([&](db::Transaction& tx) { return blob::DropRefs(tx, kOwnerKind, name); }));
  }
  return {};
}

}  // namespace gyre
