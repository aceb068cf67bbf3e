// gyre models: versions, aliases, approvals, history, cards.
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "cli/tag_options.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;

// [project/]name[:vN|@alias], taken apart; the server checks the parts.
struct ModelName {
  std::string project, model, version;  // version: "v3", an alias, or ""
};
ModelName Parse(const Invocation& in, std::string_view text) {
  ModelName name{in.project(), {}, {}};
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    name.project = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  const std::size_t mark = text.find_first_of(":@");
  name.model = text.substr(0, mark);
  if (mark != std::string_view::npos) name.version = text.substr(mark + 1);
  return name;
}
std::string ModelPath(const ModelName& name) {
  return fmt::format("/api/v1/projects/{}/models/{}", PercentEncode(name.project),
                     PercentEncode(name.model));
}

// Without a version: the champion, else the newest.
Result<std::string> VersionPath(Session& session, const ModelName& name) {
  std::string version = name.version;
  if (version.empty()) {
    GYRE_TRY(const Json model, session.Get(ModelPath(name)));
    version = model["aliases"]["champion"].is_null() ? "latest" : "champion";
  }
  return fmt::format("{}/versions/{}", ModelPath(name), PercentEncode(version));
}

// What a passing or failing gate said, one line per reason.
std::string Reasons(const Json& verdict, const Output& out) {
  std::string text;
  for (const Json& reason : verdict["reasons"].items()) {
    text += fmt::format("  {} {}   {}\n", out.Mark(reason["pass"].AsBool() ? "ok" : "fail"),
                        reason["rule"].AsString(), reason["text"].AsString());
  }
  return text;
}

std::string Aliases(const Json& aliases) {
  std::string text;
  for (const auto& [alias, version] : aliases.members())
    text += fmt::format("{}@{} {}", text.empty() ? "" : ", ", alias, version.AsString());
  for (const Json& alias : aliases.items())
    text += fmt::format("{}@{}", text.empty() ? "" : ", ", alias.AsString());
  return text;
}

std::string MetricText(const Json& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics.members()) {
    if (text.size() > 60) break;
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", name, value.AsDouble());
  }
  return text;
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string path = fmt::format("/api/v1/projects/{}/models", PercentEncode(in.project()));
  Json rows = Json::Arr();
  std::string page;
  do {
    GYRE_TRY(const Json answer,
             session->Get(path + "?limit=1000" +
                          (page.empty() ? "" : "&page_token=" + PercentEncode(page))));
    for (const Json& item : answer["items"].items()) {
      Json row = item;
      if (!in.out().json()) row.Set("aliases", Aliases(item["aliases"]));
      rows.Push(std::move(row));
    }
    page = answer["next_page_token"].AsString();
  } while (!page.empty());
  in.out().Table({{"NAME", "name"},
                  {"LATEST", "latest"},
                  {"VERSIONS", "versions", Format::kCount},
                  {"ALIASES", "aliases"},
                  {"BY", "created_by"},
                  {"CREATED", "created_at", Format::kTime}},
                 rows);
  if (rows.size() == 0) in.out().Hint("gyre train DATASET --target COLUMN");
  return 0;
}

// Data that is gone has no name any more.
std::string DataText(const Json& use) {
  const std::string& role = use["role"].AsString();
  if (!use.Has("name")) return fmt::format("{} ({}, removed)", use["id"].AsString(), role);
  return fmt::format("{} ({})   content {}", use["name"].AsString(), role,
                     use["content_hash"].AsString().substr(0, 12));
}

// "X tensor(float) [N, 4]", of what a file that gyre keeps says of itself.
std::string ValuesText(const Json& values) {
  std::string text;
  for (const Json& value : values.items()) {
    std::string shape;
    for (const Json& size : value["shape"].items()) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ", ",
                           size.is_null()     ? "?"
                           : size.is_string() ? size.AsString()
                                              : fmt::format("{}", size.AsInt()));
    }
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", value["name"].AsString(),
                        value["type"].AsString(),
                        value["shape"].is_array() ? fmt::format(" [{}]", shape) : "");
  }
  return text;
}

std::string Texts(const Json& list) {
  std::string text;
  for (const Json& one : list.items())
    text += fmt::format("{}{}", text.empty() ? "" : ", ", one.AsString());
  return text;
}

