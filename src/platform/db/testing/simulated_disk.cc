#include "platform/db/testing/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/time.h"

namespace gyre::db {
namespace {

constexpr std::int64_t kSectorBytes = 512;

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

void Apply(const SimulatedDisk::Piece& piece, std::string* contents) {
  const auto offset = static_cast<std::size_t>(piece.offset);
  if (piece.truncate) {
    contents->resize(offset, '\0');
    return;
  }
  if (contents->size() < offset + piece.bytes.size())
    contents->resize(offset + piece.bytes.size(), '\0');
  contents->replace(offset, piece.bytes.size(), piece.bytes);
}

// How much of what was not synced one cut leaves: nothing, all, or any mixture.
struct Mercy {
  double probability;
  explicit Mercy(Random& random) {
    constexpr double kChoices[] = {0, 0, 0.1, 0.5, 0.9, 1};
    probability = kChoices[random.Below(std::size(kChoices))];
  }
  bool Spares(Random& random) const { return random.Uniform() < probability; }
};

// Sectors reach the disk or not, one by one, whatever their order was.
std::string Survive(const SimulatedDisk::Contents& contents, const Mercy& mercy, Random& random) {
  std::string found = contents.durable;
  for (const SimulatedDisk::Piece& piece : contents.unsynced) {
    if (piece.truncate) {
      if (mercy.Spares(random)) Apply(piece, &found);
      continue;
    }
    for (std::int64_t at = 0; at < std::ssize(piece.bytes);) {
      const std::int64_t in_sector = (piece.offset + at) % kSectorBytes;
      const std::int64_t take = std::min(kSectorBytes - in_sector, std::ssize(piece.bytes) - at);
      if (mercy.Spares(random)) {
        Apply({piece.offset + at,
               piece.bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(take))},
              &found);
      }
      at += take;
    }
  }
  return found;
}

}  // namespace

int SimulatedDisk::Begin(Operation operation, const std::string& path) {
  return fault_ ? fault_(operation, path) : 0;
}

void SimulatedDisk::End() {
  ++operations_;
  if (cut_after_ >= 0 && operations_ >= cut_after_ && !at_cut_) Remember();
}

void SimulatedDisk::Remember() {
  std::map<const Contents*, File> copies;
  const auto copy = [&](const File& file) {
    File& made = copies[file.get()];
    if (!made) made = std::make_shared<Contents>(*file);
    return made;
  };
  State state;
  for (const auto& [path, file] : state_.names) state.names[path] = copy(file);
  for (const auto& [path, file] : state_.durable_names) state.durable_names[path] = copy(file);
  for (const NameChange& change : state_.unsynced_names) {
    state.unsynced_names.push_back(
        {change.path, change.file ? copy(change.file) : nullptr, change.also_removed});
  }
  at_cut_ = std::move(state);
}

std::int64_t SimulatedDisk::UsedBytes() const {
  std::int64_t used = 0;
  for (const auto& [path, file] : state_.names) used += std::ssize(file->now);
  return used;
}

SimulatedDisk::File SimulatedDisk::Find(const std::string& path) const {
  MutexLock lock(mutex_);
  const auto found = state_.names.find(path);
  return found == state_.names.end() ? nullptr : found->second;
}

int SimulatedDisk::Create(const std::string& path, File* file) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kCreate, path)) return error;
  if (state_.names.contains(path)) return EEXIST;
  *file = std::make_shared<Contents>();
  (*file)->changed_us = SystemClock().NowMicros();
  state_.names[path] = *file;
  state_.unsynced_names.push_back({path, *file, {}});
  End();
  return 0;
}

int SimulatedDisk::Write(const std::string& path, const File& file, std::int64_t offset,
                         std::string_view bytes) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kWrite, path)) return error;
  const std::int64_t growth = offset + std::ssize(bytes) - std::ssize(file->now);
  if (capacity_ >= 0 && growth > 0 && UsedBytes() + growth > capacity_) return ENOSPC;
  file->unsynced.push_back({offset, std::string(bytes)});
  Apply(file->unsynced.back(), &file->now);
  file->changed_us = SystemClock().NowMicros();
  End();
  return 0;
}

int SimulatedDisk::Truncate(const std::string& path, const File& file, std::int64_t size) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kWrite, path)) return error;
  file->unsynced.push_back({size, {}, true});
  Apply(file->unsynced.back(), &file->now);
  End();
  return 0;
}

