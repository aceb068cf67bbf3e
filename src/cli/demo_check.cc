// The claims of the demo, asked again: what was printed must be what the API says now, and what can
// be recomputed is.
#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "base/time.h"
#include "cli/demo_loop.h"
#include "cli/demo_story.h"
#include "cli/output.h"
#include "platform/exec/files.h"
#include "platform/net/client.h"

namespace gyre::cli {

double DemoAuc(const std::vector<double>& scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double won = 0, positives = 0,
         negatives = 0;  // pairs where the positive one has the higher score
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double tied_positive = 0, tied_negative = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      (positive[order[end]] ? tied_positive : tied_negative) += 1;
    won += tied_positive * (negatives + tied_negative / 2);
    positives += tied_positive;
    negatives += tied_negative;
    begin = end;
  }
  return positives == 0 || negatives == 0 ? 0 : won / (positives * negatives);
}

Result<double> ScoreFreshCustomers(Session& session, std::string_view model,
                                   const std::string& folder, Output& out) {
  const DemoData fresh = MakeChurnData(kDemoFreshSeed, kDemoFreshRows);
  const std::string in_file = folder + "/fresh.csv", out_file = folder + "/scored.jsonl";
  GYRE_DO(exec::WriteFile(in_file, fresh.csv));
  const std::string path = fmt::format("/api/v1/projects/{}/predict", kDemoProject);
  GYRE_TRY(const Json job,
           session.Upload(fmt::format("{}?model={}&filename=fresh.csv&output_format=jsonl", path,
                                      PercentEncode(model)),
                          in_file, out));
  GYRE_TRY(const Json ended, session.WaitJob(job, out));
  GYRE_DO(session.Download(path + "/" + ended["id"].AsString(), out_file, out));
  GYRE_TRY(const std::string text, exec::ReadFile(out_file));
  std::vector<double> scores;
  for (std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    GYRE_TRY(const Json row, Json::Parse(line));
    if (!row["probability_yes"].is_number())
      return Error(Code::kInternal, "GY4083", "a scored row has no `probability_yes`");
    scores.push_back(row["probability_yes"].AsDouble());
  }
  if (scores.size() != kDemoFreshRows) {
    return MakeError(Code::kInternal, "GY4083", "{} of {} rows came back scored", scores.size(),
                     kDemoFreshRows);
  }
  return DemoAuc(scores, fresh.left);
}

Json QuestionOf(const Json& row) {
  return Json::Obj({{"inputs", Json::Arr({row})}, {"event_time", FormatTime(DemoDayMicros(0))}});
}

Result<Json> AskEndpoint(const std::string& url, const Json& row) {
  net::Client client({.url = url, .unix_socket = {}, .token = {}});
  net::ClientRequest request;
  request.method = "POST";
  request.path = fmt::format("/e/{}", kDemoEndpoint);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = QuestionOf(row).Dump();
  GYRE_TRY(const net::ClientResponse response, client.Send(std::move(request)));
  if (response.status >= 300) return net::ErrorOfResponse(response);
  GYRE_TRY(Json answer, Json::Parse(response.body));
  if (answer["outputs"].size() != 1)
    return Error(Code::kInternal, "GY4083", "the endpoint did not answer one row with one output");
  return answer;
}

namespace {

class Checker {
 public:
  Checker(Session& session, const DemoStory& story, Output& out)
      : session_(session), story_(story), out_(out) {}

  Result<int> Run() {
    out_.Print("checks, through the public API:\n");
    GYRE_DO(CheckServer());
    GYRE_DO(CheckProject());
    GYRE_DO(CheckData());
    GYRE_DO(CheckRecipe());
    GYRE_DO(CheckRun());
    GYRE_DO(CheckModel());
    GYRE_DO(CheckEndpoint());
    GYRE_DO(CheckMonth());
    GYRE_DO(CheckLoop());
    out_.Print(fmt::format("{} claims, {} wrong\n", claims_, wrong_));
    return wrong_;
  }

 private:
  std::string ProjectPath() const { return fmt::format("/api/v1/projects/{}", kDemoProject); }
  void Claim(bool holds, std::string_view claim) {
    ++claims_;
    wrong_ += holds ? 0 : 1;
    out_.Print(fmt::format("  {} {}\n", out_.Mark(holds ? "ok" : "fail"), claim));
  }

  Result<> CheckServer() {
    net::Client client({.url = story_.url, .unix_socket = {}, .token = {}});
    bool there = true;
    for (const std::string_view path : {"/api/v1/openapi.json", "/metrics"}) {
      net::ClientRequest request;
      request.path = path;
      GYRE_TRY(const net::ClientResponse response, client.Send(std::move(request)));
      there &= response.status == 200 && !response.body.empty();
    }
    Claim(there, "the API's description and the metrics are where they were said to be");
    return {};
  }