std::string TagText(const Json& tags) {
  constexpr std::size_t kShown = 60;
  std::string text;
  for (const auto& [key, value] : tags.members()) {
    const std::string& whole = value.AsString();
    const std::string shown =
        whole.size() > kShown ? fmt::format("({} bytes)", whole.size()) : whole;
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, shown);
  }
  return text;
}

bool HasPackage(const Json& version) { return !version["package"]["digest"].AsString().empty(); }

std::string TaskText(const Json& version) {
  const std::string& learner = version["learner"].AsString();
  if (!HasPackage(version))
    return fmt::format("logged by a client as {}; gyre does not run it",
                       version["flavors"].size() == 0 ? "files" : Texts(version["flavors"]));
  if (version["task"].AsString().empty()) return fmt::format("{} file, kept and not run", learner);
  return fmt::format("{} of {}, {}", version["task"].AsString(), version["target"].AsString(),
                     learner);
}

// "label      value", without what is empty.
struct Lines {
  std::string text = {};
  void operator()(std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<10} {}\n", label, value);
  }
};

// One that has no version yet.
int ShowModel(const Json& model, Output& out) {
  Lines line;
  line("model", model["name"].AsString());
  if (model["title"].AsString() != model["name"].AsString())
    line("title", model["title"].AsString());
  line("versions", "none yet");
  line("tags", TagText(model["tags"]));
  line("about", model["description"].AsString());
  line("created",
       fmt::format("{} by {}", model["created_at"].AsString(), model["created_by"].AsString()));
  out.Document(model, line.text);
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const ModelName name = Parse(in, in.Get("MODEL"));
  Output& out = in.out();
  if (name.version.empty()) {
    GYRE_TRY(const Json model, session->Get(ModelPath(name)));
    if (model["versions"].AsInt() == 0) return ShowModel(model, out);
  }
  GYRE_TRY(const std::string path, VersionPath(*session, name));
  GYRE_TRY(const Json version, session->Get(path));
  Lines line;
  line("model", version["name"].AsString());
  if (const std::string& title = version["title"].AsString(); title != version["model"].AsString())
    line("title", title);
  line("aliases", Aliases(version["aliases"]));
  if (version["stage"].AsString() != "none") line("stage", version["stage"].AsString());
  line("task", TaskText(version));
  // What gyre runs has columns: `gyre models card` lists them.
  if (version["signature"]["outputs"].is_array()) {
    line("inputs", ValuesText(version["signature"]["inputs"]));
    line("outputs", ValuesText(version["signature"]["outputs"]));
  }
  line("positive", version["positive"].AsString());
  line("metrics", MetricText(version["metrics"]));
  line("run", version["run"].AsString());
  for (const Json& use : version["datasets"].items()) line("data", DataText(use));
  if (HasPackage(version)) {
    line("package", fmt::format("{} ({})", version["package"]["digest"].AsString().substr(0, 12),
                                HumanBytes(version["package"]["size_bytes"].AsInt())));
  }
  line("source", version["source"].AsString());
  line("run link", version["run_link"].AsString());
  line("tags", TagText(version["tags"]));
  line("notes", version["notes"].AsString());
  line("created",
       fmt::format("{} by {}", version["created_at"].AsString(), version["created_by"].AsString()));
  for (const Json& goal : version["goals"].items()) {
    line("goal", fmt::format("{} {}   {}",
                             out.Mark(goal["met"].is_null()  ? "dot"
                                      : goal["met"].AsBool() ? "ok"
                                                             : "fail"),
                             goal["kpi"].AsString(), goal["text"].AsString()));
  }
  if (version["verdict"].is_object()) line.text += "gate\n" + Reasons(version["verdict"], out);
  out.Document(version, line.text);
  return 0;
}

Result<int> Create(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(Json tags, TagsToSet(in));
  GYRE_TRY(const Json model,
           session->Post(fmt::format("/api/v1/projects/{}/models", PercentEncode(in.project())),
                         Json::Obj({{"title", in.Get("NAME")},
                                    {"description", in.Get("description")},
                                    {"tags", std::move(tags)}})));
  in.out().Document(model,
                    fmt::format("{} model {}\n", in.out().Mark("ok"), model["name"].AsString()));
  return 0;
}

