// gyre deploy, gyre endpoints: from a registered model to answers.
#include <cmath>

#include "base/shell.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/cost_text.h"
#include "cli/model_name.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/release_text.h"
#include "cli/removed.h"
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

// Who answers what share; the champion first.
Result<int> ShowTraffic(Invocation& in, const Json& endpoint, std::string_view done) {
  Output& out = in.out();
  if (out.json()) {
    out.Document(endpoint, "");
    return 0;
  }
  out.Done(done);
  for (const Json& variant : endpoint["variants"].items()) {
    out.Print(fmt::format("  {:<10} {:>7}   {}\n", variant["name"].AsString(),
                          variant["shadow"].AsBool()
                              ? std::string("shadow")
                              : fmt::format("{:.4g} %", 100 * variant["share"].AsDouble()),
                          variant["model"].AsString()));
  }
  return 0;
}

// "10%" or "0.1" -> 0.1.
Result<double> ShareOf(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto number = ParseDouble(Trim(percent ? text.substr(0, text.size() - 1) : text));
  const double share = number.value_or(-1) * (percent ? 0.01 : 1);
  if (number && share >= 0 && share <= 1) return share;
  return InvalidArgument("GY4071", "`{}` is no share of the requests", text).Fix("10% or 0.1");
}

// Who keeps a caller where, and when the endpoint is parked; nothing where neither is said.
Result<Json> ChangesAsked(const Invocation& in) {
  Json body = Json::Obj();
  if (in.Has("sticky"))
    body.Set("sticky", in.Get("sticky") == "none" ? std::string() : in.Get("sticky"));
  if (in.Has("park-after") && in.Get("park-after") == "off") {
    body.Set("park_after_seconds", 0);
  } else if (in.Has("park-after")) {
    GYRE_TRY(const double seconds, in.GetSeconds("park-after"));
    body.Set("park_after_seconds", std::llround(seconds));
  }
  return body;
}

// Beside the champion: a canary with a share of the requests, or a shadow.
Result<int> DeployBeside(Invocation& in, Session& session, const std::string& name,
                         const Json& changes) {
  Json body = Json::Obj({{"model", in.Get("MODEL")}});
  if (in.Has("shadow")) {
    body.Set("shadow", true);
  } else {
    GYRE_TRY(const double share, ShareOf(in.Get("canary")));
    body.Set("share", share);
  }
  if (in.Has("replace")) body.Set("replace", true);
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  const std::string variant = in.Has("variant")  ? in.Get("variant")
                              : in.Has("shadow") ? "shadow"
                                                 : "canary";
  GYRE_TRY(Json endpoint,
           session.Put(EndpointPath(in, name) + "/variants/" + PercentEncode(variant), body));
  if (changes.size() > 0) {
    GYRE_TRY(endpoint, session.Patch(EndpointPath(in, name), changes));
  }
  return ShowTraffic(in, endpoint, fmt::format("{} of endpoint {} live", variant, name));
}

void SayWatched(Invocation& in, Session& session, const std::string& endpoint) {
  if (in.out().json()) return;
  const auto monitor = session.Get(fmt::format(
      "/api/v1/projects/{}/monitors/{}", PercentEncode(in.project()), PercentEncode(endpoint)));
  if (!monitor) return;
  in.out().Print(fmt::format("  watched: every {}; gyre monitors show {}\n",
                             (*monitor)["window_text"].AsString(), endpoint));
}

Result<int> Deploy(Invocation& in) {
  const std::string reference = in.Get("MODEL");
  const std::string name = in.Has("name") ? in.Get("name") : NameModel(in, reference).model;
  if (in.Has("canary") && in.Has("shadow"))
    return InvalidArgument("GY4071", "a shadow answers nobody, so it has no share")
        .Fix("--canary 10%, or --shadow");
  if (in.Has("variant") && !in.Has("canary") && !in.Has("shadow"))
    return InvalidArgument("GY4071", "--variant needs its share").Fix("--canary 10%, or --shadow");
  GYRE_TRY(const Json changes, ChangesAsked(in));
  GYRE_TRY(Session * session, in.session());
  GYRE_DO(session->EnsureServerOutlivesUs(in.out()));
  GYRE_TRY(session, in.session());
  if (in.dry_run()) GYRE_DO(CheckModel(in, *session, in.Get("MODEL")));
  if (in.Has("canary") || in.Has("shadow")) return DeployBeside(in, *session, name, changes);
  Json body = Json::Obj({{"model", reference}});
  if (in.Has("replace")) body.Set("replace", true);
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  auto endpoint = session->Put(EndpointPath(in, name), body);
  if (endpoint && changes.size() > 0) endpoint = session->Patch(EndpointPath(in, name), changes);
  if (!endpoint) {
    session->StopStartedServer(in.out());
    return endpoint.error();
  }
  GYRE_DO(Announce(in, *session, *endpoint, "live"));
  SayWatched(in, *session, (*endpoint)["name"].AsString());
  return 0;
}

