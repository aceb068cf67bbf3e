// The blob store's files on a SimulatedDisk, beside the database that names them.
#pragma once

#include "platform/blob/files.h"
#include "platform/db/testing/simulated_disk.h"

namespace gyre::blob {

class SimulatedFiles : public FileSystem {
 public:
  explicit SimulatedFiles(db::SimulatedDisk& disk) : disk_(disk) {}
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override;
  Result<std::optional<FileInfo>> Stat(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<> MakeDirectory(const std::string& path) override;
  Result<> Rename(const std::string& from, const std::string& to) override;
  Result<> Remove(const std::string& path) override;
  Result<> Touch(const std::string& path) override;
  Result<> SyncDirectory(const std::string& path) override;

 private:
  db::SimulatedDisk& disk_;
};

}  // namespace gyre::blob