Result<int> Edit(Invocation& in) {
  const ModelName name = Parse(in, in.Get("MODEL"));
  const bool whole = name.version.empty();
  GYRE_TRY(Json tags, TagsToSet(in));
  Json change = Json::Obj();
  if (!tags.members().empty()) change.Set("tags", std::move(tags));
  if (in.Has("description")) change.Set("description", in.Get("description"));
  if (in.Has("rename")) change.Set("title", in.Get("rename"));
  if (in.Has("stage")) change.Set("stage", in.Get("stage"));
  if (change.members().empty())
    return InvalidArgument("GY4038", "what is to change of {}?", in.Get("MODEL"))
        .Fix(fmt::format("gyre models edit {} --tag team=crm", in.Get("MODEL")));
  if (whole ? in.Has("stage") : in.Has("rename"))
    return InvalidArgument("GY4038", "{}",
                           whole ? "a stage is one of a version, not of a model"
                                 : "a model is renamed, not one of its versions")
        .Fix(whole ? fmt::format("gyre models edit {}:v1 --stage production", name.model)
                   : fmt::format("gyre models edit {} --rename NAME", name.model));
  GYRE_TRY(Session* const session, in.session());
  std::string path = ModelPath(name);
  if (!whole) path += "/versions/" + PercentEncode(name.version);
  GYRE_TRY(const Json changed, session->Patch(path, change));
  in.out().Document(
      changed, fmt::format("{} changed {}\n", in.out().Mark("ok"), changed["name"].AsString()));
  return 0;
}

Result<int> Versions(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(ModelPath(Parse(in, in.Get("MODEL"))) + "/versions"));
  Json rows = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json row = item;
    if (!in.out().json()) {
      row.Set("aliases", Aliases(item["aliases"]));
      row.Set("metrics", MetricText(item["metrics"]));
    }
    rows.Push(std::move(row));
  }
  in.out().Table({{"NAME", "name"},
                  {"ALIASES", "aliases"},
                  {"LEARNER", "learner"},
                  {"METRICS", "metrics"},
                  {"BY", "created_by"},
                  {"CREATED", "created_at", Format::kTime},
                  {"RUN", "run", Format::kText, true}},
                 rows);
  return 0;
}

Result<int> Promote(Invocation& in) {
  const ModelName name = Parse(in, in.Get("MODEL"));
  const std::string alias = in.Get("alias");
  if (name.version.empty()) {
    return InvalidArgument("GY4037", "which version of {}?", name.model)
        .Fix(fmt::format("gyre models promote {}:v2", name.model));
  }
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, VersionPath(*session, name));
  GYRE_TRY(const Json version, session->Get(path));
  const Json body = Json::Obj({{"version", version["version"]},
                               {"reason", in.Get("reason")},
                               {"override", in.Has("override")}});
  auto moved =
      session->Put(fmt::format("{}/aliases/{}", ModelPath(name), PercentEncode(alias)), body);
  Output& out = in.out();
  if (!moved && (moved.error().gy() == "GY3605" || moved.error().gy() == "GY3606")) {
    out.Warn(moved.error().message());
    if (!moved.error().why().empty()) out.Note("  why: " + moved.error().why());
    for (const std::string& fix : moved.error().fixes()) out.Note("  fix: " + fix);
    return 5;
  }
  if (!moved) return std::move(moved).error();
  const Json& move = *moved;
  if (!move["moved"].AsBool()) {
    out.Document(move,
                 fmt::format("{} {} is @{} already, since {}: nothing was moved\n", out.Mark("ok"),
                             version["name"].AsString(), alias, move["moved_at"].AsString()));
    return 0;
  }
  out.Document(move,
               fmt::format("{} {} {} @{}   {}{}\n", out.Mark("ok"), version["name"].AsString(),
                           out.Mark("arrow"), alias, move["basis"].AsString(),
                           move["previous"].is_null()
                               ? ""
                               : fmt::format(", before {}", move["previous"].AsString())));
  return 0;
}

