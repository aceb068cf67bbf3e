// gyre deploy, gyre endpoints: from a registered model to answers.
#include <cmath>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/model_name.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

std::string EndpointsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/endpoints";
}
std::string EndpointPath(const Invocation& in, std::string_view name) {
  return EndpointsPath(in) + "/" + PercentEncode(name);
}

// What rows that taught the model hold in a column: the middle of the numbers, the most frequent of
// the rest. Null, which every column takes, when that is not known or too long to paste.
Json UsualValue(const Json& profile, const Json& column) {
  constexpr std::size_t kShownBytes = 60;
  const std::string& type = column["type"].AsString();
  for (const Json& known : profile["columns"].items()) {
    if (known["name"] != column["name"]) continue;
    const Json& middle = known["quantiles"]["0.5"];
    if (type == "int" && middle.is_number()) return std::llround(middle.AsDouble());
    if (type != "text" && type != "bool") return middle;
    if (known["top"].size() == 0) return nullptr;
    const std::string& most = known["top"].items()[0]["value"].AsString();
    if (type == "bool") return most == "true";
    return most.size() <= kShownBytes ? Json(most) : Json();
  }
  return nullptr;
}

// A request that works when it is pasted: real values of the first columns.
std::string ExampleRow(const Json& columns, const Json& profile) {
  constexpr std::size_t kShown = 3;
  Json row = Json::Obj();
  for (const Json& column : columns.items()) {
    if (row.size() == kShown) break;
    row.Set(column["name"].AsString(), UsualValue(profile, column));
  }
  return Json::Obj({{"inputs", Json::Arr({std::move(row)})}}).Dump();
}

// The profile of the rows that taught a version ("churn:v3"); null when none is kept.
Json TrainingProfile(const Invocation& in, Session& session, const std::string& version) {
  const auto reference = session.Get(
      fmt::format("/api/v1/projects/{}/models/{}/versions/{}/reference",
                  PercentEncode(in.project()), PercentEncode(NameModel(in, version).model),
                  PercentEncode(version.substr(version.rfind(':') + 1))));
  return reference ? (*reference)["profile"] : Json();
}

Result<> Announce(Invocation& in, Session& session, const Json& endpoint, std::string_view what) {
  Output& out = in.out();
  if (out.json()) {
    out.Document(endpoint, "");
    return {};
  }
  const std::string& name = endpoint["name"].AsString();
  out.Done(fmt::format("endpoint {} {}   {}", name, what, endpoint["model"].AsString()));
  const auto signature = session.Get("/e/" + PercentEncode(name));
  if (signature && !session.url().empty()) {
    const Json profile = TrainingProfile(in, session, endpoint["model"].AsString());
    out.Print(fmt::format("  try: curl -d {} {}/e/{}\n",
                          ShellWord(ExampleRow((*signature)["columns"], profile)), session.url(),
                          name));
  }
  return {};
}

Result<int> Deploy(Invocation& in) {
  const std::string reference = in.Get("MODEL");
  const std::string name = in.Has("name") ? in.Get("name") : NameModel(in, reference).model;
  GYRE_TRY(Session * session, in.session());
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  GYRE_TRY(session, in.session());
  if (in.dry_run()) GYRE_DO(CheckModel(in, *session, in.Get("MODEL")));
  Json body = Json::Obj({{"model", reference}});
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  const auto endpoint = session->Put(EndpointPath(in, name), body);
  if (!endpoint) {
    session->StopStartedServer(in.out());
    return endpoint.error();
  }
  GYRE_DO(Announce(in, *session, *endpoint, "live"));
  return 0;
}

