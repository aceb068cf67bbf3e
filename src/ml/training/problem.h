// What one training was asked, and its rows made ready: target read, suspicious columns left out,
// rows split. No model yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/evaluation/learned.h"
#include "ml/recipes/recipe.h"
#include "ml/statistics/metrics.h"
#include "ml/training/split.h"
#include "ml/training/target.h"
#include "platform/table/formats.h"
#include "platform/table/frame.h"

namespace gyre::training {

// When nobody says: leaves room for adding and deploying within a minute.
constexpr double kBudgetSeconds = 40;

// The input of task "training.fit".
struct FitRequest {
  std::vector<std::string> parts;  // Parquet files, in order
  std::string dataset;             // as the user calls it, for commands in findings
  std::string target;
  std::optional<predictors::Task> task;    // empty = from the column
  std::string metric;                      // empty = auc, log_loss, rmse
  double budget_seconds = kBudgetSeconds;  // for everything from reading on; 0 = no clock
  int trials = 0;  // > 0: so many LightGBM settings; without a budget no clock is read
  std::uint64_t seed = 0;
  int threads = 1;
  std::string positive;  // class of a binary target; empty = see ChoosePositive
  std::string time_column, group_column;
  bool random_split = false;  // nobody looks for a better one
  bool keep_leaks = false;
  double test_share = 0;
  std::int64_t test_last = 0;           // > 0: only the last so many rows may test
  table::Formats formats;               // of the text that the columns were read from
  std::optional<recipes::Spec> recipe;  // empty = suggested, for each family its own
  std::string champion_package;         // path; empty = none
  std::string champion_name;
  evaluation::Lessons champion_lessons;  // no parts = nobody knows them
  std::string champion_positive;         // its positive class; empty = none
};
Result<FitRequest> ParseFitRequest(const Json& json);  // GY3501
Json FitRequestToJson(const FitRequest& request);

// A column that was left out, or deserves a look.
struct Finding {
  std::string column, kind, text;  // kind: "leak", "id", "constant", "group", "missing target",
                                   // "time order", "repeats", "neither side", "split",
                                   // "no groups", "copies"
  bool left_out = false;
};

struct Problem {
  FitRequest request;
  std::int64_t start_us = 0;  // monotonic: when the data began to be read
  const statistics::MetricInfo* metric = nullptr;
  SplitKind split_kind = SplitKind::kStratified;
  table::Frame train, test;                // with the target and the columns left out
  Target train_target, test_target;        // row i is row i of the frame
  std::vector<std::uint64_t> train_group;  // kGroup, kTimeGroup
  std::vector<std::string> excluded;       // columns that no recipe may read
  std::vector<Finding> findings;
  predictors::Task task() const { return train_target.task; }
  std::size_t outputs() const {
    return task() == predictors::Task::kMulticlass ? train_target.classes.size() : 1;
  }
};

// Errors: those of the reader, ReadTarget and MakeSplit; kInvalidArgument GY3501 for a column or
// metric that is not there.
Result<Problem> PrepareProblem(FitRequest request);
// The same from a frame: for tests.
Result<Problem> PrepareProblem(FitRequest request, table::Frame frame);

// What needs only the names and types of the columns: the target, the columns of the split,
// those of a recipe. GY3501, and of the recipe GY3507, GY3523
// and those of recipes::CheckAgainst.
Result<> CheckColumns(const FitRequest& request, const table::Schema& schema);

// Whether a recipe was given that reads this column.
bool ReadsColumn(const FitRequest& request, std::string_view column);

std::string_view DefaultMetric(predictors::Task task);

}  // namespace gyre::training
