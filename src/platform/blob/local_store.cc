// Objects in a folder: objects/ab/cdef...; beside one of more than a block, its block checksums in
// cdef....sum. An object of one block is checked by its SHA-256 itself, from then on by what it
// summed up to (in memory). incoming/ holds what is being written, scratch/ what jobs compute; both
// are emptied at start.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/time.h"
#include "platform/blob/blob_store.h"
#include "platform/blob/block_sums.h"
#include "platform/blob/files.h"

namespace gyre::blob {
namespace {

constexpr std::int64_t kGetBytesMax = 1024 * kMiB;
constexpr std::string_view kSumSuffix = ".sum";
constexpr std::size_t kDigestLength = 64;
constexpr std::int64_t kTrustMicros = 3600 * kMicrosPerSecond;  // in what was checked before
constexpr std::size_t kTrustedMax = 100'000;

bool LooksLikeDigest(std::string_view digest) {
  return digest.size() == kDigestLength &&
         digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error DataLoss(const Digest& digest, std::string_view what) {
  return Error(Code::kDataLoss, "GY1502", fmt::format("blob {} is damaged: {}", digest, what))
      .Why("what is read is checked against what was written")
      .Fix("restore it from a backup, or store the same bytes again")
      .Fix("gyre fsck    (what else is damaged, and who needs it)");
}

class LocalReadStream;

// Shared with whoever holds one, so that the store may go first.
struct Pins {
  Mutex mutex;
  std::map<Digest, int> objects GYRE_GUARDED_BY(mutex);
  int of_all GYRE_GUARDED_BY(mutex) = 0;

  bool Hold(const Digest& digest) {
    const MutexLock lock(mutex);
    return of_all > 0 || objects.contains(digest);
  }
};

class LocalStore : public Store {
 public:
  LocalStore(std::string directory, FileSystem& files)
      : directory_(std::move(directory)),
        objects_(directory_ + "/objects"),
        incoming_(directory_ + "/incoming"),
        scratch_(directory_ + "/scratch"),
        files_(files) {}

  Result<> Prepare();
  Result<Object> Put(std::string_view bytes) override;
  Result<std::unique_ptr<Writer>> NewWriter() override;
  Result<Object> PutFile(const std::string& path) override;
  Result<std::string> Get(const Digest& digest) override;
  Result<std::unique_ptr<ReadStream>> Open(const Digest& digest) override;
  Result<bool> Exists(const Digest& digest) override;
  Result<> CheckBlocks(const Digest& digest) override;
  Result<std::string> LocalPath(const Digest& digest) override;
  Result<> Verify(const Digest& digest) override;
  Result<> ForEach(const std::function<Result<>(const Object&)>& object) override;
  Result<> Remove(const Digest& digest) override;
  Result<bool> Mend(const Digest& digest) override;
  Result<> MoveOut(const Digest& digest, const std::string& path) override;
  Result<std::int64_t> RemoveIfUnused(const Digest& digest, std::int64_t older_than_us) override;
  Result<bool> IsUnused(const Digest& digest, std::int64_t older_than_us) override;
  Pin PinObject(const Digest& digest) override;
  Pin PinEverything() override;
  const std::string& scratch_directory() const override { return scratch_; }

  // The writer's last step: `data` and `sums` (may be empty) are synced files in incoming/.
  Result<> Publish(const Digest& digest, const std::string& data, const std::string& sums);
  // True when it is there; then it counts as new for the collector, and its name is durable.
  Result<bool> Reuse(const Object& object);
  std::string NewIncomingPath() const { return fmt::format("{}/{}", incoming_, NewId()); }
  FileSystem& files() { return files_; }
  SmallSums& small_sums() { return *small_sums_; }

 private:
  std::string FolderOf(const Digest& digest) const {
    return fmt::format("{}/{}", objects_, digest.substr(0, 2));
  }
  std::string PathOf(const Digest& digest) const {
    return fmt::format("{}/{}", FolderOf(digest), digest.substr(2));
  }
  Result<> MakeFolder(const std::string& folder);
  void SyncNames(const std::string& folder);
  Result<std::unique_ptr<ReadableFile>> OpenFile(const Digest& digest);
  Result<std::unique_ptr<LocalReadStream>> OpenChecked(const Digest& digest);

  const std::string directory_, objects_, incoming_, scratch_;
  FileSystem& files_;
  Mutex mutex_;  // Reuse and Publish against removal: what a writer found must not be collected
                 // under it
  std::set<std::string> folders_ GYRE_GUARDED_BY(mutex_);  // that are durable
  const std::shared_ptr<Pins> pins_ = std::make_shared<Pins>();
  const std::shared_ptr<SmallSums> small_sums_ = std::make_shared<SmallSums>();  // as the pins

  struct Stamps {
    std::int64_t object = 0, sums = 0;
    bool operator==(const Stamps&) const = default;
  };
  struct Seen {
    Stamps stamps;
    std::int64_t checked_us = 0;
  };
  Mutex seen_mutex_;
  std::map<Digest, Seen> seen_ GYRE_GUARDED_BY(seen_mutex_);  // sound when they were checked
};

// --- writing -------------------------------------------------------------------------------------

// A block is kept until it is whole, so that what is no larger than one is known by its name before
// it takes a file: the same bytes stored again take none.
class LocalWriter : public Writer {
 public:
  explicit LocalWriter(LocalStore& store) : store_(store) {}

  ~LocalWriter() override {
    file_.reset();
    if (path_.empty()) return;
    static_cast<void>(store_.files().Remove(path_));
    static_cast<void>(store_.files().Remove(path_ + std::string(kSumSuffix)));
  }

  Result<> Append(std::string_view bytes) override {
    GYRE_CHECK(!committed_);
    sha_.Update(bytes);
    size_ += std::ssize(bytes);
    while (!bytes.empty()) {
      const std::size_t take =
          std::min(bytes.size(), static_cast<std::size_t>(kBlockBytes) - block_.size());
      if (take == 0) {  // more than one
        GYRE_DO(FinishBlock());
        continue;
      }
      if (block_.size() + take > kGrowthBytesMax) block_.reserve(kBlockBytes);
      block_.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
    }
    return {};
  }

  Result<Object> Commit() override {
    GYRE_CHECK(!committed_);
    Object object{sha_.FinishHex(), size_};
    object.held = store_.PinObject(object.digest);
    GYRE_TRY(const bool there, store_.Reuse(object));
    committed_ = there;
    if (there) return object;
    if (!block_.empty() || !file_) GYRE_DO(FinishBlock());
    GYRE_DO(file_->Sync());
    file_.reset();
    std::string sum_path;
    if (size_ > kBlockBytes) {
      sum_path = path_ + std::string(kSumSuffix);
      GYRE_TRY(auto sum_file, store_.files().Create(sum_path));
      GYRE_DO(sum_file->Append(EncodeSums(size_, sums_)));
      GYRE_DO(sum_file->Sync());
    }
    GYRE_DO(store_.Publish(object.digest, path_, sum_path));
    if (sums_.size() == 1) store_.small_sums().Keep(object.digest, sums_[0]);
    path_.clear();
    committed_ = true;
    return object;
  }

 private:
  static constexpr std::size_t kGrowthBytesMax = 128 << 10;  // from then on there is a whole one

  Result<> FinishBlock() {
    if (!file_) {
      path_ = store_.NewIncomingPath();
      GYRE_TRY(file_, store_.files().Create(path_));
    }
    GYRE_DO(file_->Append(block_));
    sums_.push_back(Xxh3(block_));
    block_.clear();
    return {};
  }

  LocalStore& store_;
  bool committed_ = false;
  std::string path_;  // of the file, until it has its name
  std::unique_ptr<WritableFile> file_;
  Sha256 sha_;
  std::int64_t size_ = 0;
  std::string block_;  // what is not in the file yet
  std::vector<std::uint64_t> sums_;
};

Result<> LocalStore::Prepare() {
  for (const std::string& folder : {directory_, objects_}) GYRE_DO(files_.MakeDirectory(folder));
  for (const std::string& folder : {incoming_, scratch_}) {
    GYRE_DO(files_.Remove(folder));  // what a process that was killed left behind
    GYRE_DO(files_.MakeDirectory(folder));
  }
  SyncNames(directory_);
  return {};
}

// A name whose fsync failed may be there or not, and the next fsync would not say: nothing true can
// be answered any more.
void LocalStore::SyncNames(const std::string& folder) {
  const auto synced = files_.SyncDirectory(folder);
  if (synced) return;
  fmt::print(stderr,
             "GY1506 {}: what reached the disk is unknown, so this process ends; start it again\n",
             synced.error().message());
  std::fflush(stderr);
  std::abort();
}

Result<> LocalStore::MakeFolder(const std::string& folder) {
  {
    MutexLock lock(mutex_);
    if (folders_.contains(folder)) return {};
  }
  GYRE_DO(files_.MakeDirectory(folder));
  SyncNames(objects_);
  MutexLock lock(mutex_);
  folders_.insert(folder);
  return {};
}

Result<> LocalStore::Publish(const Digest& digest, const std::string& data,
                             const std::string& sums) {
  const std::string folder = FolderOf(digest);
  GYRE_DO(MakeFolder(folder));
  {
    MutexLock lock(mutex_);
    // The checksums first: an object whose name is there is complete.
    if (!sums.empty()) GYRE_DO(files_.Rename(sums, PathOf(digest) + std::string(kSumSuffix)));
    GYRE_DO(files_.Rename(data, PathOf(digest)));
  }
  SyncNames(folder);
  return {};
}

Result<bool> LocalStore::Reuse(const Object& object) {
  // A damaged one is replaced by the bytes that are being stored.
  if (const auto sound = CheckBlocks(object.digest); !sound) {
    const Code code = sound.error().code();
    if (code == Code::kNotFound || code == Code::kDataLoss) return false;
    return sound.error();
  }
  {
    MutexLock lock(mutex_);
    GYRE_TRY(const auto info, files_.Stat(PathOf(object.digest)));
    if (!info) return false;
    GYRE_DO(files_.Touch(PathOf(object.digest)));
  }
  // It may have been named by a process that died before its names were durable.
  GYRE_DO(MakeFolder(FolderOf(object.digest)));
  SyncNames(FolderOf(object.digest));
  return true;
}

Result<std::unique_ptr<Writer>> LocalStore::NewWriter() {
  return std::unique_ptr<Writer>(new LocalWriter(*this));
}

Result<Object> LocalStore::Put(std::string_view bytes) {
  if (std::ssize(bytes) > kBlockBytes) {  // known by its name before it takes a file
    Object object{Sha256Hex(bytes), std::ssize(bytes)};
    object.held = PinObject(object.digest);  // first: what is found stays
    GYRE_TRY(const bool there, Reuse(object));
    if (there) return object;
  }
  LocalWriter writer(*this);
  GYRE_DO(writer.Append(bytes));
  return writer.Commit();
}

Result<Object> LocalStore::PutFile(const std::string& path) {
  GYRE_TRY(auto source, files_.Open(path));
  GYRE_TRY(auto writer, NewWriter());
  for (std::int64_t offset = 0;;) {
    GYRE_TRY(const std::string bytes, source->Read(offset, kBlockBytes));
    if (bytes.empty()) return writer->Commit();
    GYRE_DO(writer->Append(bytes));
    offset += std::ssize(bytes);
  }
}

// --- reading -------------------------------------------------------------------------------------

class LocalReadStream : public ReadStream {
 public:
  LocalReadStream(Digest digest, std::unique_ptr<ReadableFile> file,
                  std::vector<std::uint64_t> sums, std::shared_ptr<SmallSums> small_sums)
      : digest_(std::move(digest)),
        file_(std::move(file)),
        sums_(std::move(sums)),
        small_sums_(std::move(small_sums)) {}
  std::int64_t size_bytes() const override { return file_->size_bytes(); }

  Result<std::string> Read(std::int64_t offset, std::int64_t length) override {
    if (offset < 0 || length < 0)
      return InvalidArgument("GY1503", "a negative range of blob {}", digest_);
    const std::int64_t end = std::min(size_bytes(), offset + std::min(length, size_bytes()));
    std::string out;
    for (std::int64_t at = offset; at < end;) {
      GYRE_DO(LoadBlock(at / kBlockBytes));
      const std::int64_t from = at % kBlockBytes;
      const std::int64_t take = std::min(end - at, std::ssize(block_) - from);
      if (take == std::ssize(block_) && out.empty()) {  // all of it: handed over, not copied
        loaded_ = -1;
        out = std::exchange(block_, {});
        at += take;
        continue;
      }
      out.append(block_, static_cast<std::size_t>(from), static_cast<std::size_t>(take));
      at += take;
    }
    return out;
  }

  template <class Use>
  Result<> ForEachBlock(Use use) {
    for (std::int64_t index = 0; index * kBlockBytes < size_bytes(); ++index) {
      GYRE_DO(LoadBlock(index));
      use(std::string_view(block_));
    }
    return {};
  }

 private:
  Result<> LoadBlock(std::int64_t index) {
    if (index == loaded_) return {};
    loaded_ = -1;
    GYRE_TRY(block_, file_->Read(index * kBlockBytes, kBlockBytes));
    const std::int64_t expected = std::min(kBlockBytes, size_bytes() - index * kBlockBytes);
    if (std::ssize(block_) != expected || !IsSound(index))
      return DataLoss(digest_, fmt::format("block {} of {}", index,
                                           (size_bytes() + kBlockBytes - 1) / kBlockBytes));
    loaded_ = index;
    return {};
  }
  bool IsSound(std::int64_t index) const {
    const std::uint64_t sum = Xxh3(block_);
    if (!sums_.empty()) return sum == sums_[static_cast<std::size_t>(index)];
    if (small_sums_->Find(digest_) == sum) return true;
    if (Sha256Hex(block_) != digest_) return false;
    small_sums_->Keep(digest_, sum);
    return true;
  }

  Digest digest_;
  std::unique_ptr<ReadableFile> file_;
  std::vector<std::uint64_t> sums_;  // empty: one block, checked by the digest
  std::shared_ptr<SmallSums> small_sums_;
  std::string block_;
  std::int64_t loaded_ = -1;
};

Result<std::unique_ptr<ReadableFile>> LocalStore::OpenFile(const Digest& digest) {
  if (!LooksLikeDigest(digest))
    return InvalidArgument("GY1503", "`{}` is no SHA-256 digest", digest.substr(0, 80));
  auto file = files_.Open(PathOf(digest));
  if (!file && file.error().code() == Code::kNotFound)
    return NotFound("GY1501", "no blob {}", digest);
  return file;
}

Result<std::unique_ptr<LocalReadStream>> LocalStore::OpenChecked(const Digest& digest) {
  GYRE_TRY(auto file, OpenFile(digest));
  std::vector<std::uint64_t> sums;
  if (file->size_bytes() > kBlockBytes) {
    auto sum_file = files_.Open(PathOf(digest) + std::string(kSumSuffix));
    if (!sum_file) return DataLoss(digest, "its block checksums are not there");
    GYRE_TRY(const std::string bytes, (*sum_file)->Read(0, (*sum_file)->size_bytes()));
    sums = DecodeSums(bytes, file->size_bytes());
    if (sums.empty()) return DataLoss(digest, "its size or its block checksums have changed");
  } else if (file->size_bytes() == 0 && Sha256Hex("") != digest) {
    return DataLoss(digest, "it is empty");
  }
  return std::make_unique<LocalReadStream>(digest, std::move(file), std::move(sums), small_sums_);
}

Result<std::unique_ptr<ReadStream>> LocalStore::Open(const Digest& digest) {
  GYRE_TRY(auto stream, OpenChecked(digest));
  return std::unique_ptr<ReadStream>(std::move(stream));
}

Result<std::string> LocalStore::Get(const Digest& digest) {
  GYRE_TRY(auto stream, Open(digest));
  if (stream->size_bytes() > kGetBytesMax) {
    return Error(Code::kResourceExhausted, "GY1504",
                 fmt::format("blob {} has {} bytes: too large to be read at once", digest,
                             stream->size_bytes()));
  }
  return stream->Read(0, stream->size_bytes());
}

Result<bool> LocalStore::Exists(const Digest& digest) {
  auto file = OpenFile(digest);
  if (file) return true;
  if (file.error().code() == Code::kNotFound) return false;
  return std::move(file).error();
}

Result<> LocalStore::CheckBlocks(const Digest& digest) {
  if (!LooksLikeDigest(digest))
    return InvalidArgument("GY1503", "`{}` is no SHA-256 digest", digest.substr(0, 80));
  // Looked at before it is read: what changes meanwhile is read again the next time.
  const std::string path = PathOf(digest);
  GYRE_TRY(const auto object, files_.Stat(path));
  if (!object) return NotFound("GY1501", "no blob {}", digest);
  GYRE_TRY(const auto sums, files_.Stat(path + std::string(kSumSuffix)));
  const Stamps stamps{object->change_stamp, sums ? sums->change_stamp : 0};
  const std::int64_t now_us = SystemClock().MonotonicMicros();
  {
    const MutexLock lock(seen_mutex_);
    const auto it = seen_.find(digest);
    if (it != seen_.end() && stamps.object != 0 && it->second.stamps == stamps &&
        now_us - it->second.checked_us < kTrustMicros)
      return {};
  }
  GYRE_TRY(const auto stream, OpenChecked(digest));
  GYRE_DO(stream->ForEachBlock([](std::string_view) {}));
  const MutexLock lock(seen_mutex_);
  if (seen_.size() >= kTrustedMax) seen_.clear();
  seen_[digest] = {stamps, now_us};
  return {};
}

Result<std::string> LocalStore::LocalPath(const Digest& digest) {
  GYRE_DO(CheckBlocks(digest));
  return PathOf(digest);
}

Result<> LocalStore::Verify(const Digest& digest) {
  GYRE_TRY(const auto stream, OpenChecked(digest));
  Sha256 sha;
  GYRE_DO(stream->ForEachBlock([&](std::string_view block) { sha.Update(block); }));
  if (sha.FinishHex() != digest) return DataLoss(digest, "its bytes have another SHA-256");
  return {};
}

Result<> LocalStore::ForEach(const std::function<Result<>(const Object&)>& object) {
  GYRE_TRY(const auto folders, files_.List(objects_));
  for (const std::string& folder : folders) {
    GYRE_TRY(const auto names, files_.List(objects_ + "/" + folder));
    for (const std::string& name : names) {
      const Digest digest = folder + name;
      if (!LooksLikeDigest(digest)) continue;
      GYRE_TRY(const auto info, files_.Stat(PathOf(digest)));
      if (info) GYRE_DO(object({digest, info->size_bytes}));
    }
  }
  return {};
}

// --- repairing -----------------------------------------------------------------------------------

Result<bool> LocalStore::Mend(const Digest& digest) {
  auto file = OpenFile(digest);
  if (!file && file.error().code() == Code::kNotFound) return false;
  if (!file) return std::move(file).error();
  Sha256 sha;
  for (std::int64_t offset = 0; offset < (*file)->size_bytes(); offset += kBlockBytes) {
    const auto bytes = (*file)->Read(offset, kBlockBytes);
    if (!bytes) return false;
    sha.Update(*bytes);
  }
  if (sha.FinishHex() != digest) return false;
  // As if it were stored again: the same bytes take the place of what cannot be read.
  GYRE_TRY(const Object stored, PutFile(PathOf(digest)));
  return stored.digest == digest;
}

Result<> LocalStore::MoveOut(const Digest& digest, const std::string& path) {
  if (!LooksLikeDigest(digest))
    return InvalidArgument("GY1503", "`{}` is no SHA-256 digest", digest.substr(0, 80));
  {
    MutexLock lock(mutex_);
    for (const std::string_view suffix : {std::string_view(), kSumSuffix}) {
      const std::string from = PathOf(digest) + std::string(suffix);
      GYRE_TRY(const auto there, files_.Stat(from));
      if (there) GYRE_DO(files_.Rename(from, path + std::string(suffix)));
    }
  }
  SyncNames(path.substr(0, path.rfind('/')));
  GYRE_DO(MakeFolder(FolderOf(digest)));
  SyncNames(FolderOf(digest));
  return {};
}

// --- removing ------------------------------------------------------------------------------------

Result<> LocalStore::Remove(const Digest& digest) {
  if (!LooksLikeDigest(digest))
    return InvalidArgument("GY1503", "`{}` is no SHA-256 digest", digest.substr(0, 80));
  GYRE_DO(files_.Remove(
      PathOf(digest)));  // the object first: without its checksums it would be damaged, not absent
  return files_.Remove(PathOf(digest) + std::string(kSumSuffix));
}

Result<std::int64_t> LocalStore::RemoveIfUnused(const Digest& digest, std::int64_t older_than_us) {
  MutexLock lock(mutex_);
  GYRE_TRY(const auto info, files_.Stat(PathOf(digest)));
  if (!info || info->changed_us > older_than_us || pins_->Hold(digest)) return -1;
  GYRE_DO(Remove(digest));
  return info->size_bytes;
}

Result<bool> LocalStore::IsUnused(const Digest& digest, std::int64_t older_than_us) {
  GYRE_TRY(const auto info, files_.Stat(PathOf(digest)));
  return info && info->changed_us <= older_than_us && !pins_->Hold(digest);
}

Pin LocalStore::PinObject(const Digest& digest) {
  const MutexLock lock(pins_->mutex);
  ++pins_->objects[digest];
  return Pin(nullptr, [pins = pins_, digest](void*) {
    const MutexLock unpin_lock(pins->mutex);
    if (--pins->objects[digest] == 0) pins->objects.erase(digest);
  });
}

Pin LocalStore::PinEverything() {
  const MutexLock lock(pins_->mutex);
  ++pins_->of_all;
  return Pin(nullptr, [pins = pins_](void*) {
    const MutexLock unpin_lock(pins->mutex);
    --pins->of_all;
  });
}

}  // namespace

Result<std::unique_ptr<Store>> OpenLocalStore(const std::string& directory, FileSystem& files) {
  auto store = std::make_unique<LocalStore>(directory, files);
  GYRE_DO(store->Prepare());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace gyre::blob
