// gyre backup: everything that a server keeps, as of one moment, in one file. The file is checked
// while it comes: what has a name afterwards can be restored.
#include <sys/stat.h>

#include <algorithm>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/transfer.h"
#include "platform/backup/reader.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;

Result<> CheckFree(const Invocation& in, const std::string& file) {
  struct stat there{};
  if (in.Has("force") || file == "-" || ::stat(file.c_str(), &there) != 0 ||
      !S_ISREG(there.st_mode))
    return {};
  return MakeError(Code::kAlreadyExists, "GY4068", "{} is there already", file)
      .Fix("--force    (overwrites it)")
      .Fix(fmt::format("gyre backup {}    (keeps both)",
                       ShellWord("new-" + file.substr(file.rfind('/') + 1))));
}

std::string SizeText(const Json& size) {
  return fmt::format("database {}, {} blobs {}", HumanBytes(size["database_bytes"].AsInt()),
                     GroupDigits(size["blobs"].AsInt()), HumanBytes(size["blob_bytes"].AsInt()));
}

struct Received {
  std::int64_t bytes = 0;
  Json about, manifest;
};

Result<Received> Receive(Invocation& in, const std::string& file, std::int64_t expected_bytes) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(FileSink sink, FileSink::Open(file, FileSink::Readers::kOwner));
  backup::NoPartSink nothing;
  backup::BackupReader reader(nothing);
  Received received;
  const auto done = session->Stream(
      fmt::format("/api/v1/maintenance/backup?keys={}", in.Has("with-keys") ? 1 : 0),
      [&](std::string_view bytes) -> Result<> {
        GYRE_DO(reader.Feed(bytes));
        received.bytes += std::ssize(bytes);
        const double fraction = static_cast<double>(reader.unpacked_bytes()) /
                                static_cast<double>(std::max<std::int64_t>(expected_bytes, 1));
        if (file != "-")
          in.out().Progress(std::min(fraction, 1.0),
                            fmt::format("writing {}  {}", file, HumanBytes(received.bytes)));
        return sink.Write(bytes);
      });
  in.out().EndProgress();
  GYRE_DO(done);
  GYRE_DO(reader.Finish());
  GYRE_DO(sink.Commit(FileSink::Durable::kYes));
  received.about = reader.about();
  received.manifest = reader.manifest();
  return received;
}

Result<int> MakeBackup(Invocation& in) {
  const std::string file = in.Get("FILE");
  GYRE_DO(CheckFree(in, file));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json size, session->Get("/api/v1/maintenance/backup"));
  Output& out = in.out();
  if (in.dry_run()) {
    out.Document(
        size, fmt::format("would write {}: {}, compressed where it pays\n", file, SizeText(size)));
    return 0;
  }
  GYRE_TRY(const Received received,
           Receive(in, file, size["database_bytes"].AsInt() + size["blob_bytes"].AsInt()));
  const Json& missing = received.manifest["missing"];
  for (const Json& one : missing.items()) out.Warn("not in it: " + one["why"].AsString());
  const bool keys = received.about["keys"].AsBool();
  if (!keys)
    out.Note(
        "  without the keys: the secrets in it stay sealed. Keep master.key and capture.key of the "
        "data directory elsewhere, or use --with-keys and keep the file as safe as they are");
  if (out.json() && file != "-") {
    out.Document(Json::Obj({{"file", file},
                            {"bytes", received.bytes},
                            {"made_at", received.about["made_at"]},
                            {"keys", keys},
                            {"database", received.manifest["database"]},
                            {"blobs", received.manifest["blobs"]},
                            {"missing", missing}}),
                 "");
  }
  if (file != "-") {
    const std::string wrote =
        fmt::format("wrote {}: {} with {} tables and {} blobs", file, HumanBytes(received.bytes),
                    received.manifest["database"]["tables"].members().size(),
                    GroupDigits(received.manifest["blobs"]["count"].AsInt()));
    if (missing.size() == 0) out.Done(wrote + ", every byte checked");
    if (missing.size() > 0)
      out.Warn(fmt::format("{}, without what is damaged ({})", wrote, missing.size()));
  }
  if (missing.size() == 0) return 0;
  out.Hint(session->Repeatable("gyre fsck"));
  return kFindingsExit;
}

constexpr Positional kFile[] = {{"FILE", "where to; - for standard output", true, false, "file"}};
constexpr Option kOptions[] = {
    {"--with-keys", "", "the keys too: who has the file can then open the secrets in it"},
    {"--force", "", "overwrite FILE"}};
constexpr Command kCommands[] = {
    {"backup",
     "copy everything into one file while the server works (exit 5 when something is damaged)",
     "gyre backup monday.gyre\ngyre backup --dry-run x\ngyre backup - | ssh elsewhere 'cat > "
     "monday.gyre'\ngyre backup verify monday.gyre\ngyre restore monday.gyre --data ./new",
     kFile, kOptions, MakeBackup},
};

}  // namespace

std::span<const Command> BackupCommands() { return kCommands; }

}  // namespace gyre::cli