  Result<> CheckProject() {
    GYRE_TRY(const Json project, session_.Get(ProjectPath()));
    const Json& problem = project["problem"];
    Claim(problem == story_.project["problem"] && problem["target"].AsString() == kDemoTarget,
          "the project keeps its statement, target, owner and goal");
    return {};
  }

  Result<> CheckData() {
    GYRE_TRY(const Json version,
             session_.Get(fmt::format("{}/datasets/{}/versions/v1", ProjectPath(), kDemoDataset)));
    Claim(version["rows"].AsInt() == story_.added["rows"].AsInt() &&
              story_.added["rows"].AsInt() == static_cast<std::int64_t>(kDemoRows),
          "the dataset has the rows that were made");
    const std::string sql = fmt::format(
        "SELECT count(*) AS n, count(*) FILTER (WHERE CAST({} AS VARCHAR) IN ('yes', 'true')) AS "
        "gone FROM {}",
        kDemoTarget, kDemoDataset);
    GYRE_TRY(const Json counted,
             session_.Post(ProjectPath() + "/query", Json::Obj({{"sql", sql}, {"limit", 1}})));
    const std::string row = counted["rows"].size() == 1 ? counted["rows"].items()[0].Dump() : "";
    const auto left = std::count(story_.data.left.begin(), story_.data.left.end(), true);
    Claim(row.find(std::to_string(kDemoRows)) != std::string::npos &&
              row.find(std::to_string(left)) != std::string::npos,
          "SQL counts the same rows and the same leavers as the generator");
    GYRE_TRY(const Json job,
             session_.Upload(fmt::format("{}/datasets/{}/versions?filename=again.csv&target={}",
                                         ProjectPath(), kDemoDataset, kDemoTarget),
                             story_.csv_file, out_));
    GYRE_TRY(const Json again, session_.WaitJob(job, out_));
    Claim(again["result"]["unchanged"].AsBool() &&
              again["result"]["reference"] == story_.added["reference"],
          "the same bytes again make no new version");
    GYRE_TRY(const Json profile, session_.Get(fmt::format("{}/datasets/{}/versions/v1/profile",
                                                          ProjectPath(), kDemoDataset)));
    Claim(profile["warnings"] == story_.added["warnings"],
          "the profile holds the warnings that were shown");
    return {};
  }

  Result<> CheckRecipe() {
    GYRE_TRY(const Json again,
             session_.Post(ProjectPath() + "/recipes/suggest",
                           Json::Obj({{"dataset", kDemoDataset}, {"target", kDemoTarget}})));
    Claim(again["recipe"] == story_.recipe["recipe"], "the same data suggest the same recipe");
    GYRE_TRY(const Json fitted, session_.Get(fmt::format("{}/models/{}/versions/v1/recipe",
                                                         ProjectPath(), kDemoModel)));
    bool leaks = false;
    for (const Json& field : fitted["input"].items()) {
      leaks |= std::find(std::begin(kDemoLeaks), std::end(kDemoLeaks), field["name"].AsString()) !=
               std::end(kDemoLeaks);
    }
    Claim(!leaks && fitted["input"].size() > 0, "the model reads none of the leaking columns");
    return {};
  }

  Result<> CheckRun() {
    const Json& result = story_.trained;
    GYRE_TRY(const Json run, session_.Get(fmt::format("{}/runs/{}", ProjectPath(),
                                                      PercentEncode(result["run"].AsString()))));
    const double logged = run["metrics"]["test_auc"].AsDouble();
    const bool shown = logged == result["interval"]["estimate"].AsDouble() ||
                       logged == result["test_metrics"]["auc"].AsDouble();
    Claim(shown, "the best run logged the test AUC that was shown");
    GYRE_TRY(const Json parent,
             session_.Get(fmt::format("{}/runs/{}", ProjectPath(),
                                      PercentEncode(result["training_run"].AsString()))));
    Claim(parent["status"].AsString() == "finished" && run["parent"] == parent["id"],
          "its training run is finished");
    Claim(result["interval"]["lower"].AsDouble() <= story_.fresh_auc + 0.02 &&
              result["interval"]["upper"].AsDouble() >= story_.fresh_auc - 0.02,
          "the interval of the test AUC lies around the AUC of new customers");
    return {};
  }

  Result<> CheckModel() {
    const Json& result = story_.trained;
    bool kpi = false;
    for (const Json& one : result["kpis"].items())
      kpi |= one["pass"].AsBool() && one["binding"].AsBool();
    const bool met =
        result["interval"]["estimate"].AsDouble() >= kDemoAucMin && story_.fresh_auc >= kDemoAucMin;
    Claim(kpi && met, "the goal is met on the test rows and on new customers");
    GYRE_TRY(const double again, ScoreFreshCustomers(session_, story_.trained["model"].AsString(),
                                                     FolderOf(story_.csv_file), out_));
    Claim(again == story_.fresh_auc, "scoring the new customers again gives the same AUC");
    return {};
  }

