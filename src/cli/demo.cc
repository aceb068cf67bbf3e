// gyre demo: the whole road on made-up data, through the public API only. Each line that it prints
// comes from an answer.
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/connect.h"
#include "cli/demo_story.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/net/client.h"

namespace gyre::cli {
namespace {

constexpr int kAnswersTimed = 300;

std::string ProjectPath() { return fmt::format("/api/v1/projects/{}", kDemoProject); }
double SecondsSince(std::int64_t start_us) {
  return static_cast<double>(SystemClock().MonotonicMicros() - start_us) / kMicrosPerSecond;
}
std::string Millis(double seconds) { return fmt::format("{:.2f} ms", 1000 * seconds); }
Error StationFailed(std::string_view station, std::string_view why) {
  return Error(Code::kInternal, "GY4080",
               fmt::format("the demo failed at station {}: {}", station, why));
}

// The server and the folder of a demo; gone when it ends, unless they are kept.
class DemoHome {
 public:
  DemoHome(std::string directory, bool remove)
      : directory_(std::move(directory)), remove_(remove) {}
  DemoHome(const DemoHome&) = delete;
  DemoHome& operator=(const DemoHome&) = delete;
  ~DemoHome() {
    if (keep_) return;
    if (started_) (void)StopServer(data(), 10'000).has_value();
    if (remove_) (void)exec::RemoveTree(directory_).has_value();
  }
  std::string data() const { return directory_ + "/data"; }
  const std::string& directory() const { return directory_; }
  Result<DetachedServer> Start(const std::string& config_file) {
    started_ = true;
    return StartDetachedServer(data(), config_file);
  }
  void Keep() { keep_ = true; }

 private:
  std::string directory_;
  bool remove_, started_ = false, keep_ = false;
};

class Storyteller {
 public:
  Storyteller(Invocation& in, DemoHome& home, DemoStory& story)
      : in_(in), out_(in.out()), home_(home), story_(story) {}

  Result<> Begin() {
    const std::int64_t start_us = SystemClock().MonotonicMicros();
    GYRE_DO(exec::MakeDirectories(home_.directory()));
    GYRE_TRY(const DetachedServer server, home_.Start(in_.Get("config")));
    story_.url = server.info.url;
    story_.data_directory = home_.data();
    ConnectSettings settings;
    settings.data_directory = home_.data();
    GYRE_TRY(session_, Connect(settings));
    out_.Done(fmt::format("server ready in {}", HumanSeconds(SecondsSince(start_us))));
    out_.Print(
        fmt::format("  {} API       {}/api/v1/openapi.json\n", out_.Mark("tee"), story_.url));
    out_.Print(fmt::format("  {} Metrics   {}/metrics\n", out_.Mark("corner"), story_.url));
    return {};
  }

  Result<> State() {
    const Json problem = Json::Obj({{"statement", "Which customers will leave next month?"},
                                    {"target", kDemoTarget},
                                    {"owner", "demo"},
                                    {"kpis", Json::Arr({Json(kDemoKpi)})}});
    GYRE_TRY(story_.project, session_->Post("/api/v1/projects", Json::Obj({{"name", kDemoProject},
                                                                           {"problem", problem}})));
    const Json& stored = story_.project["problem"];
    if (stored["kpis"].size() != 1) return StationFailed("problem", "the goal was not kept");
    out_.Done(fmt::format("project {}   goal: {}   target {}, owner {}",
                          story_.project["name"].AsString(),
                          stored["kpis"].items()[0]["text"].AsString(), stored["target"].AsString(),
                          stored["owner"].AsString()));
    return {};
  }

  Result<> Add() {
    out_.Progress(-1, "making up customers");
    story_.data = MakeChurnData(kDemoSeed, kDemoRows);
    story_.csv_file = home_.directory() + "/customers.csv";
    GYRE_DO(exec::WriteFile(story_.csv_file, story_.data.csv));
    const std::int64_t start_us = SystemClock().MonotonicMicros();
    GYRE_TRY(
        const Json job,
        session_->Upload(fmt::format("{}/datasets/{}/versions?filename=customers.csv&target={}",
                                     ProjectPath(), kDemoDataset, kDemoTarget),
                         story_.csv_file, out_));
    GYRE_TRY(const Json done, session_->WaitJob(job, out_));
    story_.added = done["result"];
    const Json& warnings = story_.added["warnings"];
    out_.Done(fmt::format("dataset {}   {} rows {} {} columns   {}   {} warnings",
                          story_.added["reference"].AsString(),
                          GroupDigits(story_.added["rows"].AsInt()), out_.Mark("times"),
                          story_.added["columns"].AsInt(), HumanSeconds(SecondsSince(start_us)),
                          warnings.size()));
    for (const Json& warning : warnings.items())
      out_.Print(fmt::format("  ! {}\n", warning["message"].AsString()));
    return RequireWarnings(warnings);
  }

