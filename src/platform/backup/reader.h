// What is in a backup, member by member, as its bytes come: first what it says about itself, then
// the database, the files beside it, the blobs by digest, and last the manifest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "platform/backup/archive.h"

namespace gyre::backup {

inline constexpr std::int64_t kFormat = 1;
// The files of a data directory that a backup may hold, beside database and blobs.
inline constexpr std::string_view kAnchorsFile = "audit.anchors", kCaptureKeyFile = "capture.key",
                                  kMasterKeyFile = "master.key";

enum class PartKind : unsigned char { kAbout, kDatabase, kFile, kBlob, kManifest };
struct Part {
  PartKind kind = PartKind::kAbout;
  std::string name;  // of a file, the digest of a blob
};

// Data is unpacked; what a part holds is what was written only when End was called, for a blob, and
// when the manifest has come, for all others.
class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual Result<> Begin(const Part& part) = 0;
  virtual Result<> Data(std::string_view bytes) = 0;
  virtual Result<> End(const Part& part, std::int64_t size) = 0;
};
// Looks at everything and keeps nothing.
class NoPartSink : public PartSink {
 public:
  Result<> Begin(const Part& /*part*/) override { return {}; }
  Result<> Data(std::string_view /*bytes*/) override { return {}; }
  Result<> End(const Part& /*part*/, std::int64_t /*size*/) override { return {}; }
};

// Errors: those of ArchiveReader; kFailedPrecondition GY1904 a format that this program does not
// know.
class BackupReader : private MemberSink {
 public:
  explicit BackupReader(PartSink& sink) : archive_(*this), sink_(sink) {}
  Result<> Feed(std::string_view bytes) { return archive_.Feed(bytes); }
  Result<> Finish();
  const Json& about() const { return about_; }        // from the first End on
  const Json& manifest() const { return manifest_; }  // after Finish
  std::int64_t unpacked_bytes() const { return unpacked_bytes_; }

 private:
  struct Seen {
    std::int64_t size = 0;
    std::string hash;
  };
  Result<> Begin(const Member& member) override;
  Result<> Data(std::string_view bytes) override;
  Result<> End() override;
  Result<> Unpacked(std::string_view bytes);
  Result<> Understand();  // the part that has just ended
  Result<> CheckManifest() const;
  Error Damaged(std::string_view what) const;

  struct Unpacker;
  ArchiveReader archive_;
  PartSink& sink_;
  Part part_;
  std::shared_ptr<Unpacker> unpacker_;  // null: the member is stored as it is
  std::string text_;                    // of what is JSON
  std::int64_t size_ = 0;
  Sha256 hash_;
  bool begun_ = false;
  std::map<std::string, Seen> seen_;  // database and files
  std::int64_t blobs_ = 0, blob_bytes_ = 0, unpacked_bytes_ = 0;
  Json about_, manifest_;
};

// Reads a whole backup from a file, "-" = standard input. Errors: those above; what the file system
// says.
Result<> ReadBackup(const std::string& path, BackupReader& reader,
                    const std::function<Result<>()>& progress = {});

}  // namespace gyre::backup