int SimulatedDisk::Sync(const std::string& path, const File& file) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kSync, path)) {
    // As kernels do: the pages count as clean from here on, and the next fsync would say that all
    // is well.
    file->unsynced.clear();
    return error;
  }
  if (!ignored_.file_syncs) {
    file->durable = file->now;
    file->unsynced.clear();
  }
  End();
  return 0;
}

std::string SimulatedDisk::Read(const File& file, std::int64_t offset, std::int64_t length) const {
  MutexLock lock(mutex_);
  if (offset >= std::ssize(file->now)) return {};
  return file->now.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

std::int64_t SimulatedDisk::Size(const File& file) const {
  MutexLock lock(mutex_);
  return std::ssize(file->now);
}

void SimulatedDisk::Touch(const File& file) {
  MutexLock lock(mutex_);
  file->changed_us = SystemClock().NowMicros();
}

std::int64_t SimulatedDisk::ChangedMicros(const File& file) const {
  MutexLock lock(mutex_);
  return file->changed_us;
}

int SimulatedDisk::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kRename, to)) return error;
  const auto found = state_.names.find(from);
  if (found == state_.names.end()) return ENOENT;
  const File file = found->second;
  state_.names.erase(found);
  state_.names[to] = file;
  state_.unsynced_names.push_back({to, file, from});
  End();
  return 0;
}

int SimulatedDisk::Remove(const std::string& path) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kRemove, path)) return error;
  if (state_.names.erase(path) == 0) return ENOENT;
  state_.unsynced_names.push_back({path, nullptr, {}});
  End();
  return 0;
}

int SimulatedDisk::SyncDirectory(const std::string& directory) {
  MutexLock lock(mutex_);
  if (const int error = Begin(Operation::kSyncDirectory, directory)) return error;
  if (!ignored_.directory_syncs) {
    std::vector<NameChange> kept;
    for (NameChange& change : state_.unsynced_names) {
      if (DirectoryOf(change.path) != directory) {
        kept.push_back(std::move(change));
        continue;
      }
      if (!change.also_removed.empty()) state_.durable_names.erase(change.also_removed);
      if (change.file) {
        state_.durable_names[change.path] = change.file;
      } else {
        state_.durable_names.erase(change.path);
      }
    }
    state_.unsynced_names = std::move(kept);
  }
  End();
  return 0;
}

std::vector<std::string> SimulatedDisk::List(const std::string& directory) const {
  MutexLock lock(mutex_);
  std::set<std::string> names;
  const std::string prefix = directory + "/";
  for (auto at = state_.names.lower_bound(prefix);
       at != state_.names.end() && at->first.starts_with(prefix); ++at) {
    const std::string rest = at->first.substr(prefix.size());
    names.insert(rest.substr(0, rest.find('/')));
  }
  return {names.begin(), names.end()};
}

void SimulatedDisk::Ignore(Ignored ignored) {
  MutexLock lock(mutex_);
  ignored_ = ignored;
}

void SimulatedDisk::SetFault(Fault fault) {
  MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void SimulatedDisk::SetCapacity(std::int64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

std::int64_t SimulatedDisk::operations() const {
  MutexLock lock(mutex_);
  return operations_;
}

void SimulatedDisk::CutAfter(std::int64_t operations) {
  MutexLock lock(mutex_);
  cut_after_ = operations;
  if (operations_ >= cut_after_ && !at_cut_) Remember();
}

bool SimulatedDisk::cut() const {
  MutexLock lock(mutex_);
  return at_cut_.has_value();
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::AfterCut(Random& random) const {
  MutexLock lock(mutex_);
  const State& state = *at_cut_;
  const Mercy mercy(random), name_mercy(random);
  std::map<std::string, File> names = state.durable_names;
  for (const NameChange& change : state.unsynced_names) {
    if (!name_mercy.Spares(random)) continue;
    if (!change.also_removed.empty()) names.erase(change.also_removed);
    if (change.file) {
      names[change.path] = change.file;
    } else {
      names.erase(change.path);
    }
  }
  auto disk = std::make_unique<SimulatedDisk>();
  std::map<const Contents*, std::string> survived;
  MutexLock other_lock(disk->mutex_);
  for (const auto& [path, file] : names) {
    const auto [at, fresh] = survived.try_emplace(file.get());
    if (fresh) at->second = Survive(*file, mercy, random);
    auto contents = std::make_shared<Contents>();
    contents->now = contents->durable = at->second;
    contents->changed_us = file->changed_us;
    disk->state_.names[path] = contents;
  }
  disk->state_.durable_names = disk->state_.names;
  return disk;
}

}  // namespace gyre::db