// Without a server the endpoint runs in this command only.
std::string StateOf(const Session& session, const Json& endpoint) {
  if (session.url().empty()) return "not served: no server runs";
  if (endpoint["parked"].AsBool()) return "parked: the next request wakes it";
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

void PrintVariants(Output& out, const Json& variants) {
  Json rows = Json::Arr();
  for (const Json& variant : variants.items()) {
    Json row = variant;
    row.Set("p99_ms", variant["latency_us"]["p99"].AsDouble() / 1000);
    if (variant["shadow"].AsBool()) row.Set("share", nullptr);
    const Json& seen = variant["comparison"];
    if (seen["rows"].AsInt() > 0) {
      row.Set("agreed", seen["agreed"].AsDouble() / seen["rows"].AsDouble());
      row.Set("difference", seen["difference"]["mean"]);
    }
    rows.Push(std::move(row));
  }
  out.Table({{"VARIANT", "name"},
             {"MODEL", "model"},
             {"SHARE", "share", ColumnSpec::Format::kPercent},
             {"REQUESTS", "requests", ColumnSpec::Format::kCount},
             {"REFUSED", "failed", ColumnSpec::Format::kCount},
             {"P99 MS", "p99_ms", ColumnSpec::Format::kNumber},
             {"AGREED", "agreed", ColumnSpec::Format::kPercent},
             {"DIFFERENCE", "difference", ColumnSpec::Format::kNumber}},
            rows, "name");
  out.Print("\n");
}

// Tokens made for this endpoint alone; those of others only an administrator sees.
std::string KeysText(const Invocation& in, Session& session, const std::string& name) {
  std::int64_t keys = 0;
  for (std::string page;;) {
    const auto tokens = session.Get("/api/v1/tokens?limit=1000" +
                                    (page.empty() ? "" : "&page_token=" + PercentEncode(page)));
    if (!tokens) return {};
    for (const Json& token : (*tokens)["items"].items()) {
      const std::string& project = token["project"].AsString();
      if (!project.empty() && project != in.project()) continue;
      for (const Json& scope : token["scopes"].items())
        if (scope.AsString() == "predict:" + name) ++keys;
    }
    page = (*tokens)["next_page_token"].AsString();
    if (page.empty()) break;
  }
  return fmt::format("keys       {} with scope predict:{}\n", GroupDigits(keys), name);
}

// Since it was deployed first, also before restarts.
std::string UsageText(const Invocation& in, Session& session, const Json& endpoint) {
  const auto usage =
      session.Get(fmt::format("/api/v1/usage?project={}&endpoint={}", PercentEncode(in.project()),
                              PercentEncode(endpoint["name"].AsString())));
  if (!usage) return {};
  const Json& total = (*usage)["total"];
  return fmt::format(
      "usage      {} requests, {} of CPU, {}\n", GroupDigits(total["requests"].AsInt()),
      HumanSeconds(total["cpu_seconds"].AsDouble()), HumanBytes(total["bytes"].AsInt()));
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
  if (endpoint.Has("apart"))
    text += fmt::format("apart      {}, {} answers\n", endpoint["apart"].AsString(),
                        endpoint["model"].AsString());
  text += fmt::format("state      {}\n", StateOf(*session, endpoint));
  if (endpoint["ready"].AsBool() && endpoint.Has("problem"))
    text += fmt::format("stays      {}\n", endpoint["problem"].AsString());
  if (!session->url().empty())
    text += fmt::format("url        {}{}\n", session->url(), endpoint["path"].AsString());
  const Json& counts = endpoint["counts"];
  text += fmt::format("answered   {} requests, {} rows, {} refused\n",
                      GroupDigits(counts["requests"].AsInt()), GroupDigits(counts["rows"].AsInt()),
                      GroupDigits(counts["failed"].AsInt()));
  text += UsageText(in, *session, endpoint);
  text += KeysText(in, *session, endpoint["name"].AsString());
  if (!endpoint["sticky"].AsString().empty())
    text += fmt::format("sticky     {}\n", endpoint["sticky"].AsString());
  if (const std::int64_t seconds = endpoint["park_after_seconds"].AsInt(); seconds > 0)
    text += fmt::format("parked     after {} without a request\n",
                        HumanSeconds(static_cast<double>(seconds)));
  if (const std::string cost =
          CostOf(*session, "endpoint=" + PercentEncode(endpoint["name"].AsString()));
      !cost.empty())
    text += fmt::format("cost       {}\n", cost);
  text += ReleaseText(endpoint["release"]);
  out.Print(text + "\n");
  if (endpoint["variants"].size() > 1) PrintVariants(out, endpoint["variants"]);
  out.Table({{"NUMBER", "number", ColumnSpec::Format::kCount},
             {"MODEL", "model"},
             {"VARIANT", "variant"},
             {"BASIS", "basis"},
             {"BY", "deployed_by"},
             {"DEPLOYED", "created", ColumnSpec::Format::kTime},
             {"REASON", "reason"}},
            endpoint["deployments"], "number");
  return 0;
}

// The deployment that a rollback goes to; null where the server refuses it.
Json AfterRollback(const Json& endpoint, std::int64_t to) {
  if (to == 0) return endpoint["after_rollback"];
  for (const Json& deployment : endpoint["deployments"].items()) {
    if (deployment["number"].AsInt() == to) return deployment;
  }
  return {};
}

void SayWhatWouldAnswer(Invocation& in, const Json& model) {
  if (in.dry_run() && !in.out().json() && model.is_string())
    in.out().Print(fmt::format("would: {} answers\n", model.AsString()));
}

// The alias names another version than answers by now.
void SayFollowsNoMore(Invocation& in, const Json& before, const Json& endpoint) {
  const std::string& followed = before["follows"].AsString();
  if (followed.empty() || !endpoint["follows"].AsString().empty()) return;
  in.out().Note(
      fmt::format("it does not follow {} any more; gyre models promote {} moves the alias, gyre "
                  "deploy {} follows it again",
                  followed, endpoint["model"].AsString(), followed));
}

// A rollback is of what answers: what only watches stays.
void SayShadowsStay(Invocation& in, const Json& endpoint) {
  for (const Json& variant : endpoint["variants"].items()) {
    if (!variant["shadow"].AsBool()) continue;
    in.out().Note(fmt::format("{} stays beside it, unseen; gyre endpoints traffic {} {}=0 ends it",
                              variant["name"].AsString(), endpoint["name"].AsString(),
                              variant["name"].AsString()));
  }
}

Result<int> Rollback(Invocation& in) {
  Json body = Json::Obj();
  std::int64_t to = 0;
  if (in.Has("to")) {
    GYRE_TRY(to, in.GetInt("to"));
    body.Set("to", to);
  }
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  GYRE_TRY(Session* const session, in.session());
  const std::string path = EndpointPath(in, in.Get("ENDPOINT"));
  GYRE_TRY(const Json before, session->Get(path));
  SayWhatWouldAnswer(in, AfterRollback(before, to)["model"]);
  GYRE_TRY(const Json endpoint, session->Post(path + "/rollback", body));
  const bool same = before["deployment"]["id"] == endpoint["deployment"]["id"];
  if (same && before["variants"].size() > endpoint["variants"].size())
    return ShowTraffic(in, endpoint,
                       fmt::format("endpoint {} rolled back: its champion {} answers again",
                                   endpoint["name"].AsString(), endpoint["model"].AsString()));
  if (same) {
    in.out().Document(endpoint,
                      fmt::format("nothing changed: endpoint {} answers with {} already\n",
                                  endpoint["name"].AsString(), endpoint["model"].AsString()));
    return 0;
  }
  GYRE_DO(
      Announce(in, *session, endpoint,
               fmt::format("rolled back from {}: this answers now", before["model"].AsString())));
  SayShadowsStay(in, endpoint);
  SayFollowsNoMore(in, before, endpoint);
  return 0;
}

// "canary=10" and "canary=10%" are the same: whole percents are what people split by.
Result<Json> SharesAsked(const Invocation& in) {
  Json shares = Json::Obj();
  for (const std::string& word : in.List("SHARE")) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      return InvalidArgument("GY4071", "`{}` names no share", word).Fix("canary=10");
    const auto number = ParseDouble(std::string_view(word).substr(equals + 1));
    if (number && !word.ends_with('%')) {
      shares.Set(word.substr(0, equals), *number / 100);
      continue;
    }
    GYRE_TRY(const double share, ShareOf(word.substr(equals + 1)));
    shares.Set(word.substr(0, equals), share);
  }
  return shares;
}

