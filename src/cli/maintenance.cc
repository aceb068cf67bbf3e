// gyre gc, fsck, space, trash, undelete: keeping the data directory small and sound, and what was
// removed.
#include <set>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/transfer.h"
#include "platform/backup/reader.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;

Result<int> Collect(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json result, session->Post("/api/v1/maintenance/gc?grace_hours=" +
                                                PercentEncode(in.Get("grace-hours")),
                                            Json::Obj()));
  Output& out = in.out();
  if (out.json()) out.Document(result, "");
  out.Done(fmt::format(
      "ended {} things of the trash and {} runs that clients had deleted; removed {} blobs ({}), "
      "kept {}; forgot {} events, {} notices, "
      "{} queries, {} jobs, {} firings, {} windows and {} pipeline runs",
      GroupDigits(result["trash_removed"].AsInt()),
      GroupDigits(result["deleted_runs_removed"].AsInt()),
      GroupDigits(result["blobs_removed"].AsInt()), HumanBytes(result["bytes_removed"].AsInt()),
      GroupDigits(result["blobs_kept"].AsInt()), GroupDigits(result["events_removed"].AsInt()),
      GroupDigits(result["notices_removed"].AsInt()),
      GroupDigits(result["queries_removed"].AsInt()), GroupDigits(result["jobs_removed"].AsInt()),
      GroupDigits(result["firings_removed"].AsInt()),
      GroupDigits(result["windows_removed"].AsInt()),
      GroupDigits(result["pipeline_runs_removed"].AsInt())));
  return 0;
}

// Sends those of the blobs in a backup that are asked for, each when all of it has come and is what
// its name says.
class Retriever : public backup::PartSink {
 public:
  Retriever(Session& session, Output& out, std::string folder, std::set<std::string> wanted)
      : session_(session), out_(out), folder_(std::move(folder)), wanted_(std::move(wanted)) {}
  ~Retriever() override {
    file_.reset();
    static_cast<void>(exec::RemoveTree(folder_).has_value());
  }

  Result<> Begin(const backup::Part& part) override {
    if (part.kind != backup::PartKind::kBlob || !wanted_.contains(part.name)) return {};
    GYRE_TRY(file_, OpenFile(folder_ + "/" + part.name, "w"));
    return {};
  }
  Result<> Data(std::string_view bytes) override {
    if (!file_ || std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size())
      return {};
    return SystemError("writing to " + folder_, errno);
  }
  Result<> End(const backup::Part& part, std::int64_t /*size*/) override {
    if (!file_) return {};
    const std::string path = folder_ + "/" + part.name;
    if (std::fclose(file_.release()) != 0) return SystemError("writing " + path, errno);
    const auto sent = session_.Upload("/api/v1/maintenance/blobs/" + part.name, path, out_);
    // Sound meanwhile: somebody has stored the same bytes again.
    if (!sent && sent.error().code() != Code::kAlreadyExists) return sent.error();
    restored_.insert(part.name);
    return exec::RemoveTree(path);
  }
  const std::set<std::string>& restored() const { return restored_; }

 private:
  Session& session_;
  Output& out_;
  const std::string folder_;
  const std::set<std::string> wanted_;
  std::set<std::string> restored_;
  File file_;  // of the blob that is coming, when it is asked for
};

// Takes what is damaged out of a backup, and off the list of what is wrong.
Result<> TakeFrom(Invocation& in, const std::string& file, Json& result) {
  std::set<std::string> wanted;
  for (const Json& one : result["damaged"].items()) wanted.insert(one["digest"].AsString());
  if (wanted.empty()) return {};
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(std::string folder, exec::MakeTemporaryDirectory());
  Retriever retriever(*session, in.out(), std::move(folder), std::move(wanted));
  backup::BackupReader reader(retriever);
  const auto read = backup::ReadBackup(file, reader);
  if (!read && read.error().code() != Code::kDataLoss) return read.error();
  std::set<std::string> solved;
  Json damaged = Json::Arr(), problems = Json::Arr(), repaired = result["repaired"];
  for (const Json& one : result["damaged"].items()) {
    const std::string& digest = one["digest"].AsString();
    if (!retriever.restored().contains(digest)) {
      damaged.Push(one);
      continue;
    }
    solved.insert(one["problem"].AsString());
    repaired.Push(fmt::format("blob {} came out of {}", digest, file));
  }
  for (const Json& problem : result["problems"].items()) {
    if (!solved.contains(problem.AsString())) problems.Push(problem);
  }
  // A backup that is itself damaged has given what it could.
  if (!read) problems.Push(fmt::format("{}: {}", file, read.error().message()));
  result.Set("sound", problems.size() == 0)
      .Set("repaired", std::move(repaired))
      .Set("problems", std::move(problems))
      .Set("damaged", std::move(damaged));
  return {};
}

