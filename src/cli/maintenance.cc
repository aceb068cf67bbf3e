// gyre gc, gyre fsck: keeping the data directory small and sound.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

Result<int> Collect(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json result, session->Post("/api/v1/maintenance/gc?grace_hours=" +
                                                PercentEncode(in.Get("grace-hours")),
                                            Json::Obj()));
  Output& out = in.out();
  if (out.json()) out.Document(result, "");
  out.Done(fmt::format(
      "removed {} blobs ({}), kept {}; forgot {} events",
      GroupDigits(result["blobs_removed"].AsInt()), HumanBytes(result["bytes_removed"].AsInt()),
      GroupDigits(result["blobs_kept"].AsInt()), GroupDigits(result["events_removed"].AsInt())));
  return 0;
}

Result<int> Check(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json result,
           session->Post(fmt::format("/api/v1/maintenance/fsck?deep={}", in.Has("deep") ? 1 : 0),
                         Json::Obj()));
  const bool sound = result["sound"].AsBool();
  Output& out = in.out();
  if (out.json()) out.Document(result, "");
  for (const Json& problem : result["problems"].items()) out.Warn(problem.AsString());
  if (sound)
    out.Done(
        fmt::format("sound: the database, and {} blobs", GroupDigits(result["blobs"].AsInt())));
  return sound ? 0 : 5;
}

constexpr Option kCollectOptions[] = {
    {"--grace-hours", "N", "younger blobs stay, whoever needs them", "24"}};
constexpr Option kCheckOptions[] = {{"--deep", "", "read every byte of every blob"}};
constexpr Command kCommands[] = {
    {"gc",
     "remove blobs that nothing refers to, and old events",
     "gyre gc\ngyre gc --grace-hours 0",
     {},
     kCollectOptions,
     Collect},
    {"fsck",
     "check the database, and that every blob that is needed is there (exit 5 when not)",
     "gyre fsck\ngyre fsck --deep",
     {},
     kCheckOptions,
     Check},
};

}  // namespace

std::span<const Command> MaintenanceCommands() { return kCommands; }

}  // namespace gyre::cli