Result<int> RemoveVariant(Invocation& in, Session& session, const std::string& name) {
  const std::string variant = in.Get("remove");
  if (!in.List("SHARE").empty())
    return InvalidArgument("GY4071", "--remove takes a variant away and sets no share")
        .Fix(fmt::format("gyre endpoints traffic {} --remove {}", name, variant));
  GYRE_TRY(const Json endpoint,
           session.Delete(EndpointPath(in, name) + "/variants/" + PercentEncode(variant)));
  if (in.dry_run()) return 0;
  return ShowTraffic(in, endpoint,
                     fmt::format("{} removed; endpoint {} answers with", variant, name));
}

Result<int> Traffic(Invocation& in) {
  const std::string name = in.Get("ENDPOINT");
  GYRE_TRY(Session* const session, in.session());
  if (in.Has("remove")) return RemoveVariant(in, *session, name);
  GYRE_TRY(Json shares, SharesAsked(in));
  if (shares.size() == 0) {
    GYRE_TRY(const Json endpoint, session->Get(EndpointPath(in, name)));
    if (in.out().json())
      in.out().Document(endpoint["variants"], "");
    else
      PrintVariants(in.out(), endpoint["variants"]);
    return 0;
  }
  Json body = Json::Obj({{"shares", std::move(shares)}});
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  GYRE_TRY(const Json before, session->Get(EndpointPath(in, name)));
  GYRE_TRY(const Json endpoint, session->Put(EndpointPath(in, name) + "/traffic", body));
  if (before["updated"] == endpoint["updated"]) {
    in.out().Document(endpoint,
                      fmt::format("nothing changed: endpoint {} has these shares already\n", name));
    return 0;
  }
  return ShowTraffic(in, endpoint, fmt::format("endpoint {} answers with", name));
}

