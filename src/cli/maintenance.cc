// gyre gc, fsck, space, trash, undelete: keeping the data directory small and sound, and what was
// removed.
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
      "ended {} things of the trash; removed {} blobs ({}), kept {}; forgot {} events, {} notices, "
      "{} queries, {} firings and "
      "{} pipeline runs",
      GroupDigits(result["trash_removed"].AsInt()), GroupDigits(result["blobs_removed"].AsInt()),
      HumanBytes(result["bytes_removed"].AsInt()), GroupDigits(result["blobs_kept"].AsInt()),
      GroupDigits(result["events_removed"].AsInt()), GroupDigits(result["notices_removed"].AsInt()),
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

using Format = ColumnSpec::Format;

// People say datasets, the trash says dataset.
std::string Singular(std::string noun) {
  if (noun.ends_with('s')) noun.pop_back();
  return noun;
}

Result<int> ListTrash(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string query = fmt::format("?limit={}", PercentEncode(in.Get("limit")));
  if (in.Has("project")) query += "&project=" + PercentEncode(in.project());
  if (!in.Get("NOUN").empty()) query += "&noun=" + PercentEncode(Singular(in.Get("NOUN")));
  GYRE_TRY(const Json answer, session->Get("/api/v1/trash" + query));
  in.out().Table({{"NOUN", "noun"},
                  {"NAME", "name"},
                  {"WHAT", "what"},
                  {"PROJECT", "project"},
                  {"REMOVED", "removed_at", Format::kTime},
                  {"BY", "removed_by"},
                  {"UNTIL", "until", Format::kTime},
                  {"SIZE", "bytes", Format::kBytes},
                  {"NUMBER", "number", Format::kCount, true}},
                 answer["items"]);
  return 0;
}

Result<int> Undelete(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string noun = Singular(in.Get("NOUN"));
  GYRE_TRY(const Json found,
           session->Get(fmt::format("/api/v1/trash?project={}&noun={}&name={}&limit=1",
                                    PercentEncode(in.project()), PercentEncode(noun),
                                    PercentEncode(in.Get("NAME")))));
  if (found["items"].size() == 0) {
    return NotFound("GY5002", "there is no {} `{}` in the trash", noun, in.Get("NAME"))
        .Fix("gyre trash ls");
  }
  Json body = Json::Obj();
  if (in.Has("as")) body.Set("as", in.Get("as"));
  GYRE_TRY(const Json item, session->Post(fmt::format("/api/v1/projects/{}/trash/{}/restore",
                                                      PercentEncode(in.project()),
                                                      found["items"].items()[0]["number"].AsInt()),
                                          body));
  Output& out = in.out();
  if (out.json()) out.Document(item, "");
  const std::string& what = item["what"].AsString();
  out.Done(fmt::format("{} {} is back{}", noun, in.Has("as") ? in.Get("as") : in.Get("NAME"),
                       what.empty() ? "" : ": " + what));
  return 0;
}

Result<int> EmptyTrash(Invocation& in) {
  double seconds = 0;
  if (in.Has("older-than")) {
    GYRE_TRY(seconds, in.GetSeconds("older-than"));
  }
  std::string query = fmt::format("?older_than_seconds={:.0f}", seconds);
  if (in.Has("project")) query += "&project=" + PercentEncode(in.project());
  GYRE_DO(in.Confirm("end what is in the trash, for good", "trash"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Post("/api/v1/trash/empty" + query, Json::Obj()));
  Output& out = in.out();
  if (out.json()) out.Document(gone, "");
  out.Done(fmt::format("ended {} things ({}); gyre gc gives their space back",
                       GroupDigits(gone["items"].AsInt()), HumanBytes(gone["bytes"].AsInt())));
  return 0;
}

Result<int> Space(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json space, session->Get("/api/v1/maintenance/space"));
  Output& out = in.out();
  out.Table({{"PART", "part"},
             {"NOUN", "noun"},
             {"PROJECT", "project"},
             {"FILES", "files", Format::kCount},
             {"SIZE", "bytes", Format::kBytes}},
            space["parts"], "part");
  std::int64_t trash = 0, unreferenced = 0;
  for (const Json& part : space["parts"].items()) {
    if (part["part"].AsString() == "trash") trash += part["bytes"].AsInt();
    if (part["part"].AsString() == "unreferenced") unreferenced += part["bytes"].AsInt();
  }
  out.Note(fmt::format("{} in all; gyre gc frees up to {}, after gyre trash empty {} more",
                       HumanBytes(space["bytes"].AsInt()), HumanBytes(unreferenced),
                       HumanBytes(trash)));
  return 0;
}

constexpr Positional kNoun[] = {{"NOUN", "only datasets, models, endpoints, ...", false}};
constexpr Positional kThing[] = {{"NOUN", "dataset, model, endpoint, ..."},
                                 {"NAME", "as it was called: sales, or sales:v3"}};
constexpr Option kTrashOptions[] = {{"-n,--limit", "N", "things at most", "100"}};
constexpr Option kUndeleteOptions[] = {{"--as", "NAME", "when its own name is taken"}};
constexpr Option kEmptyOptions[] = {
    {"--older-than", "TIME", "only what was removed longer ago: 7d"}};
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
    {"space",
     "Where the bytes of the data directory are, by what needs them",
     "gyre space\ngyre space -o json",
     {},
     {},
     Space},
    {"trash ls", "What was removed and can be put back", "gyre trash\ngyre trash ls models", kNoun,
     kTrashOptions, ListTrash},
    {"trash empty",
     "End what is in the trash, for good",
     "gyre trash empty --older-than 7d --yes",
     {},
     kEmptyOptions,
     EmptyTrash},
    {"undelete", "Put back what was removed",
     "gyre undelete dataset sales\ngyre undelete model churn:v3\n"
     "gyre undelete endpoint churn --as churn-old",
     kThing, kUndeleteOptions, Undelete},
};

}  // namespace

std::span<const Command> MaintenanceCommands() { return kCommands; }

}  // namespace gyre::cli
