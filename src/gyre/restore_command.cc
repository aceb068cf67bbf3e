#include "gyre/restore_command.h"

#include <algorithm>

#include "base/shell.h"
#include "base/text.h"
#include "cli/output.h"
#include "gyre/schemas.h"
#include "platform/backup/restore.h"
#include "platform/config/environment.h"

namespace gyre {
namespace {

constexpr int kFindingsExit = 5;
constexpr std::size_t kNamed = 5;

// What only the keys open.
struct Sealed {
  std::vector<std::string> secrets;  // "project/name"
};

Result<> CountSealed(db::DatabaseFile& database, Sealed* sealed) {
  return database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const bool there, reader.QueryOne("SELECT 1 FROM sqlite_master WHERE name = 'secret'",
                                               {}, [](const db::Row&) {}));
    if (!there) return {};
    GYRE_TRY(sealed->secrets,
             db::Collect<std::string>(
                 reader, "SELECT project || '/' || name FROM secret ORDER BY project, name", {},
                 [](const db::Row& row) { return row.Str(0); }));
    return {};
  });
}

std::string SomeOf(const std::vector<std::string>& names) {
  std::vector<std::string> some(names.begin(), names.begin() + std::min(kNamed, names.size()));
  const std::size_t more = names.size() - some.size();
  return Join(some, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

void SayWhatIsMissing(const backup::Restored& restored, const Sealed& sealed, cli::Output& out) {
  for (const Json& one : restored.manifest["missing"].items())
    out.Warn("was damaged when the backup was made: " + one["why"].AsString());
  if (restored.about["keys"].AsBool()) return;
  if (!sealed.secrets.empty())
    out.Warn(fmt::format(
        "the backup has no keys: {} sealed for good without them ({}). Copy master.key and "
        "capture.key of "
        "the old data directory into the new one before its first start, or set them again: gyre "
        "secrets set NAME",
        sealed.secrets.size() == 1 ? std::string("1 secret is")
                                   : fmt::format("{} secrets are", sealed.secrets.size()),
        SomeOf(sealed.secrets)));
  else
    out.Note(
        "  without keys: rows captured before and after are told apart by another capture.key");
}

Json DocumentOf(const backup::Restored& restored, const Sealed& sealed) {
  Json pending = Json::Arr(), secrets = Json::Arr();
  for (const std::string& one : restored.pending) pending.Push(one);
  for (const std::string& one : sealed.secrets) secrets.Push(one);
  return Json::Obj({{"made_at", restored.about["made_at"]},
                    {"gyre", restored.about["gyre"]},
                    {"keys", restored.about["keys"]},
                    {"database", restored.manifest["database"]},
                    {"files", restored.manifest["files"]},
                    {"blobs", restored.manifest["blobs"]},
                    {"missing", restored.manifest["missing"]},
                    {"settings", restored.manifest["settings"]},
                    {"migrations_pending", std::move(pending)},
                    {"secrets", std::move(secrets)}});
}

std::string Holds(const backup::Restored& restored) {
  return fmt::format("{} rows in {} tables, {} blobs ({}), made {} by gyre {}",
                     GroupDigits(restored.rows), restored.tables,
                     GroupDigits(restored.manifest["blobs"]["count"].AsInt()),
                     HumanBytes(restored.manifest["blobs"]["bytes"].AsInt()),
                     restored.about["made_at"].AsString(), restored.about["gyre"].AsString());
}

Result<backup::Restored> Read(cli::Invocation& in, const std::string& directory, Sealed* sealed) {
  const std::string file = in.Get("FILE");
  auto restored = backup::Restore(
      {.file = file,
       .directory = directory,
       .schemas = AllSchemas(),
       .look = [&](db::DatabaseFile& database) { return CountSealed(database, sealed); },
       .progress = [&](std::int64_t bytes) -> Result<> {
         in.out().Progress(-1, fmt::format("reading {}  {}", file, HumanBytes(bytes)));
         return {};
       }});
  in.out().EndProgress();
  return restored;
}

Result<int> Look(cli::Invocation& in, std::string_view says, std::string_view says_of_rest) {
  Sealed sealed;
  GYRE_TRY(const backup::Restored restored, Read(in, "", &sealed));
  cli::Output& out = in.out();
  SayWhatIsMissing(restored, sealed, out);
  for (const std::string& one : restored.pending)
    out.Note("  its first start here migrates " + one);
  const std::size_t missing = restored.manifest["missing"].size();
  out.Document(DocumentOf(restored, sealed),
               missing == 0
                   ? fmt::format("{} {}: {}\n", out.Mark("ok"), says, Holds(restored))
                   : fmt::format("{} {}, without what was damaged ({}): {}\n", out.Mark("fail"),
                                 says_of_rest, missing, Holds(restored)));
  return missing == 0 ? 0 : kFindingsExit;
}

}  // namespace

Result<int> RunVerify(cli::Invocation& in) {
  return Look(in, "sound, and can be restored", "not whole: the rest can be restored");
}

Result<int> RunRestore(cli::Invocation& in) {
  const std::string directory = in.data_directory();
  GYRE_DO(backup::CheckEmpty(directory));
  const std::string would = "would restore into " + directory;
  if (in.dry_run()) return Look(in, would, would);
  Sealed sealed;
  GYRE_TRY(const backup::Restored restored, Read(in, directory, &sealed));
  cli::Output& out = in.out();
  if (out.json()) out.Document(DocumentOf(restored, sealed), "");
  out.Done(fmt::format("restored into {}: {}", directory, Holds(restored)));
  SayWhatIsMissing(restored, sealed, out);
  const Json& settings = restored.manifest["settings"];
  if (settings.size() > 0) {
    std::vector<std::string> said;
    for (const Json& one : settings.items()) said.push_back(one["name"].AsString());
    out.Note("  these settings were not the defaults there: " + SomeOf(said) +
             "   (gyre backup verify FILE -o json)");
  }
  out.Hint("gyre server --data " + ShellWord(directory));
  return restored.manifest["missing"].size() == 0 ? 0 : kFindingsExit;
}

}  // namespace gyre
