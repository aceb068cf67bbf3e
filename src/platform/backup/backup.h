// Copies a data directory that is in use: one moment of the database, exactly the blobs that its
// rows refer to, and the files beside it, as one stream (archive.h). Writers go on meanwhile: the
// copy is read by a connection of its own, and nothing is removed until it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/backup/archive.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::backup {

struct BackupSettings {
  std::string directory = {};   // of the data
  std::string version = {};     // of this gyre
  bool keys = false;            // the keys too: who has the backup can then read the secrets
  Json settings = Json::Arr();  // those that are not the defaults, for whoever restores it
  std::int64_t now_us = 0;
};

// What a backup of this moment would hold, unpacked.
struct BackupSize {
  std::int64_t database_bytes = 0, blobs = 0, blob_bytes = 0;
};
Result<BackupSize> SizeOfBackup(db::Database& database, const std::string& directory);

class Backup {
 public:
  // Takes the moment: when it returns, what was answered before is in. Errors: kOutOfSpace; those
  // of BackupTo; kAborted GY1906 when the master key changes all the time.
  static Result<std::unique_ptr<Backup>> Take(db::Database& database, blob::Store& blobs,
                                              BackupSettings settings);
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;
  // Once. Errors: those of the sink; kDataLoss when the disk fails under it.
  Result<> Write(const Sink& sink);

 private:
  struct File {
    std::string name, bytes;
  };
  Backup(blob::Store& blobs, BackupSettings settings);
  Result<> TakeDatabase(db::Database& database);
  Result<> ReadFiles();
  Result<> AddDatabase(ArchiveWriter& archive);
  Result<> AddBlobs(ArchiveWriter& archive);
  Result<> AddBlob(ArchiveWriter& archive, const blob::Object& object);
  Result<> AddPacked(ArchiveWriter& archive, const std::string& name, const Source& source,
                     std::int64_t size);
  std::string KeysNow() const;
  std::string scratch(const char* name) const;

  blob::Store& blobs_;
  const BackupSettings settings_;
  const blob::Pin hold_;      // nothing is removed while it lives
  const std::string folder_;  // goes with us
  std::vector<File> files_;
  Json manifest_ = Json::Obj();
  Json missing_ = Json::Arr();
  std::int64_t blob_count_ = 0, blob_bytes_ = 0;
};

}  // namespace gyre::backup
