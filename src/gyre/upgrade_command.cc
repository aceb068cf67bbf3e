#include "gyre/upgrade_command.h"

#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "cli/output.h"
#include "gyre/compose.h"
#include "gyre/schemas.h"
#include "gyre/upgrade.h"
#include "platform/config/data_directory.h"

namespace gyre {
namespace {

Result<std::string> DirectoryOf(const cli::Invocation& in) {
  const std::string directory = in.data_directory();
  if (config::IsDataDirectory(directory)) return directory;
  return NotFound("GY1922", "{} is no data directory", directory).Fix("gyre upgrade --data DIR");
}

struct State {
  db::Applied applied;
  std::vector<std::string> pending;
  std::optional<Error> refused;  // a start would be
  std::vector<db::DatabaseSnapshot> snapshots;
};

Result<State> Look(const std::string& directory) {
  State state;
  const std::string database = directory + "/gyre.db";
  GYRE_TRY(const auto file, db::OpenDatabaseFile(database));
  GYRE_TRY(state.applied, file->AppliedSoFar());
  auto pending = file->Pending(AllSchemas());
  if (pending) {
    state.pending = *std::move(pending);
  } else {
    state.refused = std::move(pending).error();
  }
  state.snapshots = db::SnapshotsOf(database);
  return state;
}

std::string StartText(const State& state) {
  const std::string program = fmt::format("a start of gyre {}", Version());
  if (state.refused) return fmt::format("{} is refused: {}", program, state.refused->message());
  if (state.pending.empty()) return program + " changes nothing";
  return fmt::format("{} makes a snapshot, then applies {}: {}", program, state.pending.size(),
                     Join(state.pending, ", "));
}

Json ToJson(const State& state) {
  Json pending = Json::Arr(), snapshots = Json::Arr();
  for (const std::string& one : state.pending) pending.Push(one);
  for (const db::DatabaseSnapshot& one : state.snapshots)
    snapshots.Push(Json::Obj(
        {{"path", one.path}, {"made_at", FormatTime(one.made_us)}, {"bytes", one.size_bytes}}));
  return Json::Obj({{"gyre", Version()},
                    {"migrations_applied", state.applied.count},
                    {"last_applied_at",
                     state.applied.last_us == 0 ? Json() : Json(FormatTime(state.applied.last_us))},
                    {"migrations_pending", std::move(pending)},
                    {"refused", state.refused ? Json(state.refused->message()) : Json()},
                    {"snapshots", std::move(snapshots)}});
}

Result<int> Show(cli::Invocation& in, const std::string& directory) {
  GYRE_TRY(const State state, Look(directory));
  std::string text =
      fmt::format("schema     {} migrations, the last applied {}\nstart      {}\n",
                  state.applied.count, FormatTime(state.applied.last_us), StartText(state));
  if (state.snapshots.empty())
    text += "snapshots  none: one is made before a start changes the schema\n";
  for (std::size_t i = 0; i < state.snapshots.size(); ++i) {
    const db::DatabaseSnapshot& one = state.snapshots[i];
    text += fmt::format("{}  {}  {}  {}\n", i == 0 ? "snapshots" : "         ",
                        FormatTime(one.made_us), HumanBytes(one.size_bytes), one.path);
  }
  in.out().Document(ToJson(state), text);
  return 0;
}

Json ToJson(const RolledBack& back) {
  Json since = Json::Arr();
  for (const RowsSince& rows : back.since)
    since.Push(Json::Obj({{"table", rows.table}, {"then", rows.then}, {"now", rows.now}}));
  return Json::Obj({{"snapshot", back.snapshot.path},
                    {"made_at", FormatTime(back.snapshot.made_us)},
                    {"set_aside", back.set_aside},
                    {"since", std::move(since)},
                    {"blobs_gone", back.blobs_gone},
                    {"secrets_kept", back.secrets_kept},
                    {"secrets_gone", back.secrets_gone}});
}

void SayRolledBack(const RolledBack& back, cli::Output& out) {
  if (out.json()) out.Document(ToJson(back), "");
  out.Done(fmt::format("the database is what it was on {}", FormatTime(back.snapshot.made_us)));
  out.Note(fmt::format("  what it was until now lies in {}; with it go, in rows:", back.set_aside));
  const auto shown = [](std::int64_t rows) {
    return rows < 0 ? std::string("no table") : GroupDigits(rows);
  };
  for (const RowsSince& rows : back.since)
    out.Note(
        fmt::format("    {:<28} {} then, {} now", rows.table, shown(rows.then), shown(rows.now)));
  if (back.since.empty()) out.Note("    no row more or less (rows may have changed)");
  out.Note("  its blobs stay until you remove that file");
  if (back.secrets_kept > 0)
    out.Note(fmt::format("  {} secrets were sealed anew since: they keep the value of today",
                         GroupDigits(back.secrets_kept)));
  if (back.secrets_gone > 0)
    out.Warn(fmt::format(
        "{} secrets were removed since, and sealed under a master key that is no more: set them "
        "anew (gyre secrets set)",
        GroupDigits(back.secrets_gone)));
  if (back.blobs_gone > 0)
    out.Warn(
        fmt::format("{} blobs that the snapshot refers to were removed since: gyre fsck names "
                    "what needs them",
                    GroupDigits(back.blobs_gone)));
  out.Note(fmt::format(
      "  start it with the gyre that it was made by; gyre {} would migrate it again", Version()));
}

}  // namespace

Result<int> RunUpgrade(cli::Invocation& in) {
  GYRE_TRY(const std::string directory, DirectoryOf(in));
  if (!in.Has("rollback")) return Show(in, directory);
  GYRE_TRY(const auto lock, config::DirectoryLock::Acquire(directory));
  if (in.dry_run()) return Show(in, directory);
  GYRE_DO(in.Confirm("take the database back to its newest snapshot", "rollback"));
  GYRE_TRY(const RolledBack back, RollBack(directory, AllSchemas()));
  SayRolledBack(back, in.out());
  return 0;
}

}  // namespace gyre