Result<int> Promote(Invocation& in) {
  const std::string name = in.Get("ENDPOINT"), variant = in.Get("variant");
  Json body = Json::Obj();
  if (in.Has("reason")) body.Set("reason", in.Get("reason"));
  if (in.Has("replace")) body.Set("replace", true);
  GYRE_TRY(Session* const session, in.session());
  const std::string path = EndpointPath(in, name);
  GYRE_TRY(const Json before, session->Get(path));
  for (const Json& one : before["variants"].items()) {
    if (one["name"].AsString() == variant) SayWhatWouldAnswer(in, one["model"]);
  }
  GYRE_TRY(const Json endpoint,
           session->Post(path + "/variants/" + PercentEncode(variant) + "/promote", body));
  GYRE_DO(Announce(in, *session, endpoint, "promoted"));
  SayFollowsNoMore(in, before, endpoint);
  return 0;
}

Result<int> Edit(Invocation& in) {
  const std::string name = in.Get("ENDPOINT");
  GYRE_TRY(const Json changes, ChangesAsked(in));
  if (changes.size() == 0)
    return InvalidArgument("GY4071", "there is nothing to change")
        .Fix(fmt::format("gyre endpoints edit {} --park-after 10m", name));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json endpoint, session->Patch(EndpointPath(in, name), changes));
  in.out().Document(endpoint, "");
  in.out().Done(fmt::format("endpoint {} changed", name));
  return 0;
}

Result<int> Logs(Invocation& in) {
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json log, session->Get(fmt::format("{}/logs?limit={}",
                                                    EndpointPath(in, in.Get("ENDPOINT")), limit)));
  in.out().Table({{"AT", "at", ColumnSpec::Format::kTime},
                  {"LEVEL", "level"},
                  {"VARIANT", "variant"},
                  {"MESSAGE", "message"}},
                 log["items"], "at");
  return 0;
}

Result<int> Remove(Invocation& in) {
  const std::string all = Join(in.List("ENDPOINT"), " ");
  GYRE_DO(in.Confirm("remove endpoint " + all + ", which then answers nobody", all));
  GYRE_TRY(Session* const session, in.session());
  for (const std::string& name : in.List("ENDPOINT")) {
    GYRE_TRY(const Json gone,
             session->Delete(EndpointPath(in, name) + (in.Has("force") ? "?force=true" : "")));
    SayRemoved(in.out(), "endpoint " + name, gone);
  }
  return 0;
}