// Without a server the endpoint runs in this command only.
std::string StateOf(const Session& session, const Json& endpoint) {
  if (session.url().empty()) return "not served: no server runs";
  return endpoint["ready"].AsBool() ? "ready" : endpoint["problem"].StringOr("not loaded");
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  Json rows = Json::Arr();
  std::string page;
  do {
    GYRE_TRY(const Json answer,
             session->Get(EndpointsPath(in) + "?limit=1000" +
                          (page.empty() ? "" : "&page_token=" + PercentEncode(page))));
    for (const Json& item : answer["items"].items()) {
      Json row = item;
      row.Set("state", StateOf(*session, item));
      if (session->url().empty()) row.Set("ready", false);
      rows.Push(std::move(row));
    }
    page = answer["next_page_token"].AsString();
  } while (!page.empty());
  in.out().Table({{"NAME", "name"},
                  {"MODEL", "model"},
                  {"FOLLOWS", "follows"},
                  {"STATE", "state"},
                  {"DEPLOYED", "deployment.created", ColumnSpec::Format::kTime},
                  {"BY", "deployment.deployed_by"},
                  {"MEMORY", "memory_bytes", ColumnSpec::Format::kBytes, true}},
                 rows);
  if (rows.size() == 0) in.out().Hint("gyre deploy MODEL@champion");
  if (rows.size() > 0 && session->url().empty()) in.out().Hint("gyre server");
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json endpoint, session->Get(EndpointPath(in, in.Get("ENDPOINT"))));
  Output& out = in.out();
  if (out.json()) {
    out.Document(endpoint, "");
    return 0;
  }
  std::string text = fmt::format("endpoint   {}\nmodel      {}\n", endpoint["name"].AsString(),
                                 endpoint["model"].AsString());
  if (!endpoint["follows"].AsString().empty())
    text += fmt::format("follows    {}\n", endpoint["follows"].AsString());
  text += fmt::format("state      {}\n", StateOf(*session, endpoint));
  if (!session->url().empty())
    text += fmt::format("url        {}{}\n", session->url(), endpoint["path"].AsString());
  const Json& counts = endpoint["counts"];
  text += fmt::format("answered   {} requests, {} rows, {} refused\n",
                      GroupDigits(counts["requests"].AsInt()), GroupDigits(counts["rows"].AsInt()),
                      GroupDigits(counts["failed"].AsInt()));
  out.Print(text + "\n");
  out.Table({{"NUMBER", "number", ColumnSpec::Format::kCount},
             {"MODEL", "model"},
             {"BASIS", "basis"},
             {"BY", "deployed_by"},
             {"DEPLOYED", "created", ColumnSpec::Format::kTime},
             {"REASON", "reason"}},
            endpoint["deployments"], "number");
  return 0;
}

Result<int> Rollback(Invocation& in) {
  Json body = Json::Obj();
  if (in.Has("to")) {
    GYRE_TRY(const std::int64_t to, in.GetInt("to"));
    body.Set("to", to);
  }
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  GYRE_TRY(Session* const session, in.session());
  const std::string path = EndpointPath(in, in.Get("ENDPOINT"));
  GYRE_TRY(const Json before, session->Get(path));
  GYRE_TRY(const Json endpoint, session->Post(path + "/rollback", body));
  if (before["deployment"]["id"] == endpoint["deployment"]["id"]) {
    in.out().Document(endpoint,
                      fmt::format("nothing changed: endpoint {} answers with {} already\n",
                                  endpoint["name"].AsString(), endpoint["model"].AsString()));
    return 0;
  }
  GYRE_DO(Announce(in, *session, endpoint, "rolled back"));
  const std::string& followed = before["follows"].AsString();
  if (!followed.empty() && endpoint["follows"].AsString().empty())
    in.out().Note(fmt::format("it does not follow {} any more; gyre deploy {} follows it again",
                              followed, followed));
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string all = Join(in.List("ENDPOINT"), " ");
  GYRE_DO(in.Confirm("remove endpoint " + all + ", which then answers nobody", all));
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& name : in.List("ENDPOINT")) {
    GYRE_TRY(const Json gone, session->Delete(EndpointPath(in, name)));
    in.out().Done("endpoint " + name + " removed");
  }
  return 0;
}

constexpr Positional kModel[] = {
    {"MODEL", "a model: churn@champion, churn:v3, shop/churn@champion", true, false, "models"}};
constexpr Positional kEndpoint[] = {{"ENDPOINT", "an endpoint", true, false, "endpoints"}};
constexpr Positional kEndpoints[] = {{"ENDPOINT", "endpoints", true, true, "endpoints"}};
constexpr Option kDeployOptions[] = {
    {"--name", "ENDPOINT", "name of the endpoint; default: the model's"},
    {"--reason", "TEXT", "kept with the deployment"},
};
constexpr Option kRollbackOptions[] = {
    {"--to", "NUMBER", "an earlier deployment; default: the one before"},
    {"--reason", "TEXT", "kept with the deployment"},
};
constexpr Command kCommands[] = {
    {"deploy", "put a model behind an endpoint",
     "gyre deploy churn@champion\ngyre deploy churn:v3 --name churn-test --reason 'try it'", kModel,
     kDeployOptions, Deploy},
    {"endpoints ls",
     "every endpoint, its model and state",
     "gyre endpoints\ngyre endpoints -o json",
     {},
     {},
     List},
    {"endpoints show",
     "one endpoint with its deployments",
     "gyre endpoints show churn",
     kEndpoint,
     {},
     Show},
    {"endpoints rollback", "back to an earlier deployment",
     "gyre endpoints rollback churn\ngyre endpoints rollback churn --to 3 --reason 'AUC fell'",
     kEndpoint, kRollbackOptions, Rollback},
    {"endpoints rm",
     "remove an endpoint",
     "gyre endpoints rm churn-test --yes",
     kEndpoints,
     {},
     Remove},
};

}  // namespace

std::span<const Command> EndpointsCommands() { return kCommands; }

}  // namespace gyre::cli