  Result<> Prepare() {
    const std::int64_t start_us = SystemClock().MonotonicMicros();
    GYRE_TRY(story_.recipe,
             session_->Post(ProjectPath() + "/recipes/suggest",
                            Json::Obj({{"dataset", kDemoDataset}, {"target", kDemoTarget}})));
    std::vector<std::string> left_out;
    for (const Json& column : story_.recipe["left_out"].items())
      left_out.push_back(column.AsString());
    for (std::string_view leak : kDemoLeaks) {
      if (std::find(left_out.begin(), left_out.end(), leak) == left_out.end())
        return StationFailed("recipe", fmt::format("`{}` is in it", leak));
    }
    out_.Done(fmt::format("recipe   {} steps over {} columns   {}   left out: {}",
                          story_.recipe["steps"].AsInt(), story_.recipe["columns"].AsInt(),
                          HumanSeconds(SecondsSince(start_us)), Join(left_out, ", ")));
    return {};
  }

  Result<> Train() {
    Json body =
        Json::Obj({{"dataset", kDemoDataset}, {"model", kDemoModel}, {"gate", "kpi"}, {"seed", 1}});
    GYRE_TRY(const double seconds, in_.GetSeconds("budget"));
    body.Set("budget_seconds", seconds);
    GYRE_TRY(const Json job, session_->Post(ProjectPath() + "/train", body));
    GYRE_TRY(const Json done, session_->WaitJob(job, out_));
    const Json& result = story_.trained = done["result"];
    const Json& interval = result["interval"];
    out_.Done(fmt::format(
        "run   {} candidates   {}   best {}   test {} {:.3f} (95 % CI {:.3f}{}{:.3f})",
        result["candidates"].AsInt(), HumanSeconds(result["wall_seconds"].AsDouble()),
        result["best"].AsString(), result["metric"].AsString(), interval["estimate"].AsDouble(),
        interval["lower"].AsDouble(), out_.Mark("ellipsis"), interval["upper"].AsDouble()));
    return {};
  }

  Result<> Judge() {
    const Json& result = story_.trained;
    for (const Json& reason : result["verdict"]["reasons"].items()) {
      out_.Print(fmt::format("{} gate {}: {}\n", out_.Mark(reason["pass"].AsBool() ? "ok" : "fail"),
                             reason["rule"].AsString(), reason["text"].AsString()));
    }
    if (!result["promoted"].AsBool()) return StationFailed("gate", result["reason"].AsString());
    out_.Done(fmt::format("model {} {} @champion   {} test rows, trained on {}",
                          result["model"].AsString(), out_.Mark("arrow"),
                          GroupDigits(result["split"]["test_rows"].AsInt()),
                          result["dataset"].AsString()));
    return {};
  }

  Result<> Deploy() {
    const std::int64_t start_us = SystemClock().MonotonicMicros();
    GYRE_TRY(story_.endpoint,
             session_->Put(fmt::format("{}/endpoints/{}", ProjectPath(), kDemoEndpoint),
                           Json::Obj({{"model", fmt::format("{}@champion", kDemoModel)}})));
    GYRE_TRY(story_.answer, AskEndpoint(story_.url, story_.data.new_customer));
    const double live = SecondsSince(start_us);
    std::vector<double> times;
    for (int i = 0; i < kAnswersTimed; ++i) {
      const std::int64_t asked_us = SystemClock().MonotonicMicros();
      GYRE_TRY(const Json answer, timed_.Ask(story_.url, story_.data.new_customer));
      times.push_back(SecondsSince(asked_us));
      if (answer["outputs"] != story_.answer["outputs"])
        return StationFailed("endpoint", "the same customer got two answers");
    }
    std::sort(times.begin(), times.end());
    const std::string& prediction = story_.answer["outputs"].items()[0]["prediction"].AsString();
    out_.Done(fmt::format("endpoint {} live after {}   {} answers: median {}, p99 {}",
                          story_.endpoint["name"].AsString(), HumanSeconds(live), kAnswersTimed,
                          Millis(times[times.size() / 2]), Millis(times[times.size() * 99 / 100])));
    out_.Print(fmt::format("  try: curl -d '{}' {}/e/{}\n",
                           Json::Obj({{"inputs", Json::Arr({ShortRow()})}}).Dump(), story_.url,
                           kDemoEndpoint));
    out_.Print(fmt::format("  a new customer: {} {}, with probability {:.2f} of leaving\n",
                           kDemoTarget, prediction,
                           story_.answer["outputs"].items()[0]["probability"]["yes"].AsDouble()));
    return {};
  }

  Result<> Prove() {
    GYRE_TRY(story_.fresh_auc, ScoreFreshCustomers(*session_, story_.trained["model"].AsString(),
                                                   home_.directory(), out_));
    out_.Done(fmt::format("batch   {} customers made up after the training: auc {:.3f}",
                          GroupDigits(kDemoFreshRows), story_.fresh_auc));
    if (story_.fresh_auc < kDemoAucMin)
      return StationFailed("batch", fmt::format("the goal is {}", kDemoKpi));
    return {};
  }

