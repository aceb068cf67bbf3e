// What the demo did and printed, for the checks that follow it.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"
#include "cli/demo_data.h"
#include "cli/demo_month.h"
#include "cli/session.h"

namespace gyre::cli {

class Output;

struct DemoStory {
  std::string data_directory, csv_file, url;
  DemoData data;
  Json project, added, recipe, trained, endpoint, answer;  // answers of the API, as printed
  double fresh_auc = 0;                                    // on customers made after the training
  DemoMonth month;
};
inline constexpr std::string_view kDemoProject = "churn", kDemoDataset = "customers",
                                  kDemoModel = "churn", kDemoEndpoint = "churn";
inline constexpr std::string_view kDemoKpi = "auc >= 0.84";
inline constexpr double kDemoAucMin = 0.84;
inline constexpr std::uint64_t kDemoSeed = 7, kDemoFreshSeed = 8;
inline constexpr std::size_t kDemoRows = 50'000, kDemoFreshRows = 5'000;

// Area under the ROC curve; equal scores count half.
double DemoAuc(const std::vector<double>& scores, const std::vector<bool>& positive);
// Scores customers that no training has seen and compares with what they did. The AUC.
Result<double> ScoreFreshCustomers(Session& session, std::string_view model,
                                   const std::string& folder, Output& out);
// A question on the day on which the table was drawn: {"inputs": [row], "event_time": ...}.
Json QuestionOf(const Json& row);
// One row over HTTP, as curl would send it.
Result<Json> AskEndpoint(const std::string& url, const Json& row);
// Asks the API again for everything that was printed. The number of claims that do not hold.
Result<int> CheckDemo(Session& session, const DemoStory& story, Output& out);

}  // namespace gyre::cli
