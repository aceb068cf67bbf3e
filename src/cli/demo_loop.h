// What gyre does about the drift of the demo by itself, followed from outside and told line by
// line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/demo_month.h"

namespace gyre::cli {

inline constexpr double kDemoCanaryShares[] = {0.1, 0.5};

class DemoLoop {
 public:
  DemoLoop(Session& session, DemoMonth& month, Output& out)
      : session_(session), month_(month), out_(out) {}

  // Drift of the endpoint starts the preset "retrain".
  Result<> Arm();
  // Tells what has happened since the last look. Waits while a model is trained and judged, since
  // a day of the demo is shorter than that, but not for a canary, which needs the day's traffic.
  Result<> Look(int day);
  // When the month is over: the run must have ended, and well.
  Result<> Finish(int day);
  // The one chain from the alert to the new champion.
  Result<> TellChain();

 private:
  Result<std::string> FirstFiring();  // empty before the alert
  Result<bool> WaitForNews();         // there is a firing
  Result<> TellJudgement(int day);
  Result<bool> TellShares(int day);  // there was something to tell
  Result<> TellTraffic(int day);
  void Say(int day, std::string_view mark, std::string_view text);

  Session& session_;
  DemoMonth& month_;
  Output& out_;
  bool told_judgement_ = false;
  std::size_t told_shares_ = 0;
};

// From what made a node back to `origin`, the origin first; empty when there is no way.
std::vector<std::string> WayFrom(const Json& lineage, std::string_view origin);

// From the alert to the model that is champion now; empty when nothing connects them.
Result<std::vector<std::string>> ChainOfChampion(Session& session, const Json& alert);

}  // namespace gyre::cli
