// gyre runs watch: runs as they change, a line for each change.
#include "cli/runs_watch.h"

#include <set>

#include "base/text.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

std::string RunsPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/runs";
}

bool IsOver(const Json& run) {
  const std::string& status = run["status"].AsString();
  return status == "finished" || status == "failed" || status == "killed";
}

// "loss 0.231, auc 0.91   step 12"
std::string MetricsText(const Json& run) {
  constexpr std::size_t kShown = 4;
  std::string text;
  std::int64_t step = 0;
  std::size_t shown = 0;
  for (const auto& [key, value] : run["metrics"].members()) {
    step = std::max(step, run["steps"][key].AsInt());
    if (++shown > kShown) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key,
                        value.is_number() ? fmt::format("{:.6g}", value.AsDouble()) : "NaN");
  }
  if (shown > kShown) text += fmt::format(" and {} more", shown - kShown);
  if (step > 0) text += fmt::format("   step {}", step);
  return text;
}

class Watch {
 public:
  Watch(Invocation& in, Session& session) : in_(in), session_(session) {}

  Result<int> Go() {
    GYRE_TRY(const std::string path, EventsPath());
    // What is there is asked for once a stream has said from where on it tells of changes.
    std::string begin;
    GYRE_DO(session_.Events(path, "", [&](const SentEvent& event) -> Result<bool> {
      begin = event.id;
      return false;
    }));
    GYRE_DO(ShowAll());
    if (Ended()) return 0;
    GYRE_DO(session_.Events(path, begin, [&](const SentEvent& event) { return Take(event); }));
    return 0;
  }

 private:
  Result<std::string> EventsPath() {
    std::string path = "/api/v1/projects/" + PercentEncode(in_.project()) + "/run-events?";
    for (const std::string& reference : in_.List("RUN")) {
      GYRE_TRY(const Json run, session_.Get(RunsPath(in_) + "/" + PercentEncode(reference)));
      named_.push_back(run["id"].AsString());
      path += "run=" + run["id"].AsString() + "&";
    }
    for (const std::string& experiment : in_.List("experiment"))
      path += "experiment=" + PercentEncode(experiment) + "&";
    path.pop_back();
    return path;
  }

  Result<> ShowAll() {
    for (const std::string& id : named_) {
      GYRE_TRY(const Json run, session_.Get(RunsPath(in_) + "/" + id));
      Show(run);
    }
    if (!named_.empty()) return {};
    std::string path = RunsPath(in_) + "?status=running&view=active";
    for (const std::string& experiment : in_.List("experiment"))
      path += "&experiment=" + PercentEncode(experiment);
    GYRE_TRY(const Json running, session_.Get(path));
    for (const Json& run : running["items"].items()) Show(run);
    if (running["items"].size() == 0) in_.out().Note("nothing runs; waiting for what begins");
    return {};
  }

  Result<bool> Take(const SentEvent& event) {
    if (event.kind == "reset")
      return in_.out().Note("began anew: some changes were not seen"), true;
    if (event.kind == "ended")
      return MakeError(Code::kPermissionDenied, "GY4039", "you may no longer see these runs");
    if (event.kind != "runs") return true;
    GYRE_TRY(const Json patch, Json::Parse(event.data));
    for (const Json& run : patch["runs"].items()) Show(run);
    for (const Json& id : patch["gone"].items()) {
      ended_.insert(id.AsString());
      in_.out().Note(fmt::format("run {} is gone: moved or removed", id.AsString().substr(0, 8)));
    }
    return !Ended();
  }

  void Show(const Json& run) {
    if (IsOver(run)) ended_.insert(run["id"].AsString());
    if (in_.out().json()) return in_.out().Print(run.Dump() + "\n");
    in_.out().Print(OneLineText(fmt::format(
                        "{}  {:<20}  {:<9}  {}", run["id"].AsString().substr(0, 8),
                        run["name"].AsString(), run["status"].AsString(), MetricsText(run))) +
                    "\n");
  }

  bool Ended() const {
    if (named_.empty()) return false;
    for (const std::string& id : named_) {
      if (!ended_.contains(id)) return false;
    }
    return true;
  }

  Invocation& in_;
  Session& session_;
  std::vector<std::string> named_;
  std::set<std::string> ended_;
};

}  // namespace

Result<int> WatchRuns(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  return Watch(in, *session).Go();
}

}  // namespace gyre::cli