Result<> CheckRepairOptions(const Invocation& in) {
  const std::string from = in.Get("from");
  if (from.empty()) return {};
  if (!in.Has("repair"))
    return InvalidArgument("GY4075",
                           "--from says what to repair with, but nothing is to be repaired")
        .Fix("gyre fsck --repair --from " + ShellWord(from));
  // Before the work begins, which would be in vain.
  GYRE_TRY(const File there, OpenFile(from, "r"));
  return {};
}

void ShowUnsound(Invocation& in, Session& session, const Json& result) {
  Output& out = in.out();
  for (const Json& problem : result["problems"].items()) out.Warn(problem.AsString());
  if (!result["database_sound"].AsBool()) {
    out.Note(fmt::format("  {}: gyre restore BACKUP --data NEW",
                         in.Has("repair")
                             ? "--repair cannot mend the database, and a backup is the way back"
                             : "the database is damaged; --repair mends what only indexes have "
                               "lost, for the rest a backup is the way back"));
  }
  if (result["damaged"].size() == 0) return;
  if (!in.Has("repair")) return out.Hint(session.Repeatable("gyre fsck --repair --from BACKUP"));
  out.Note(fmt::format(
      "  blobs lost until a backup brings them: {}. Another backup (--from) may have them; adding "
      "the same file again heals a dataset",
      result["damaged"].size()));
}

Result<int> Check(Invocation& in) {
  GYRE_DO(CheckRepairOptions(in));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job,
           session->Post(fmt::format("/api/v1/maintenance/{}?quick={}",
                                     in.Has("repair") ? "repair" : "fsck", in.Has("quick") ? 1 : 0),
                         Json::Obj()));
  GYRE_TRY(const Json ended, session->WaitJob(job, in.out()));
  Json result = ended["result"];
  if (!in.Get("from").empty()) GYRE_DO(TakeFrom(in, in.Get("from"), result));
  Output& out = in.out();
  if (out.json()) out.Document(result, "");
  for (const Json& done : result["repaired"].items()) out.Done(done.AsString());
  if (!result["sound"].AsBool()) {
    ShowUnsound(in, *session, result);
    return kFindingsExit;
  }
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

// The newest of that name, or the one of that number. Users are of no project, and a project is its
// own.
Result<Json> FindInTrash(Invocation& in, const std::string& noun) {
  GYRE_TRY(Session* const session, in.session());
  const std::string name = in.Get("NAME");
  std::string query = fmt::format("/api/v1/trash?noun={}&name={}&limit=100", PercentEncode(noun),
                                  PercentEncode(name));
  if (noun != "user") query += "&project=" + PercentEncode(noun == "project" ? name : in.project());
  GYRE_TRY(const Json found, session->Get(query));
  std::int64_t number = 0;
  if (in.Has("number")) {
    GYRE_TRY(number, in.GetInt("number"));
  }
  for (const Json& item : found["items"].items())
    if (number == 0 || item["number"].AsInt() == number) return item;
  return NotFound("GY5002", "there is no {} `{}` in the trash", noun, name).Fix("gyre trash ls");
}