  Result<> CheckEndpoint() {
    GYRE_TRY(const Json endpoint,
             session_.Get(fmt::format("{}/endpoints/{}", ProjectPath(), kDemoEndpoint)));
    const std::string& champion = story_.month.challenger;
    Claim(endpoint["ready"].AsBool() && endpoint["model"].AsString() == champion &&
              endpoint["variants"].size() == 1,
          "the endpoint runs the version that was promoted last, and no other");
    GYRE_TRY(const Json answer, AskEndpoint(story_.url, story_.data.new_customer));
    GYRE_TRY(const Json again, AskEndpoint(story_.url, story_.data.new_customer));
    Claim(story_.answer["model"] == story_.trained["model"] &&
              answer["model"].AsString() == champion && answer["outputs"] == again["outputs"] &&
              answer["inference_id"] != again["inference_id"],
          "it answers the new customer twice with the same bits, under two ids");
    const double yes = answer["outputs"].items()[0]["probability"]["yes"].AsDouble(),
                 no = answer["outputs"].items()[0]["probability"]["no"].AsDouble();
    Claim(yes > 0 && no > 0 && yes + no > 1 - 1e-9 && yes + no < 1 + 1e-9,
          "its probabilities add up to one");
    return {};
  }

  Result<> CheckMonth() {
    const DemoMonth& month = story_.month;
    const std::string capture =
        fmt::format("{}/endpoints/{}/captures", ProjectPath(), kDemoEndpoint);
    const std::string range =
        fmt::format("from={}&to={}", PercentEncode(FormatTime(DemoDayMicros(1))),
                    PercentEncode(FormatTime(DemoDayMicros(kDemoDays + 1))));
    GYRE_TRY(const Json captured, session_.Get(capture + "?labels=true"));
    Claim(captured["dropped"].AsInt() == 0 &&
              captured["counts"]["labelled"].AsInt() == month.labels &&
              captured["counts"]["unknown"].AsInt() == 0,
          "every answer was captured, and every label found its answer");
    GYRE_TRY(const Json events, session_.Get("/api/v1/events?kind=alert.firing&limit=1000"));
    bool early = false;
    for (const Json& event : events["items"].items()) {
      const auto at = ParseTime(event["payload"]["window_end"].AsString());
      early |= at && *at <= DemoDayMicros(kDemoDriftDay);
    }
    Claim(!early, "no alert fired before the drift");
    std::vector<std::string> named;
    for (const Json& column : month.drift["columns"].items()) named.push_back(column.AsString());
    std::sort(named.begin(), named.end());
    Claim(std::equal(named.begin(), named.end(), std::begin(kDemoDrifted), std::end(kDemoDrifted)),
          "the drift alert names the two columns that moved, and no other");
    GYRE_DO(CheckServedAuc(capture + "/export?format=jsonl&" + range));
    return {};
  }

  // From what was captured, which is what monitors and retraining see.
  Result<> CheckServedAuc(const std::string& path) {
    const std::string file = FolderOf(story_.csv_file) + "/captured.jsonl";
    GYRE_DO(session_.Download(path, file, out_));
    GYRE_TRY(const std::string text, exec::ReadFile(file));
    std::vector<double> captured;
    std::size_t tried = 0, mixed = 0;
    for (std::string_view line : Split(text, '\n')) {
      if (line.empty()) continue;
      GYRE_TRY(const Json row, Json::Parse(line));
      captured.push_back(row["probability_yes"].AsDouble());
      const bool is_new = row["model_version"].AsString() == story_.month.challenger;
      const bool by_canary = row["role"].AsString() == "canary";
      tried += by_canary ? 1 : 0;
      mixed += by_canary && !is_new ? 1 : 0;
    }
    std::vector<double> answered = story_.month.scores;
    std::sort(captured.begin(), captured.end());
    std::sort(answered.begin(), answered.end());
    Claim(captured == answered, "the captured scores are those that were answered, to the bit");
    Claim(tried > 0 && mixed == 0 && tried < answered.size() / 10,
          "the new model was tried on a part of the customers first");
    return {};
  }

  // Answers of the days before the alert whose labels were known by then.
  static std::int64_t KnownAtAlert(const DemoMonth& month) {
    std::int64_t known = 0;
    for (int day = month.drift_day - kDemoLearnedDays; day < month.drift_day; ++day) {
      const DemoDay made = MakeChurnDay(kDemoMonthSeed, day, kDemoDayRows);
      known += std::ranges::count_if(made.label_delay, [&](int delay) {
        return delay != kNeverLabelled && day + delay < month.drift_day;
      });
    }
    return known;
  }