Result<int> Retire(Invocation& in) {
  const ModelName name = Parse(in, in.Get("MODEL"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json move, session->Delete(fmt::format("{}/aliases/{}?reason={}", ModelPath(name),
                                                        PercentEncode(in.Get("alias")),
                                                        PercentEncode(in.Get("reason")))));
  in.out().Document(move, fmt::format("{} {} has no @{} now, before {}\n", in.out().Mark("ok"),
                                      name.model, in.Get("alias"), move["previous"].AsString()));
  return 0;
}

Result<int> History(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const ModelName name = Parse(in, in.Get("MODEL"));
  std::string path = fmt::format("{}/history?limit=1000", ModelPath(name));
  if (in.Has("alias")) path += "&alias=" + PercentEncode(in.Get("alias"));
  Output& out = in.out();
  if (in.Has("at")) {
    GYRE_TRY(const Json holder, session->Get(path + "&at=" + PercentEncode(in.Get("at"))));
    out.Document(
        holder, holder["version"].is_null()
                    ? fmt::format("at {} no version was @{}\n", holder["at"].AsString(),
                                  holder["alias"].AsString())
                    : fmt::format("at {} {}:{} was @{}   since {}, {}\n", holder["at"].AsString(),
                                  name.model, holder["version"].AsString(),
                                  holder["alias"].AsString(), holder["move"]["moved_at"].AsString(),
                                  holder["move"]["basis"].AsString()));
    return 0;
  }
  GYRE_TRY(const Json answer, session->Get(path));
  out.Table({{"MOVED", "moved_at", Format::kTime},
             {"ALIAS", "alias"},
             {"FROM", "previous"},
             {"TO", "version"},
             {"BASIS", "basis"},
             {"BY", "by"},
             {"REASON", "reason"}},
            answer["items"], "sequence");
  return 0;
}

Result<int> Card(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, VersionPath(*session, Parse(in, in.Get("MODEL"))));
  if (!in.out().json()) {
    GYRE_DO(session->Download(path + "/card?format=markdown", "-", in.out()));
    return 0;
  }
  GYRE_TRY(const Json card, session->Get(path + "/card"));
  in.out().Document(card, "");
  return 0;
}

Result<int> Approve(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string path, VersionPath(*session, Parse(in, in.Get("MODEL"))));
  const bool approved = !in.Has("reject");
  GYRE_TRY(const Json approval,
           session->Post(path + "/approvals",
                         Json::Obj({{"approved", approved}, {"comment", in.Get("comment")}})));
  in.out().Document(
      approval, fmt::format("{} {} by {}\n", in.out().Mark("ok"),
                            approved ? "approved" : "rejected", approval["approver"].AsString()));
  return 0;
}

Result<int> Remove(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const ModelName name = Parse(in, in.Get("MODEL"));
  GYRE_DO(in.Confirm(name.version.empty()
                         ? fmt::format("remove {} with all its versions", in.Get("MODEL"))
                         : "remove " + in.Get("MODEL"),
                     in.Get("MODEL")));
  const std::string path = name.version.empty() ? ModelPath(name)
                                                : fmt::format("{}/versions/{}", ModelPath(name),
                                                              PercentEncode(name.version));
  GYRE_TRY(const Json gone, session->Delete(path + (in.Has("force") ? "?force=true" : "")));
  SayRemoved(in.out(), "model " + in.Get("MODEL"), gone);
  return 0;
}

