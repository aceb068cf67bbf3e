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
      "removed {} blobs ({}), kept {}; forgot {} events, {} notices, {} queries, {} firings and "
      "{} pipeline runs",
      GroupDigits(result["blobs_removed"].AsInt()), HumanBytes(result["bytes_removed"].AsInt()),
      GroupDigits(result["blobs_kept"].AsInt()), GroupDigits(result["events_removed"].AsInt()),
      GroupDigits(result["notices_removed"].AsInt()),
      GroupDigits(result["queries_removed"].AsInt()),
      GroupDigits(result["firings_removed"].AsInt()),
      GroupDigits(result["pipeline_runs_removed"].AsInt())));
  return 0;
}

Result<int> Check(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job,
           session->Post(fmt::format("/api/v1/maintenance/fsck?quick={}", in.Has("quick") ? 1 : 0),
                         Json::Obj()));
  GYRE_TRY(const Json ended, session->WaitJob(job, in.out()));
  const Json& result = ended["result"];
  const bool sound = result["sound"].AsBool();
  Output& out = in.out();
  if (out.json()) out.Document(result, "");
  for (const Json& problem : result["problems"].items()) out.Warn(problem.AsString());
  if (!sound) return 5;
  const std::string blobs = GroupDigits(result["blobs"].AsInt());
  out.Done(result["contents"].AsBool()
               ? fmt::format("sound: the database, and {} blobs, each byte read ({})", blobs,
                             HumanBytes(result["bytes_read"].AsInt()))
               : fmt::format("the database is sound, and all that is needed of {} blobs is there; "
                             "contents were not read",
                             blobs));
  return 0;
}

constexpr Option kCollectOptions[] = {
    {"--grace-hours", "N", "younger blobs stay, whoever needs them", "24"}};
constexpr Option kCheckOptions[] = {
    {"--quick", "", "only that every blob is there; contents are not read"}};
constexpr Command kCommands[] = {
    {"gc",
     "remove blobs that nothing refers to, and old events, queries, firings and pipeline runs",
     "gyre gc\ngyre gc --grace-hours 0",
     {},
     kCollectOptions,
     Collect},
    {"fsck",
     "check the database and every byte of what is stored (exit 5 when something is damaged)",
     "gyre fsck\ngyre fsck --quick",
     {},
     kCheckOptions,
     Check,
     false,
     true},
};

}  // namespace

std::span<const Command> MaintenanceCommands() { return kCommands; }

}  // namespace gyre::cli