constexpr Positional kModel[] = {
    {"MODEL", "a model: churn@champion, churn:v3, shop/churn@champion", true, false, "models"}};
constexpr Positional kEndpoint[] = {{"ENDPOINT", "an endpoint", true, false, "endpoints"}};
constexpr Positional kEndpoints[] = {{"ENDPOINT", "endpoints", true, true, "endpoints"}};
constexpr Positional kShares[] = {
    {"ENDPOINT", "an endpoint", true, false, "endpoints"},
    {"SHARE", "percents by variant: champion=90 canary=10; without any: who answers what", false,
     true}};
constexpr Option kSticky = {"--sticky", "BY",
                            "a caller stays on one variant by header:NAME, column:NAME of the "
                            "first row or member:NAME of the body; none: each request by itself"};
constexpr Option kParkAfter = {"--park-after", "TIME",
                               "give its memory back after so long without a request, and wake on "
                               "the next; off"};
constexpr Option kDeployOptions[] = {
    {"--name", "ENDPOINT", "name of the endpoint; default: the model's"},
    {"--canary", "SHARE", "beside what answers now, for that share of the requests: 10%"},
    {"--shadow", "", "beside what answers now, unseen: scores the same rows and is compared"},
    {"--variant", "NAME", "name of what stands beside; default: canary or shadow"},
    {"--replace", "", "also when callers must send or read something else from now on"},
    kSticky,
    kParkAfter,
    {"--reason", "TEXT", "kept with the deployment"},
};
constexpr Option kEditOptions[] = {kSticky, kParkAfter};
constexpr Option kTrafficOptions[] = {
    {"--remove", "VARIANT", "take a canary or a shadow away; the champion has its share"},
    {"--reason", "TEXT", "kept in the endpoint's log"}};
constexpr Option kPromoteOptions[] = {
    {"--variant", "NAME", "what becomes the champion", "canary"},
    {"--replace", "", "also when callers must send or read something else from now on"},
    {"--reason", "TEXT", "kept with the deployment"},
};
constexpr Option kLogOptions[] = {{"--limit", "N", "newest entries", "50"}};
constexpr Option kRollbackOptions[] = {
    {"--to", "NUMBER",
     "an earlier deployment; default: the one before, never one that was rolled back"},
    {"--reason", "TEXT", "kept with the deployment"},
};
constexpr Option kForced[] = {kForce};
constexpr Command kCommands[] = {
    {"deploy", "put a model behind an endpoint",
     "gyre deploy churn@champion\ngyre deploy churn:v3 --name churn-test --reason 'try it'\ngyre "
     "deploy churn@challenger --canary 10%\ngyre deploy churn:v4 --shadow",
     kModel, kDeployOptions, Deploy},
    {"endpoints traffic", "which variant answers what share of the requests",
     "gyre endpoints traffic churn\ngyre endpoints traffic churn champion=90 canary=10\n"
     "gyre endpoints traffic churn --remove shadow",
     kShares, kTrafficOptions, Traffic},
    {"endpoints promote", "make a canary the endpoint's champion",
     "gyre endpoints promote churn --reason 'a day without complaints'", kEndpoint, kPromoteOptions,
     Promote},
    {"endpoints edit", "who stays on which variant, and when an endpoint is parked",
     "gyre endpoints edit churn --sticky header:X-User\ngyre endpoints edit churn --park-after 10m",
     kEndpoint, kEditOptions, Edit},
    {"endpoints logs", "what happened to an endpoint since the server started",
     "gyre endpoints logs churn", kEndpoint, kLogOptions, Logs},
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
    {"endpoints rollback",
     "back to what was before: without the canary, or to an earlier deployment",
     "gyre endpoints rollback churn\ngyre endpoints rollback churn --to 3 --reason 'AUC fell'",
     kEndpoint, kRollbackOptions, Rollback},
    {"endpoints rm", "remove an endpoint; gyre undelete lets it answer again",
     "gyre endpoints rm churn-test --yes\ngyre endpoints rm churn --dry-run", kEndpoints, kForced,
     Remove},
};

}  // namespace

std::span<const Command> EndpointsCommands() { return kCommands; }

}  // namespace gyre::cli
