#include "gyre/repair.h"

#include <memory>
#include <utility>

#include "base/hash.h"
#include "base/mutex.h"
#include "base/time.h"
#include "platform/exec/files.h"

namespace gyre {
namespace {

Result<std::string> QuarantinePath(const std::string& directory, std::string_view name) {
  const std::string folder = directory + "/quarantine";
  GYRE_DO(exec::MakeDirectory(folder));
  return fmt::format("{}/{}-{}", folder, name, SystemClock().NowMicros());
}

// Looks at the bytes before they get their name, which they then take from what is there.
class Replacement : public blob::Writer {
 public:
  Replacement(blob::Store& blobs, std::string directory, blob::Object expected,
              std::shared_ptr<Mutex> turn, std::unique_ptr<blob::Writer> writer)
      : blobs_(blobs),
        directory_(std::move(directory)),
        expected_(std::move(expected)),
        pin_(blobs.PinObject(expected_.digest)),
        turn_(std::move(turn)),
        writer_(std::move(writer)) {}

  Result<> Append(std::string_view bytes) override {
    size_ += std::ssize(bytes);
    if (size_ > expected_.size_bytes) return WrongBytes();
    hash_.Update(bytes);
    return writer_->Append(bytes);
  }

  Result<blob::Object> Commit() override {
    if (size_ != expected_.size_bytes || hash_.FinishHex() != expected_.digest) return WrongBytes();
    // Of two that bring the same blob the second must not move out what the first has made sound.
    const MutexLock held(*turn_);
    if (blobs_.Verify(expected_.digest)) return expected_;
    GYRE_TRY(const std::string path, QuarantinePath(directory_, expected_.digest));
    GYRE_DO(blobs_.MoveOut(expected_.digest, path));
    return writer_->Commit();
  }

 private:
  Error WrongBytes() const {
    return InvalidArgument("GY1913", "these are not the {} bytes of blob {}", expected_.size_bytes,
                           expected_.digest)
        .Fix("gyre fsck --repair --from BACKUP    (takes them out of a backup)");
  }

  blob::Store& blobs_;
  const std::string directory_;
  const blob::Object expected_;
  const blob::Pin pin_;
  const std::shared_ptr<Mutex> turn_;
  const std::unique_ptr<blob::Writer> writer_;
  Sha256 hash_;
  std::int64_t size_ = 0;
};

}  // namespace

std::string RepairDatabase(db::Database& database, const std::string& directory) {
  const auto repaired = [&]() -> Result<std::string> {
    GYRE_TRY(std::string path, QuarantinePath(directory, "gyre.db"));
    GYRE_DO(database.BackupTo(path));
    // Longer than a write may take: on a damaged index others should not go on meanwhile.
    GYRE_DO(database.Write([](db::Transaction& tx) { return tx.Execute("REINDEX", {}); }));
    return path;
  }();
  return repaired ? "the indexes of the database were made anew; as it was: " + *repaired : "";
}

void AddRepair(native::Maintenance& maintenance, db::Database& database, blob::Store& blobs,
               std::string directory) {
  maintenance.restore_blob =
      [&database, &blobs, directory = std::move(directory), turn = std::make_shared<Mutex>()](
          const std::string& digest) -> Result<std::unique_ptr<blob::Writer>> {
    GYRE_TRY(const auto size, blob::ReferencedSize(database, digest));
    if (!size) return NotFound("GY1912", "nothing refers to a blob {}", digest.substr(0, 80));
    if (blobs.Verify(digest))
      return MakeError(Code::kAlreadyExists, "GY1911", "blob {} is sound", digest);
    GYRE_TRY(auto writer, blobs.NewWriter());
    return std::unique_ptr<blob::Writer>(new Replacement(
        blobs, directory, {.digest = digest, .size_bytes = *size}, turn, std::move(writer)));
  };
}

}  // namespace gyre
