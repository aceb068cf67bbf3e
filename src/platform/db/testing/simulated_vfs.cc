#include "platform/db/testing/simulated_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/id.h"

namespace gyre::db {
namespace {

// Locks and shared memory of one database file, between the connections of this process.
struct Shared {
  Mutex mutex;
  std::map<const void*, int> locks GYRE_GUARDED_BY(mutex);  // connection -> SQLITE_LOCK_*
  std::vector<std::unique_ptr<char[]>> regions GYRE_GUARDED_BY(mutex);
  std::map<int, std::set<const void*>> shm_shared GYRE_GUARDED_BY(mutex);
  std::map<int, const void*> shm_exclusive GYRE_GUARDED_BY(mutex);
};

struct Volume {
  SimulatedDisk* disk;
  Mutex mutex;
  std::map<std::string, std::shared_ptr<Shared>> shared GYRE_GUARDED_BY(mutex);

  std::shared_ptr<Shared> SharedOf(const std::string& path) {
    MutexLock lock(mutex);
    auto& entry = shared[path];
    if (!entry) entry = std::make_shared<Shared>();
    return entry;
  }
};

struct FileState {
  Volume* volume;
  std::string path;
  SimulatedDisk::File file;
  std::shared_ptr<Shared> shared;
  bool name_unsynced =
      false;  // a new log or journal: the first sync makes its name durable too, as in the unix VFS
  bool delete_on_close = false;
  int lock = SQLITE_LOCK_NONE;
};

struct VfsFile {
  sqlite3_file base;
  FileState* state;
};

FileState& StateOf(sqlite3_file* file) { return *reinterpret_cast<VfsFile*>(file)->state; }

int WriteCode(int error) { return error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE; }

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

int Close(sqlite3_file* file) {
  auto* vfs_file = reinterpret_cast<VfsFile*>(file);
  FileState* state = vfs_file->state;
  if (state->delete_on_close) static_cast<void>(state->volume->disk->Remove(state->path));
  {
    MutexLock lock(state->shared->mutex);
    state->shared->locks.erase(state);
  }
  delete state;
  vfs_file->state = nullptr;
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
  FileState& state = StateOf(file);
  const std::string bytes = state.volume->disk->Read(state.file, offset, amount);
  std::memcpy(buffer, bytes.data(), bytes.size());
  if (std::ssize(bytes) == amount) return SQLITE_OK;
  std::memset(static_cast<char*>(buffer) + bytes.size(), 0,
              static_cast<std::size_t>(amount) - bytes.size());
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* buffer, int amount, sqlite3_int64 offset) {
  FileState& state = StateOf(file);
  const int error = state.volume->disk->Write(
      state.path, state.file, offset,
      {static_cast<const char*>(buffer), static_cast<std::size_t>(amount)});
  return error ? WriteCode(error) : SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  FileState& state = StateOf(file);
  return state.volume->disk->Truncate(state.path, state.file, size) ? SQLITE_IOERR_TRUNCATE
                                                                    : SQLITE_OK;
}

int Sync(sqlite3_file* file, int /*flags*/) {
  FileState& state = StateOf(file);
  if (state.volume->disk->Sync(state.path, state.file) != 0) return SQLITE_IOERR_FSYNC;
  if (state.name_unsynced) {
    if (state.volume->disk->SyncDirectory(DirectoryOf(state.path)) != 0)
      return SQLITE_IOERR_DIR_FSYNC;
    state.name_unsynced = false;
  }
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  FileState& state = StateOf(file);
  *size = state.volume->disk->Size(state.file);
  return SQLITE_OK;
}

int Lock(sqlite3_file* file, int level) {
  FileState& state = StateOf(file);
  MutexLock lock(state.shared->mutex);
  for (const auto& [other, held] : state.shared->locks) {
    if (other == &state) continue;
    const bool blocks = level == SQLITE_LOCK_SHARED      ? held >= SQLITE_LOCK_PENDING
                        : level == SQLITE_LOCK_EXCLUSIVE ? held >= SQLITE_LOCK_SHARED
                                                         : held >= SQLITE_LOCK_RESERVED;
    if (blocks) return SQLITE_BUSY;
  }
  if (level > state.lock) state.lock = level;
  state.shared->locks[&state] = state.lock;
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) {
  FileState& state = StateOf(file);
  MutexLock lock(state.shared->mutex);
  if (level < state.lock) state.lock = level;
  state.shared->locks[&state] = state.lock;
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  FileState& state = StateOf(file);
  MutexLock lock(state.shared->mutex);
  *reserved = 0;
  for (const auto& [other, held] : state.shared->locks) *reserved |= held >= SQLITE_LOCK_RESERVED;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4096; }
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int ShmMap(sqlite3_file* file, int region, int bytes, int extend, void volatile** address) {
  FileState& state = StateOf(file);
  MutexLock lock(state.shared->mutex);
  auto& regions = state.shared->regions;
  *address = nullptr;
  if (region >= std::ssize(regions) && !extend) return SQLITE_OK;
  while (region >= std::ssize(regions))
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(bytes)));
  *address = regions[static_cast<std::size_t>(region)].get();
  return SQLITE_OK;
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  FileState& state = StateOf(file);
  Shared& shared = *state.shared;
  MutexLock lock(shared.mutex);
  const bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
  for (int slot = offset; slot < offset + count && (flags & SQLITE_SHM_LOCK); ++slot) {
    const auto owner = shared.shm_exclusive.find(slot);
    if (owner != shared.shm_exclusive.end() && owner->second != &state) return SQLITE_BUSY;
    const auto& holders = shared.shm_shared[slot];
    if (exclusive && (holders.size() > 1 || (holders.size() == 1 && !holders.contains(&state))))
      return SQLITE_BUSY;
  }
  for (int slot = offset; slot < offset + count; ++slot) {
    if (flags & SQLITE_SHM_UNLOCK) {
      shared.shm_shared[slot].erase(&state);
      if (exclusive) shared.shm_exclusive.erase(slot);
    } else if (exclusive) {
      shared.shm_exclusive[slot] = &state;
    } else {
      shared.shm_shared[slot].insert(&state);
    }
  }
  return SQLITE_OK;
}

void ShmBarrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int ShmUnmap(sqlite3_file* file, int remove) {
  FileState& state = StateOf(file);
  MutexLock lock(state.shared->mutex);
  for (auto& [slot, holders] : state.shared->shm_shared) holders.erase(&state);
  if (remove) state.shared->regions.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

Volume& VolumeOf(sqlite3_vfs* vfs) { return *static_cast<Volume*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out) {
  Volume& volume = VolumeOf(vfs);
  auto* vfs_file = reinterpret_cast<VfsFile*>(file);
  vfs_file->base.pMethods = nullptr;
  const std::string path = name ? std::string(name) : "/sim/temporary-" + NewId();
  SimulatedDisk::File found = volume.disk->Find(path);
  bool made = false;
  if (!found) {
    if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    if (volume.disk->Create(path, &found) != 0) return SQLITE_CANTOPEN;
    made = true;
  }
  const bool is_log =
      flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
  vfs_file->state = new FileState{&volume,          path,
                                  std::move(found), volume.SharedOf(path),
                                  made && is_log,   (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
  vfs_file->base.pMethods = &kMethods;
  if (flags_out) *flags_out = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  SimulatedDisk& disk = *VolumeOf(vfs).disk;
  const int error = disk.Remove(name);
  if (error == ENOENT) return SQLITE_IOERR_DELETE_NOENT;
  if (error != 0) return SQLITE_IOERR_DELETE;
  if (sync_directory && disk.SyncDirectory(DirectoryOf(name)) != 0) return SQLITE_IOERR_DIR_FSYNC;
  return SQLITE_OK;
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* there) {
  *there = VolumeOf(vfs).disk->Find(name) != nullptr;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

sqlite3_vfs* Real() { return sqlite3_vfs_find(nullptr); }
int Randomness(sqlite3_vfs*, int size, char* out) { return Real()->xRandomness(Real(), size, out); }
int Sleep(sqlite3_vfs*, int micros) { return Real()->xSleep(Real(), micros); }
int CurrentTime(sqlite3_vfs*, double* time) { return Real()->xCurrentTime(Real(), time); }
int CurrentTimeInt64(sqlite3_vfs*, sqlite3_int64* time) {
  return Real()->xCurrentTimeInt64(Real(), time);
}
int GetLastError(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

struct SimulatedVfs::Impl {
  std::string name;
  Volume volume;
  sqlite3_vfs vfs{};
};

SimulatedVfs::SimulatedVfs(SimulatedDisk& disk) : impl_(std::make_unique<Impl>()) {
  impl_->name = "simulated-" + NewId();
  impl_->volume.disk = &disk;
  sqlite3_vfs& vfs = impl_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(VfsFile);
  vfs.mxPathname = 512;
  vfs.zName = impl_->name.c_str();
  vfs.pAppData = &impl_->volume;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xCurrentTimeInt64 = CurrentTimeInt64;
  vfs.xGetLastError = GetLastError;
  GYRE_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

SimulatedVfs::~SimulatedVfs() { sqlite3_vfs_unregister(&impl_->vfs); }

const std::string& SimulatedVfs::name() const { return impl_->name; }

}  // namespace gyre::db
