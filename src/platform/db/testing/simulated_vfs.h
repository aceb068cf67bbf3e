// SQLite on a SimulatedDisk: an SQLite VFS with the promises of the unix one (sector writes may
// tear, neighbours are not harmed).
#pragma once

#include <memory>
#include <string>

#include "platform/db/testing/simulated_disk.h"

namespace gyre::db {

// Registered while it lives; give name() to Settings::vfs and any path such as "/sim/gyre.db".
// Thread-safe.
class SimulatedVfs {
 public:
  explicit SimulatedVfs(SimulatedDisk& disk);
  ~SimulatedVfs();
  SimulatedVfs(const SimulatedVfs&) = delete;
  SimulatedVfs& operator=(const SimulatedVfs&) = delete;
  const std::string& name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::db
