// Content-addressed objects: immutable bytes named by their SHA-256. The same bytes are stored
// once.
//
// Put order: temporary file, hash while writing, fsync, rename, fsync of the directory; only then
// may a row name the blob. A crash leaves at most an orphan. A block checksum (XXH3 per MiB) stands
// beside each object of more than one block and is checked on every read (an object of one block is
// checked by its SHA-256); SHA-256 at write and by Verify. A failed fsync of a name ends the
// process (GY1506). References are rows of blob_ref, written in the owner's transaction (AddRef);
// Collect removes objects that nobody refers to, that nobody holds a Pin on (whoever stores one
// gets it pinned), and that are older than the grace time. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/blob/files.h"
#include "platform/db/database.h"

namespace gyre::blob {

using Digest = std::string;  // 64 lower-case hexadecimal digits

// Keeps an object from being collected while it is held.
using Pin = std::shared_ptr<void>;

struct Object {
  Digest digest;
  std::int64_t size_bytes = 0;
  Pin held = {};  // of one that was just stored: hold on to it until a row refers to it
};

// Streaming write; nothing is visible before Commit. Destroying it without Commit removes the
// temporary file.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual Result<> Append(std::string_view bytes) = 0;  // kOutOfSpace when the disk is full
  virtual Result<Object> Commit() = 0;                  // durable when it returns
};

class ReadStream {
 public:
  virtual ~ReadStream() = default;
  virtual std::int64_t size_bytes() const = 0;
  // Up to `length` bytes at `offset`; checked per block. Error: kDataLoss GY1502 names the blob and
  // the block.
  virtual Result<std::string> Read(std::int64_t offset, std::int64_t length) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<Object> Put(std::string_view bytes) = 0;
  virtual Result<std::unique_ptr<Writer>> NewWriter() = 0;
  virtual Result<Object> PutFile(const std::string& path) = 0;  // copies; the source stays
  virtual Result<std::string> Get(
      const Digest& digest) = 0;  // kNotFound GY1501, kDataLoss GY1502; at most 1 GiB
  virtual Result<std::unique_ptr<ReadStream>> Open(const Digest& digest) = 0;
  virtual Result<bool> Exists(const Digest& digest) = 0;
  // Every block; not read again while the file stays as it was seen, for an hour at most. Error:
  // kDataLoss GY1502 names the blob and the block.
  virtual Result<> CheckBlocks(const Digest& digest) = 0;
  // A local path that a child process may open read-only: of an object that passed CheckBlocks.
  virtual Result<std::string> LocalPath(const Digest& digest) = 0;
  virtual Result<> Verify(const Digest& digest) = 0;  // full SHA-256
  virtual Result<> ForEach(const std::function<Result<>(const Object&)>& object) = 0;
  virtual Result<> Remove(const Digest& digest) = 0;  // for fsck
  // For a repair. Makes its block checksums anew; false when its bytes are not what its name says,
  // or cannot be read: then nothing is changed.
  virtual Result<bool> Mend(const Digest& digest) = 0;
  // For a repair. Moves what is there, sound or not, out of the store to `path` (durable; the same
  // file system), its block checksums beside it; fine when nothing is there.
  virtual Result<> MoveOut(const Digest& digest, const std::string& path) = 0;
  // For Collect: whether that would remove it now.
  virtual Result<bool> IsUnused(const Digest& digest, std::int64_t older_than_us) = 0;
  // Its size, or -1 when it stays because it is pinned, changed after that time, or
  // not there.
  virtual Result<std::int64_t> RemoveIfUnused(const Digest& digest, std::int64_t older_than_us) = 0;
  virtual Pin PinObject(const Digest& digest) = 0;
  virtual Pin PinEverything() = 0;  // while it is held, RemoveIfUnused removes nothing
  virtual const std::string& scratch_directory() const = 0;  // same file system; emptied at start
};

// Errors: kPermissionDenied, kNotFound for a directory that cannot be made.
Result<std::unique_ptr<Store>> OpenLocalStore(const std::string& directory,
                                              FileSystem& files = RealFileSystem());

// --- references ----------------------------------------------------------------------------------
db::ModuleSchema BlobSchema();
// owner_kind and owner_id name the row that needs the blob ("dataset_version", id).
// Error: kAborted GY1505 when the collector is just removing the blob: store the bytes again.
Result<> AddRef(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id,
                const Object& object);
Result<> DropRefs(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id);
Result<> DropRef(db::Transaction& tx, std::string_view owner_kind, std::string_view owner_id,
                 const Digest& digest);  // one of them
// What rows refer to, by digest, after that one; at most so many.
Result<std::vector<Object>> ReferencedAfter(db::Reader& reader, const Digest& digest,
                                            std::int64_t limit);
// Of an object that a row refers to; empty = nobody needs it.
Result<std::optional<std::int64_t>> ReferencedSize(db::Database& database, const Digest& digest);
struct CollectResult {
  std::int64_t removed = 0, removed_bytes = 0, kept = 0;
};
Result<CollectResult> Collect(db::Database& database, Store& store, std::int64_t grace_us,
                              std::int64_t now_us);

// For fsck.
struct CheckOptions {
  bool contents = true;  // every byte of every object by its SHA-256; else only that it is there
  std::function<Result<>(std::int64_t done_bytes, std::int64_t all_bytes)> progress{};
};
struct Owner {
  std::string kind, id;  // of AddRef
};
struct Damage {
  Object object;  // as it should be
  std::string what;
  std::vector<Owner> owners;  // empty: nobody needs it
};
struct CheckResult {
  std::int64_t objects = 0, bytes_read = 0;
  std::vector<Damage> problems = {};
};
// Every referenced object is there with its size, and what is there is what was written. Errors:
// those of the database and of `progress`.
Result<CheckResult> Check(db::Database& database, Store& store, const CheckOptions& options);

}  // namespace gyre::blob