std::string OrElse(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

Result<int> Policy(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const ModelName name = Parse(in, in.Get("MODEL"));
  const std::string path =
      fmt::format("{}/policies/{}", ModelPath(name), PercentEncode(in.Get("alias")));
  GYRE_TRY(Json policy, session->Get(path));
  if (in.Has("approvals") || in.Has("not-by-author") || in.Has("rules") || in.Has("metric") ||
      in.Has("on")) {
    if (in.Has("approvals")) {
      GYRE_TRY(const std::int64_t approvals, in.GetInt("approvals"));
      policy.Set("approvals_min", approvals);
    }
    if (in.Has("not-by-author")) policy.Set("author_may_approve", false);
    if (in.Has("rules")) {
      GYRE_TRY(Json rules, Json::Parse(in.Get("rules")));
      policy.Set("rules", std::move(rules));
    }
    if (in.Has("metric")) policy.Set("metric", in.Get("metric"));
    if (in.Has("on")) policy.Set("dataset", in.Get("on"));
    GYRE_TRY(policy, session->Put(path, policy));
  }
  in.out().Document(
      policy,
      fmt::format("@{} of {}\napprovals  {}{}\nrules      {}\nmetric     {}\nrows       {}\n",
                  in.Get("alias"), name.model, policy["approvals_min"].AsInt(),
                  policy["author_may_approve"].AsBool() ? "" : ", not by the author",
                  policy["rules"].is_null() ? "the default" : policy["rules"].Dump(),
                  OrElse(policy["metric"].AsString(), "the task's own"),
                  OrElse(policy["dataset"].AsString(), "those that training held out")));
  return 0;
}

constexpr Positional kModel[] = {{"MODEL", "name, name:vN or name@alias", true, false, "models"}};
constexpr Option kPromote[] = {
    {"--alias", "NAME", "the alias to move", "champion"},
    {"--override", "", "move it although the gate did not say yes"},
    {"--reason", "TEXT", "why; an override needs one"},
};
constexpr Option kRetire[] = {{"--alias", "NAME", "the alias to take away", "champion"},
                              {"--reason", "TEXT", "why"}};
constexpr Option kHistory[] = {
    {"--at", "TIME", "who held the alias at that time: 2026-11-21T08:00:00Z"},
    {"--alias", "NAME", "only this alias"}};
constexpr Option kApprove[] = {{"--reject", "", "say no instead"}, {"--comment", "TEXT", "why"}};
constexpr Option kPolicy[] = {
    {"--alias", "NAME", "whose policy", "champion"},
    {"--approvals", "N", "how many people must approve"},
    {"--not-by-author", "", "the author's own approval does not count"},
    {"--rules", "JSON", "rules of the gate, a list"},
    {"--metric", "NAME", "that its comparisons go by; \"\": the task's own"},
    {"--on",
     "DATASET",
     "rows it judges on; \"\": those that training held out",
     {},
     false,
     "datasets"},
};
constexpr Positional kName[] = {{"NAME", "what people call it"}};
constexpr Option kCreate[] = {
    {"--description", "TEXT", "what it is for"},
    {"--tag", "KEY=VALUE", "kept with the model; repeat it for more", {}, true}};
constexpr Option kEdit[] = {
    {"--description", "TEXT", "what it is for; of a version its notes"},
    kSetTag,
    kUntag,
    {"--rename", "NAME", "of a model: another name; the one it had goes on finding it"},
    {"--stage", "STAGE", "of a version: none, staging, production or archived"}};
constexpr Option kForced[] = {kForce};
constexpr Command kCommands[] = {
    {"models ls",
     "every registered model with its aliases",
     "gyre models\ngyre models -o json",
     {},
     {},
     List},
    {"models show",
     "one version: what it was made from, how good it is, what the gate said",
     "gyre models show churn\ngyre models show churn:v2",
     kModel,
     {},
     Show},
    {"models versions",
     "the versions of a model",
     "gyre models versions churn",
     kModel,
     {},
     Versions},
    {"models create", "make a model that has no version yet",
     "gyre models create 'Customer churn' --tag team=crm", kName, kCreate, Create},
    {"models edit", "describe, tag or rename a model; describe, tag or stage a version",
     "gyre models edit churn --rename attrition\ngyre models edit churn:v2 --tag checked=yes "
     "--stage production",
     kModel, kEdit, Edit},
    {"models promote", "move an alias to a version; exit code 5 when the gate says no",
     "gyre models promote churn:v2\ngyre models promote churn:v2 --override --reason 'hotfix, see "
     "ticket 12'",
     kModel, kPromote, Promote},
    {"models retire", "take an alias away", "gyre models retire churn --reason 'replaced by rules'",
     kModel, kRetire, Retire},
    {"models history", "who was champion, and when",
     "gyre models history churn\ngyre models history churn --at 2026-11-21T08:00:00Z", kModel,
     kHistory, History},
    {"models card",
     "the model card as Markdown, or JSON with -o json",
     "gyre models card churn > churn.md",
     kModel,
     {},
     Card},
    {"models approve", "approve or reject a version",
     "gyre models approve churn:v2 --comment 'checked the slices'", kModel, kApprove, Approve},
    {"models policy", "what an alias asks for: approvals, the rules, metric and rows of its gate",
     "gyre models policy churn\ngyre models policy churn --approvals 1 --not-by-author", kModel,
     kPolicy, Policy},
    {"models rm",
     "remove a model or a version that no alias and no endpoint uses; gyre undelete brings it back",
     "gyre models rm churn:v1 --yes\ngyre models rm churn --dry-run", kModel, kForced, Remove},
};

}  // namespace

std::span<const Command> ModelsCommands() { return kCommands; }

}  // namespace gyre::cli