Result<int> Undelete(Invocation& in) {
  const std::string noun = Singular(in.Get("NOUN"));
  GYRE_TRY(const Json found, FindInTrash(in, noun));
  Json body = Json::Obj();
  if (in.Has("as")) body.Set("as", in.Get("as"));
  const bool inside = noun != "user" && noun != "project";
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json item,
           session->Post(fmt::format("/api/v1{}/trash/{}/restore",
                                     inside ? "/projects/" + PercentEncode(in.project()) : "",
                                     found["number"].AsInt()),
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
  if (in.Has("NOUN")) query += "&noun=" + PercentEncode(Singular(in.Get("NOUN")));
  if (in.Has("NAME")) query += "&name=" + PercentEncode(in.Get("NAME"));
  GYRE_DO(in.Confirm("end what is in the trash, for good", "trash"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Post("/api/v1/trash/empty" + query, Json::Obj()));
  Output& out = in.out();
  if (out.json()) out.Document(gone, "");
  out.Done(fmt::format("ended {} things ({}); gyre gc gives their space back",
                       GroupDigits(gone["items"].AsInt()), HumanBytes(gone["bytes"].AsInt())));
  return 0;
}

std::string KeptText(const Json& item) {
  if (item["kept_seconds"].is_null())
    return item["setting"].AsString().starts_with("gyre captures") ? "by endpoint" : "for ever";
  const std::int64_t seconds = item["kept_seconds"].AsInt();
  constexpr std::int64_t kDay = 86'400;
  return seconds % kDay == 0 ? fmt::format("{} days", seconds / kDay)
                             : HumanSeconds(static_cast<double>(seconds));
}

Result<int> Retention(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/maintenance/retention"));
  Json rows = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json row = item;
    row.Set("kept", KeptText(item));
    rows.Push(std::move(row));
  }
  in.out().Table({{"NOUN", "noun"},
                  {"KEPT", "kept"},
                  {"HELD", "held", Format::kCount},
                  {"OLDEST", "oldest", Format::kTime},
                  {"NEXT RUN", "next_run", Format::kTime},
                  {"SAID BY", "setting"}},
                 in.out().json() ? answer["items"] : rows, "noun");
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
constexpr Positional kEnded[] = {{"NOUN", "only datasets, models, runs, ...", false},
                                 {"NAME", "only what was called so", false}};
constexpr Positional kThing[] = {{"NOUN", "dataset, model, endpoint, ..."},
                                 {"NAME", "as it was called: sales, or sales:v3"}};
constexpr Option kTrashOptions[] = {{"-n,--limit", "N", "things at most", "100"}};
constexpr Option kUndeleteOptions[] = {
    {"--as", "NAME", "when its own name is taken"},
    {"--number", "N", "an older one of that name: gyre trash -o wide shows the numbers"}};
constexpr Option kEmptyOptions[] = {
    {"--older-than", "TIME", "only what was removed longer ago: 7d"}};
constexpr Option kCollectOptions[] = {
    {"--grace-hours", "N", "younger blobs stay, whoever needs them", "24"}};
constexpr Option kCheckOptions[] = {
    {"--quick", "", "only that every blob is there; contents are not read"},
    {"--repair", "",
     "make anew what follows from the rest; what is replaced is kept in the data directory's "
     "quarantine/"},
    {"--from",
     "BACKUP",
     "with --repair: take what is damaged or missing out of this backup",
     {},
     false,
     "file"}};
constexpr Command kCommands[] = {
    {"gc",
     "remove blobs that nothing refers to, and old events, queries, firings and pipeline runs",
     "gyre gc\ngyre gc --grace-hours 0",
     {},
     kCollectOptions,
     Collect},
    {"fsck",
     "check the database and every byte of what is stored (exit 5 when something is damaged)",
     "gyre fsck\ngyre fsck --quick\ngyre fsck --repair --from monday.gyre",
     {},
     kCheckOptions,
     Check,
     false,
     true},
    {"retention",
     "What is kept for how long, how much of it there is, and when what is older goes",
     "gyre retention\ngyre retention -o json",
     {},
     {},
     Retention},
    {"space",
     "Where the bytes of the data directory are, by what needs them",
     "gyre space\ngyre space -o json",
     {},
     {},
     Space},
    {"trash ls", "What was removed and can be put back", "gyre trash\ngyre trash ls models", kNoun,
     kTrashOptions, ListTrash},
    {"trash empty", "End what is in the trash, for good",
     "gyre trash empty --older-than 7d --yes\ngyre trash empty run 3f2a91c0 --yes", kEnded,
     kEmptyOptions, EmptyTrash},
    {"undelete", "Put back what was removed",
     "gyre undelete dataset sales\ngyre undelete model churn:v3\n"
     "gyre undelete endpoint churn --as churn-old\ngyre undelete project churn",
     kThing, kUndeleteOptions, Undelete},
};

}  // namespace

std::span<const Command> MaintenanceCommands() { return kCommands; }

}  // namespace gyre::cli