  Result<> CheckRules() {
    GYRE_TRY(const Json monitor,
             session_.Get(fmt::format("{}/monitors/{}", ProjectPath(), kDemoEndpoint)));
    GYRE_TRY(const Json trigger,
             session_.Get(fmt::format("{}/triggers/{}", ProjectPath(),
                                      story_.month.trigger["name"].AsString())));
    Claim(monitor["spec"] == story_.month.monitor["spec"] &&
              trigger["on"] == story_.month.trigger["on"] &&
              trigger["run"] == story_.month.trigger["run"],
          "monitor and trigger are as they were announced");
    return {};
  }

  // What an alert said when it began stays in its history.
  Result<> CheckAlert(const Json& told, std::string_view what) {
    GYRE_TRY(const Json alert,
             session_.Get(fmt::format("{}/alerts/{}", ProjectPath(), told["id"].AsString())));
    Claim(std::ranges::any_of(
              alert["history"].items(),
              [&](const Json& move) {
                return move["to"].AsString() == "firing" && move["window"] == told["window"] &&
                       move["reason"].AsString().starts_with(told["what"].AsString());
              }),
          fmt::format("the {} alert keeps when it began, and why", what));
    return {};
  }

  Result<> CheckRelease(const Json& firing) {
    std::vector<double> shares;
    for (const Json& moved : firing["release"]["history"].items()) {
      if (const std::string& move = moved["move"].AsString(); move == "begin" || move == "advance")
        shares.push_back(moved["weight"].AsDouble());
    }
    Claim(std::ranges::equal(shares, kDemoCanaryShares) &&
              firing["release"]["model"].AsString() == story_.month.challenger,
          "the canary was given each share that the plan named, in order");
    GYRE_TRY(const Json version, session_.Get(fmt::format("{}/models/{}/versions/champion",
                                                          ProjectPath(), kDemoModel)));
    Claim(version["verdict"] == story_.month.verdict,
          "the gate's reasons are kept with the new champion");
    return {};
  }

  Result<> CheckLoop() {
    const DemoMonth& month = story_.month;
    GYRE_DO(CheckRules());
    GYRE_DO(CheckAlert(month.drift, "drift"));
    if (month.performance_day != 0) GYRE_DO(CheckAlert(month.performance, "performance"));
    GYRE_TRY(const Json firing, session_.Get(fmt::format("{}/firings/{}", ProjectPath(),
                                                         month.firing["id"].AsString())));
    Claim(firing["state"].AsString() == "succeeded" && firing["cause"].AsString() == "drift" &&
              firing["source"] == month.drift["incident"] && firing["fired_by"].AsString().empty(),
          "the drift alert started the retraining, and nobody else");
    GYRE_DO(CheckRelease(firing));
    GYRE_TRY(const Json run,
             session_.Get(fmt::format("/api/v1/pipeline_runs/{}", firing["run"].AsString())));
    Claim(
        run["state"].AsString() == "succeeded" &&
            run["triggered_by"].AsString().find(firing["trigger"].AsString()) != std::string::npos,
        "its run says what triggered it, and succeeded");
    GYRE_TRY(const Json fresh, session_.Get(fmt::format("{}/datasets/{}-fresh/versions/v1",
                                                        ProjectPath(), kDemoEndpoint)));
    Claim(fresh["rows"].AsInt() == month.learned && month.learned == KnownAtAlert(month),
          "the new model learned from the answers whose labels were known, and no other");
    GYRE_TRY(const Json history,
             session_.Get(fmt::format("{}/models/{}/history", ProjectPath(), kDemoModel)));
    const Json::Array& moves = history["items"].items();  // the newest first
    Claim(moves.size() == 2 && moves[0]["basis"].AsString() == "gate" &&
              moves[0]["by"].AsString() == "automation" &&
              fmt::format("{}:{}", kDemoModel, moves[0]["version"].AsString()) == month.challenger,
          "@champion moved by the gate's verdict, without a click");
    GYRE_TRY(const auto chain, ChainOfChampion(session_, month.drift));
    Claim(chain.size() >= 3 && chain.back().ends_with(month.challenger),
          "one chain of lineage leads from the alert to the new champion");
    Claim(AucOfDays(month, month.promoted_day, kDemoDays) >
              AucOfDays(month, kDemoDriftDay, month.promoted_day - 1),
          "the answers are better since the new model gives them");
    return {};
  }

  static std::string FolderOf(const std::string& file) { return file.substr(0, file.rfind('/')); }

  Session& session_;
  const DemoStory& story_;
  Output& out_;
  int claims_ = 0, wrong_ = 0;
};

}  // namespace

Result<int> CheckDemo(Session& session, const DemoStory& story, Output& out) {
  return Checker(session, story, out).Run();
}

}  // namespace gyre::cli
