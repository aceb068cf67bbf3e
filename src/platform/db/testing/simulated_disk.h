// A disk in memory for power-loss and fault tests. It keeps apart what was synced and what was only
// written; a cut of the power loses, tears (at 512 bytes) and reorders the latter, contents and
// names alike, as far as POSIX allows and further than most file systems go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"

namespace gyre::db {

class SimulatedDisk {
 public:
  // What a build that forgot it would leave out.
  struct Ignored {
    bool file_syncs = false;
    bool directory_syncs = false;
  };
  enum class Operation { kWrite, kSync, kSyncDirectory, kCreate, kRename, kRemove };
  // Asked before each operation; an errno makes it fail. Called with the disk locked.
  using Fault = std::function<int(Operation operation, const std::string& path)>;

  struct Piece {  // a write, or a new size when `truncate`
    std::int64_t offset = 0;
    std::string bytes = {};
    bool truncate = false;
  };
  struct Contents {
    std::string now = {};
    std::string durable = {};
    std::vector<Piece> unsynced = {};  // since then, in order
    std::int64_t changed_us = 0;
  };
  using File = std::shared_ptr<Contents>;

  SimulatedDisk() = default;

  // --- files; 0 or an errno
  File Find(const std::string& path) const;  // null when it is not there
  int Create(const std::string& path, File* file);
  int Write(const std::string& path, const File& file, std::int64_t offset, std::string_view bytes);
  int Truncate(const std::string& path, const File& file, std::int64_t size);
  int Sync(const std::string& path, const File& file);
  std::string Read(const File& file, std::int64_t offset, std::int64_t length) const;
  std::int64_t Size(const File& file) const;
  void Touch(const File& file);
  std::int64_t ChangedMicros(const File& file) const;
  // --- names. Directories need not be made: a path's directory is what stands before its last
  // slash.
  int Rename(const std::string& from, const std::string& to);
  int Remove(const std::string& path);
  int SyncDirectory(const std::string& directory);
  std::vector<std::string> List(
      const std::string& directory) const;  // names of files and of folders with files below them

  // --- faults
  void Ignore(Ignored ignored);
  void SetFault(Fault fault);
  void SetCapacity(std::int64_t bytes);  // beyond: ENOSPC; negative = endless
  std::int64_t operations() const;

  // --- the cut
  // Remembers everything as it is just after that many operations; at once when they have passed
  // already.
  void CutAfter(std::int64_t operations);
  bool cut() const;
  // What is found when the power is back. Needs a cut.
  std::unique_ptr<SimulatedDisk> AfterCut(Random& random) const;

 private:
  struct NameChange {  // a name that appears (file set) or goes, in a directory; a rename is two
                       // that stand or fall together
    std::string path = {};
    File file = {};
    std::string also_removed = {};
  };
  struct State {
    std::map<std::string, File> names = {};  // as programs see them
    std::map<std::string, File> durable_names = {};
    std::vector<NameChange> unsynced_names = {};  // in order
  };

  int Begin(Operation operation, const std::string& path) GYRE_REQUIRES(mutex_);
  void End() GYRE_REQUIRES(mutex_);
  void Remember() GYRE_REQUIRES(mutex_);
  std::int64_t UsedBytes() const GYRE_REQUIRES(mutex_);

  mutable Mutex mutex_;
  State state_ GYRE_GUARDED_BY(mutex_);
  std::optional<State> at_cut_ GYRE_GUARDED_BY(mutex_);  // copies, not shared
  Ignored ignored_ GYRE_GUARDED_BY(mutex_);
  Fault fault_ GYRE_GUARDED_BY(mutex_);
  std::int64_t capacity_ GYRE_GUARDED_BY(mutex_) = -1;
  std::int64_t operations_ GYRE_GUARDED_BY(mutex_) = 0;
  std::int64_t cut_after_ GYRE_GUARDED_BY(mutex_) = -1;
};

}  // namespace gyre::db