  Result<> Watch() { return ReplayMonth(*session_, story_.url, story_.month, out_); }

  Session& session() { return *session_; }

 private:
  // Keeps its connection between requests, so that the times are those of answers.
  struct Timed {
    std::unique_ptr<net::Client> client;
    Result<Json> Ask(const std::string& url, const Json& row) {
      if (!client)
        client = std::make_unique<net::Client>(
            net::ClientSettings{.url = url, .unix_socket = {}, .token = {}});
      net::ClientRequest request;
      request.method = "POST";
      request.path = fmt::format("/e/{}", kDemoEndpoint);
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = QuestionOf(row).Dump();
      GYRE_TRY(const net::ClientResponse response, client->Send(std::move(request)));
      if (response.status >= 300) return net::ErrorOfResponse(response);
      return Json::Parse(response.body);
    }
  };

  // Missing columns are null to the endpoint, so a short row is a good first try.
  Json ShortRow() const {
    Json row = Json::Obj();
    for (const char* name :
         {"plan", "contract", "tenure_months", "monthly_charge", "support_tickets"})
      row.Set(name, story_.data.new_customer[name]);
    return row;
  }

  static Result<> RequireWarnings(const Json& warnings) {
    const auto warned = [&](std::string_view column) {
      return std::any_of(warnings.items().begin(), warnings.items().end(),
                         [&](const Json& w) { return w["column"].AsString() == column; });
    };
    for (std::string_view leak : kDemoLeaks) {
      if (!warned(leak))
        return StationFailed("data", fmt::format("the leak `{}` was not noticed", leak));
    }
    if (!warned(kDemoConstant))
      return StationFailed("data", fmt::format("the constant `{}` was not noticed", kDemoConstant));
    return {};
  }

  Invocation& in_;
  Output& out_;
  DemoHome& home_;
  DemoStory& story_;
  std::unique_ptr<Session> session_;
  Timed timed_;
};

Result<int> Tell(Invocation& in, DemoHome& home) {
  Output& out = in.out();
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  DemoStory story;
  Storyteller teller(in, home, story);
  GYRE_DO(teller.Begin());
  GYRE_DO(teller.State());
  GYRE_DO(teller.Add());
  GYRE_DO(teller.Prepare());
  GYRE_DO(teller.Train());
  GYRE_DO(teller.Judge());
  GYRE_DO(teller.Deploy());
  GYRE_DO(teller.Prove());
  GYRE_DO(teller.Watch());
  out.Done(fmt::format("all 8 stages have run ({:.1f} s).  Next: gyre add your.csv",
                       SecondsSince(start_us)));
  int failed = 0;
  if (in.Has("check")) {
    GYRE_TRY(failed, CheckDemo(teller.session(), story, out));
  }
  if (in.Has("keep")) {
    home.Keep();
    out.Print(
        fmt::format("  the server stays up: {}\n  stop it    gyre server stop --data {}\n  remove "
                    "it  rm -r {}\n",
                    story.url, home.data(), home.directory()));
  } else {
    out.Note("the server has been stopped and its data removed; --keep leaves both");
  }
  return failed == 0 ? 0 : 5;
}

Result<int> Demo(Invocation& in) {
  if (!in.Get("server").empty())
    return InvalidArgument("GY4081", "the demo starts a server of its own")
        .Fix("leave out --server");
  const std::string given = in.Get("data");
  const std::string temporary =
      fmt::format("{}/gyre-demo-{}", config::Environment("TMPDIR").value_or("/tmp"), getpid());
  if (!given.empty() && exec::FileExists(config::AbsolutePath(given) + "/data")) {
    return FailedPrecondition("GY4082", "{} holds data already; the demo begins with nothing",
                              given)
        .Fix("give a new folder, or leave out --data");
  }
  DemoHome home(given.empty() ? temporary : config::AbsolutePath(given), given.empty());
  return Tell(in, home);
}

constexpr Option kOptions[] = {
    {.name = "--keep", .value_name = {}, .help = "leave the server up and its data in place"},
    {.name = "--check",
     .value_name = {},
     .help =
         "afterwards ask the API again for each printed claim; exit code 5 when one does not hold"},
    {.name = "--budget",
     .value_name = "TIME",
     .help = "time to search for a model",
     .default_value = "12s"},
};
constexpr Command kCommands[] = {
    {"demo",
     "the whole loop on made-up customers: from a file to a live model, drift, a better one",
     "gyre demo\ngyre demo --keep\ngyre demo --check",
     {},
     kOptions,
     Demo},
};

}  // namespace

std::span<const Command> DemoCommands() { return kCommands; }

}  // namespace gyre::cli
