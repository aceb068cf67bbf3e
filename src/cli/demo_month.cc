#include "cli/demo_month.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "cli/demo_data.h"
#include "cli/demo_loop.h"
#include "cli/demo_story.h"
#include "cli/output.h"
#include "platform/net/client.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kRowsARequest = 10;
constexpr std::int64_t kSecondsADay = kMicrosPerDay / kMicrosPerSecond;

std::string ProjectPath() { return fmt::format("/api/v1/projects/{}", kDemoProject); }
std::string MonitorPath() { return fmt::format("{}/monitors/{}", ProjectPath(), kDemoEndpoint); }

class Replay {
 public:
  Replay(Session& session, const std::string& url, DemoMonth& month, Output& out)
      : session_(session),
        client_({.url = url, .unix_socket = {}, .token = {}}),
        month_(month),
        out_(out),
        loop_(session, month, out) {}

  // The endpoint has a monitor from its first minute; here its windows are days.
  Result<> Watch() {
    const Json window = Json::Obj({{"every", kSecondsADay}, {"rows_min", 1'000}, {"few", "skip"}});
    GYRE_TRY(month_.monitor,
             session_.Patch(MonitorPath(),
                            Json::Obj({{"window", window}, {"label_wait", kSecondsADay}})));
    const Json& monitor = month_.monitor;
    out_.Done(fmt::format("monitor {}   windows of {}   alert: {}", monitor["name"].AsString(),
                          monitor["window_text"].AsString(), monitor["alert_text"].AsString()));
    return loop_.Arm();
  }

  Result<> Run() {
    out_.Print(fmt::format(
        "{} replaying {} days of traffic, {} customers a day, labels late; drift is hidden on day "
        "{}\n",
        out_.Mark("play"), kDemoDays, GroupDigits(kDemoDayRows), kDemoDriftDay));
    for (int day = 1; day <= kDemoDays; ++day) {
      out_.Progress(static_cast<double>(day) / kDemoDays, fmt::format("day {}", day));
      GYRE_DO(Live(day));
    }
    GYRE_DO(loop_.Finish(kDemoDays));
    out_.EndProgress();
    out_.Done(fmt::format(
        "month   {} answers, {} labels, late   auc of the answers {:.3f} until day {}, {:.3f} "
        "until day {}, {:.3f} since",
        GroupDigits(static_cast<std::int64_t>(month_.scores.size())), GroupDigits(month_.labels),
        AucOfDays(month_, 1, kDemoDriftDay - 1), kDemoDriftDay - 1,
        AucOfDays(month_, kDemoDriftDay, month_.promoted_day - 1), month_.promoted_day - 1,
        AucOfDays(month_, month_.promoted_day, kDemoDays)));
    return loop_.TellChain();
  }

 private:
  Result<Json> Post(std::string path, std::string_view type, std::string body) {
    net::ClientRequest request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers.emplace_back("Content-Type", std::string(type));
    request.body = std::move(body);
    GYRE_TRY(const net::ClientResponse response, client_.Send(std::move(request)));
    if (response.status >= 300) return net::ErrorOfResponse(response);
    return Json::Parse(response.body);
  }

  // With the first customers of a day the one before is over: what became known by then is told,
  // its window is judged, and whatever follows from that meets the other customers.
  Result<> Live(int day) {
    const DemoDay made = MakeChurnDay(kDemoMonthSeed, day, kDemoDayRows);
    for (std::size_t begin = 0; begin < kDemoDayRows; begin += kRowsARequest) {
      GYRE_DO(Answer(made, day, begin));
      if (begin > 0) continue;
      GYRE_DO(Label(day - 1));
      GYRE_DO(Look(day));
    }
    Remember(made, day);
    return {};
  }

  Result<> Answer(const DemoDay& made, int day, std::size_t begin) {
    Json rows = Json::Arr(), ids = Json::Arr();
    const std::size_t end = std::min(begin + kRowsARequest, kDemoDayRows);
    for (std::size_t row = begin; row < end; ++row) {
      rows.Push(made.inputs[row]);
      ids.Push(IdOf(day, row));
    }
    const auto into_day = static_cast<std::int64_t>(begin * kMicrosPerDay / kDemoDayRows);
    const Json body = Json::Obj({{"inputs", std::move(rows)},
                                 {"inference_ids", std::move(ids)},
                                 {"event_time", FormatTime(DemoDayMicros(day) + into_day)}});
    GYRE_TRY(const Json answer,
             Post(fmt::format("/e/{}", kDemoEndpoint), "application/json", body.Dump()));
    for (const Json& output : answer["outputs"].items())
      month_.scores.push_back(output["probability"]["yes"].AsDouble());
    return {};
  }

  void Remember(const DemoDay& made, int day) {
    for (std::size_t row = 0; row < kDemoDayRows; ++row) {
      month_.left.push_back(made.left[row]);
      month_.day.push_back(day);
      if (made.label_delay[row] == kNeverLabelled) continue;
      const int known = day + made.label_delay[row];
      const Json label =
          Json::Obj({{"inference_id", IdOf(day, row)},
                     {"label", made.left[row] ? "yes" : "no"},
                     {"time", FormatTime(DemoDayMicros(known + 1) - kMicrosPerSecond)}});
      labels_[known] += label.Dump() + "\n";
    }
  }

  // What became known in the course of the day.
  Result<> Label(int day) {
    const auto known = labels_.extract(day);
    if (!known) return {};
    GYRE_TRY(const Json taken,
             Post(fmt::format("{}/endpoints/{}/feedback", ProjectPath(), kDemoEndpoint),
                  "application/x-ndjson", known.mapped()));
    month_.labels += taken["accepted"].AsInt();
    return {};
  }

  // Alerts may begin.
  Result<> Look(int day) {
    GYRE_DO(session_.Post(MonitorPath() + "/run", Json::Obj()));
    GYRE_TRY(const Json alerts, session_.Get(ProjectPath() + "/alerts?state=firing"));
    Json::Array firing = alerts["items"].items();
    std::ranges::sort(firing, {}, [](const Json& alert) { return alert["signal"].AsString(); });
    for (const Json& alert : firing) {
      const std::string& signal = alert["signal"].AsString();
      if (signal == "drift" && month_.drift_day == 0) {
        month_.drift = alert;
        month_.drift_day = day;
        GYRE_TRY(const std::string columns, DriftText(alert));
        Say(day, fmt::format("drift: {}", columns));
      } else if (signal == "performance" && month_.performance_day == 0) {
        month_.performance = alert;
        month_.performance_day = day;
        Say(day, fmt::format("performance: {}", alert["what"].AsString()));
      }
    }
    return loop_.Look(day);
  }

  // "calls_last_month 0.77, monthly_charge 0.51 standard deviations away", from the window.
  Result<std::string> DriftText(const Json& alert) {
    GYRE_TRY(const Json window,
             session_.Get(fmt::format("{}/windows/{}", ProjectPath(), alert["window"].AsString())));
    std::vector<std::string> columns;
    for (const Json& column : window["columns"].items()) {
      if (column["drifted"].AsBool())
        columns.push_back(
            fmt::format("{} {:.2f}", column["name"].AsString(), column["effect"].AsDouble()));
    }
    return Join(columns, ", ") + " standard deviations away";
  }

  void Say(int day, std::string_view text) {
    out_.EndProgress();
    out_.Print(fmt::format("  day {:2}  {} {}\n", day, out_.Mark("up"), text));
  }

  static std::string IdOf(int day, std::size_t row) { return fmt::format("day-{}-{}", day, row); }

  Session& session_;
  net::Client client_;  // one connection, as a client would keep it
  DemoMonth& month_;
  Output& out_;
  DemoLoop loop_;
  std::map<int, std::string> labels_;  // lines by the day on which they become known
};

}  // namespace

double AucOfDays(const DemoMonth& month, int first, int last) {
  std::vector<double> scores;
  std::vector<bool> left;
  for (std::size_t i = 0; i < month.scores.size(); ++i) {
    if (month.day[i] < first || month.day[i] > last) continue;
    scores.push_back(month.scores[i]);
    left.push_back(month.left[i]);
  }
  return DemoAuc(scores, left);
}

Result<> ReplayMonth(Session& session, const std::string& url, DemoMonth& month, Output& out) {
  Replay replay(session, url, month, out);
  GYRE_DO(replay.Watch());
  return replay.Run();
}

}  // namespace gyre::cli
