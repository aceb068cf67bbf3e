#include "platform/backup/reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/limits.h"
#include "platform/backup/compression.h"

namespace gyre::backup {
namespace {

constexpr std::size_t kDigestLength = 64;
constexpr std::size_t kTextBytesMax = 256 * static_cast<std::size_t>(kMiB);
constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::string_view kZstd = ".zst";

bool IsDigest(std::string_view text) {
  return text.size() == kDigestLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct Named {
  Part part;
  bool packed = false;
};

// Nothing but what stands here is a name.
std::optional<Named> NameOf(std::string_view name) {
  if (name == "gyre-backup.json") return Named{{PartKind::kAbout, {}}};
  if (name == "gyre.db.zst") return Named{{PartKind::kDatabase, {}}, true};
  if (name == "manifest.json") return Named{{PartKind::kManifest, {}}};
  const auto after = [&](std::string_view folder) {
    return name.starts_with(folder) ? name.substr(folder.size()) : std::string_view();
  };
  for (const std::string_view file : {kAnchorsFile, kCaptureKeyFile, kMasterKeyFile}) {
    if (after("files/") == file) return Named{{PartKind::kFile, std::string(file)}};
  }
  std::string_view digest = after("blobs/");
  const bool packed = digest.ends_with(kZstd);
  if (packed) digest.remove_suffix(kZstd.size());
  if (!IsDigest(digest)) return std::nullopt;
  return Named{{PartKind::kBlob, std::string(digest)}, packed};
}

// Kinds in their order; files and blobs by name, each once.
bool Follows(const Part& part, const Part& before, bool first) {
  if (first) return part.kind == PartKind::kAbout;
  if (part.kind == before.kind)
    return (part.kind == PartKind::kFile || part.kind == PartKind::kBlob) &&
           part.name > before.name;
  return part.kind > before.kind &&
         (before.kind != PartKind::kAbout || part.kind == PartKind::kDatabase);
}

}  // namespace

struct BackupReader::Unpacker {
  Decompressor decompressor;
};

Error BackupReader::Damaged(std::string_view what) const {
  return MakeError(Code::kDataLoss, "GY1902", "the backup is damaged: {}", what)
      .Where(archive_.Where())
      .Fix("use another copy of it, or another backup");
}

Result<> BackupReader::Begin(const Member& member) {
  auto named = NameOf(member.name);
  if (!begun_ && !(named && named->part.kind == PartKind::kAbout))
    return InvalidArgument("GY1901", "this is no gyre backup: it begins with `{}`", member.name)
        .Fix("gyre backup FILE   (makes one)");
  if (!named) return Damaged(fmt::format("no backup has a member `{}`", member.name));
  if (!Follows(named->part, part_, !begun_)) return Damaged("its members are out of order");
  begun_ = true;
  part_ = std::move(named->part);
  unpacker_ = named->packed ? std::make_shared<Unpacker>() : nullptr;
  size_ = 0;
  hash_ = Sha256();
  text_.clear();
  return sink_.Begin(part_);
}

Result<> BackupReader::Unpacked(std::string_view bytes) {
  hash_.Update(bytes);
  size_ += std::ssize(bytes);
  unpacked_bytes_ += std::ssize(bytes);
  if (part_.kind == PartKind::kAbout || part_.kind == PartKind::kManifest) {
    if (text_.size() + bytes.size() > kTextBytesMax) return Damaged("its manifest is too long");
    text_ += bytes;
  }
  return sink_.Data(bytes);
}

Result<> BackupReader::Data(std::string_view bytes) {
  if (!unpacker_) return Unpacked(bytes);
  GYRE_TRY(const bool sound, unpacker_->decompressor.Feed(
                                 bytes, [&](std::string_view out) { return Unpacked(out); }));
  return sound ? Result<>() : Damaged("what is compressed cannot be unpacked");
}

Result<> BackupReader::End() {
  if (unpacker_ && !unpacker_->decompressor.complete())
    return Damaged("what is compressed is not complete");
  GYRE_DO(Understand());
  return sink_.End(part_, size_);
}

Result<> BackupReader::Understand() {
  const std::string hash = hash_.FinishHex();
  if (part_.kind == PartKind::kBlob) {
    if (hash != part_.name) return Damaged("a blob has another SHA-256 than its name says");
    ++blobs_;
    blob_bytes_ += size_;
  } else if (part_.kind == PartKind::kDatabase || part_.kind == PartKind::kFile) {
    seen_[part_.name] = {size_, hash};
  } else {
    auto json = Json::Parse(text_);
    if (!json) return Damaged("it says nothing readable about itself");
    if (part_.kind == PartKind::kManifest) {
      manifest_ = *std::move(json);
      return CheckManifest();
    }
    about_ = *std::move(json);
    const std::int64_t format = about_["format"].AsInt();
    if (format != kFormat)
      return FailedPrecondition("GY1904", "the backup has format {}; this gyre knows format {}",
                                format, kFormat)
          .Why("it was made by gyre " + about_["gyre"].StringOr("(unknown)"))
          .Fix("use that gyre, or a newer one");
  }
  return {};
}

Result<> BackupReader::CheckManifest() const {
  const auto check = [&](const Json& said, const std::string& name,
                         std::string_view shown) -> Result<> {
    const auto it = seen_.find(name);
    const bool same = it != seen_.end() && said["bytes"].AsInt(-1) == it->second.size &&
                      said["sha256"].AsString() == it->second.hash;
    return same ? Result<>() : Damaged(fmt::format("{} is not what its manifest says", shown));
  };
  GYRE_DO(check(manifest_["database"], "", "the database"));
  for (const Json& file : manifest_["files"].items())
    GYRE_DO(check(file, file["name"].AsString(), file["name"].AsString()));
  if (manifest_["files"].size() + 1 != seen_.size())
    return Damaged("it has files that its manifest does not name");
  if (manifest_["blobs"]["count"].AsInt(-1) != blobs_ ||
      manifest_["blobs"]["bytes"].AsInt(-1) != blob_bytes_)
    return Damaged("it has not the blobs that its manifest counts");
  return {};
}

Result<> BackupReader::Finish() {
  GYRE_DO(archive_.Finish());
  return manifest_.is_object() ? Result<>() : Damaged("it has no manifest");
}

Result<> ReadBackup(const std::string& path, BackupReader& reader,
                    const std::function<Result<>()>& progress) {
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, Close> file(path == "-" ? stdin
                                                           : std::fopen(path.c_str(), "rbe"));
  if (!file) return SystemError("opening " + path, errno);
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get());
    if (size == 0 && std::ferror(file.get()) != 0) return SystemError("reading " + path, errno);
    if (size == 0) return reader.Finish();
    GYRE_DO(reader.Feed(std::string_view(piece).substr(0, size)));
    if (progress) GYRE_DO(progress());
  }
}

}  // namespace gyre::backup
