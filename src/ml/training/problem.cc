#include "ml/training/problem.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/data/leakage.h"
#include "ml/training/copies.h"
#include "ml/training/positive.h"
#include "ml/training/split_hints.h"
#include "platform/table/reader.h"

namespace gyre::training {

namespace {

using predictors::Task;

Error NoColumn(std::string_view noun, std::string_view name, std::vector<std::string> names) {
  Error error = InvalidArgument("GY3501", "the data has no {} `{}`", noun, name);
  if (const auto match = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *match));
  names.resize(std::min<std::size_t>(names.size(), 20));
  return std::move(error).Fix(fmt::format("name one of: {}", Join(names, ", ")));
}

Result<const statistics::MetricInfo*> ChooseMetric(const std::string& name, Task task) {
  const statistics::MetricInfo* info =
      statistics::FindMetric(name.empty() ? DefaultMetric(task) : std::string_view(name));
  const auto fits = [&](const statistics::MetricInfo& m) {
    return task == Task::kBinary       ? m.binary
           : task == Task::kMulticlass ? m.multiclass
                                       : m.regression;
  };
  if (info != nullptr && fits(*info)) return info;
  std::vector<std::string> names;
  for (const statistics::MetricInfo& m : statistics::Metrics()) {
    if (fits(m)) names.emplace_back(m.name);
  }
  return InvalidArgument("GY3501", "`{}` is not a metric for a {} task", name,
                         predictors::TaskName(task))
      .Fix(fmt::format("--metric {}", Join(names, " | ")));
}

Target Subset(const Target& target, const std::vector<std::uint32_t>& rows) {
  Target part;
  part.task = target.task;
  part.classes = target.classes;
  part.reason = target.reason;
  part.positive_reason = target.positive_reason;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    part.kept.push_back(static_cast<std::uint32_t>(i));
    if (!target.labels.empty()) part.labels.push_back(target.labels[rows[i]]);
    if (!target.values.empty()) part.values.push_back(target.values[rows[i]]);
  }
  return part;
}

// Columns that know the answer, or only say which row it is. The user may keep the former; a recipe
// written by hand says itself which of the latter it wants.
Result<> FindSuspects(const table::Frame& frame, Problem* problem) {
  const FitRequest& r = problem->request;
  for (const data::LeakWarning& warning : data::FindLeaks(frame, r.target)) {
    if (warning.column == r.target || warning.column == r.time_column ||
        warning.column == r.group_column)
      continue;
    const bool harmless = warning.kind == "id_like" || warning.kind == "constant";
    const bool read = ReadsColumn(r, warning.column);
    const bool left_out = warning.leave_out && (harmless ? !read : !r.keep_leaks);
    if (left_out && read) {
      return InvalidArgument("GY3506", "the recipe reads a column that knows the answer: {}",
                             warning.message)
          .Fix(fmt::format("leave out the steps that read `{}`", warning.column))
          .Fix("--keep-leaks, if it is known before the answer is");
    }
    if (!left_out && harmless) continue;
    const std::string_view kind = warning.kind == "id_like"    ? "id"
                                  : warning.kind == "constant" ? "constant"
                                                               : "leak";
    problem->findings.push_back({warning.column, std::string(kind), warning.message, left_out});
    if (left_out) problem->excluded.push_back(warning.column);
  }
  return {};
}

// Equal rows are told apart by which of them came first: else all rows of one frequent kind would
// test and none teach.
std::vector<std::uint64_t> SplitHashes(const table::Frame& frame) {
  std::vector<std::uint64_t> hashes = table::RowHashes(frame);
  std::unordered_map<std::uint64_t, std::uint64_t> seen;
  for (std::uint64_t& hash : hashes) hash = Xxh3("row", hash + seen[hash]++);
  return hashes;
}

// A column that splits must tell rows apart.
Result<> CheckVaries(const table::Column& column, std::string_view option) {
  std::size_t first = 0;
  while (first < column.size() && !column.IsValid(first)) ++first;
  if (first == column.size())
    return InvalidArgument("GY3501", "the {} `{}` is always missing", option, column.name);
  for (std::size_t i = first + 1; i < column.size(); ++i) {
    if (column.IsValid(i) && table::CellText(column, i) != table::CellText(column, first))
      return {};
  }
  return InvalidArgument("GY3501", "the {} `{}` has one value only: it splits nothing", option,
                         column.name);
}

bool AllDiffer(std::vector<std::uint64_t> hashes) {
  std::ranges::sort(hashes);
  return std::ranges::adjacent_find(hashes) == hashes.end();
}

std::int64_t Missing(const table::Column& column) {
  return column.valid.empty() ? 0 : std::ranges::count(column.valid, 0);
}

// Rows that lack the key are not known to belong together, unless they are equal.
std::vector<std::uint64_t> GroupsOf(const table::Column& column, const table::Frame& frame) {
  std::vector<std::uint64_t> groups, rows;
  if (Missing(column) > 0) rows = table::RowHashes(frame);
  for (std::size_t i = 0; i < column.size(); ++i)
    groups.push_back(column.IsValid(i) ? Xxh3(table::CellText(column, i)) : Xxh3("row", rows[i]));
  return groups;
}

Result<> ReadTimeAndGroup(const table::Frame& frame, Problem* problem, SplitRequest* split) {
  const FitRequest& r = problem->request;
  if (!r.time_column.empty()) {
    const table::Column& column = *frame.Find(r.time_column);
    GYRE_DO(CheckVaries(column, "time column"));
    split->kind = SplitKind::kTime;
    split->time = table::AsDoubles(column);
  }
  if (r.group_column.empty()) return {};
  const table::Column& column = *frame.Find(r.group_column);
  GYRE_DO(CheckVaries(column, "group column"));
  split->group = GroupsOf(column, frame);
  problem->excluded.push_back(r.group_column);
  if (AllDiffer(split->group)) {  // then no row has company to be kept from
    split->group.clear();
    if (r.recipe && r.recipe->roles().key == r.group_column) return {};  // as most keys
    problem->findings.push_back(
        {r.group_column, "no groups",
         fmt::format("`{}` differs in every row: rows are split without it", r.group_column),
         true});
    return {};
  }
  split->kind = r.time_column.empty() ? SplitKind::kGroup : SplitKind::kTimeGroup;
  problem->findings.push_back(
      {r.group_column, "group", "names the groups of the split, so it is no feature", true});
  const std::int64_t missing = Missing(column);
  if (missing > 0) {
    problem->findings.push_back(
        {r.group_column, "missing groups",
         fmt::format("`{}` is missing in {} of {} rows: each of them is a group of its own",
                     r.group_column, GroupDigits(missing),
                     GroupDigits(static_cast<std::int64_t>(column.size()))),
         false});
  }
  return {};
}

// A split by time or group may put all that could be learned on one side.
Result<> CheckParts(const Problem& problem, std::size_t rows) {
  const auto& labels = problem.train_target.labels;
  const auto refuse = [&](std::string what) {
    return InvalidArgument("GY3505", "{}", std::move(what))
        .Why(fmt::format("{} of {} rows teach in this split by {}", problem.train_target.rows(),
                         rows, SplitKindName(problem.split_kind)))
        .Fix("split by another column, or without --time-column and --group-column");
  };
  if (!labels.empty() && std::ranges::all_of(labels, [&](auto l) { return l == labels[0]; }))
    return refuse(fmt::format("the rows to learn from have one class only: {}",
                              problem.train_target.classes[labels[0]]));
  const auto& groups = problem.train_group;
  if (problem.split_kind == SplitKind::kGroup &&
      std::ranges::all_of(groups, [&](auto g) { return g == groups[0]; }))
    return refuse(
        fmt::format("`{}` has two groups: one teaches, one tests, and none is left to "
                    "choose a model by",
                    problem.request.group_column));
  return {};
}

// A recipe may say how rows are to be split. In time known keys are predicted, so a key splits only
// where there is no time.
Result<> TakeRoles(FitRequest* request) {
  if (!request->recipe || request->random_split) return {};
  const recipes::Roles& roles = request->recipe->roles();
  if (!roles.time.empty() && !request->time_column.empty() && roles.time != request->time_column) {
    return InvalidArgument("GY3501", "the time column is `{}`, but the recipe says `{}`",
                           request->time_column, roles.time)
        .Fix("leave `time` out of the recipe's `input`, or --time-column out");
  }
  if (!roles.time.empty()) request->time_column = roles.time;
  if (!roles.key.empty() && request->group_column.empty() && request->time_column.empty())
    request->group_column = roles.key;
  return {};
}

// Words chosen by the answers of all rows make the rows that a model is chosen by look better than
// new ones: by half of the way from chance to certainty, on texts that say nothing.
Result<> CheckWordsAreChosenBlindly(const recipes::Spec& recipe) {
  const Json document = recipe.ToJson();
  for (const Json& step : document["steps"].items()) {
    const Json& args = step["args"];
    if (step["op"].AsString() != "text.ngrams" || args["to"].AsString() == "hash" ||
        args["select"].AsString() != "chi2")
      continue;
    return InvalidArgument("GY3523", "step `{}` chooses its words by the answer",
                           step["id"].AsString())
        .Why("rows that are to choose a model would have helped to choose its words")
        .Fix("args: {select: frequency}");
  }
  return {};
}

void NameTheUnused(std::size_t rows, Problem* problem) {
  const std::size_t unused = rows - problem->train.rows() - problem->test.rows();
  if (unused == 0) return;
  problem->findings.push_back(
      {problem->request.group_column, "neither side",
       fmt::format("{} rows of older groups are newer than the first test row: they neither teach "
                   "nor test",
                   unused),
       false});
}

// Columns that are left out, and which rows teach and which test.
Result<> Divide(const table::Frame& frame, const Target& target, Problem* problem) {
  const FitRequest& r = problem->request;
  GYRE_DO(FindSuspects(frame, problem));
  SplitRequest split{
      .target = &target, .time = {}, .group = {}, .content = {}, .test_share = r.test_share};
  if (r.test_last > 0 && r.test_last < static_cast<std::int64_t>(target.rows()))
    split.test_from = target.rows() - static_cast<std::size_t>(r.test_last);
  GYRE_DO(ReadTimeAndGroup(frame, problem, &split));
  if (split.kind == SplitKind::kStratified) {
    split.content = SplitHashes(frame);
    if (!r.random_split)
      std::ranges::move(SplitHints(frame, r), std::back_inserter(problem->findings));
  }
  problem->split_kind = split.kind;
  GYRE_TRY(const Split parts, MakeSplit(split));
  problem->train = frame.Select(parts.train);
  problem->test = frame.Select(parts.test);
  problem->train_target = Subset(target, parts.train);
  problem->test_target = Subset(target, parts.test);
  if (!split.group.empty()) {
    for (const std::uint32_t row : parts.train) problem->train_group.push_back(split.group[row]);
  }
  GYRE_DO(CheckParts(*problem, frame.rows()));
  NameTheUnused(frame.rows(), problem);
  return {};
}

bool HasOneClass(const Target& target) {
  return !target.labels.empty() &&
         std::ranges::all_of(target.labels, [&](auto l) { return l == target.labels[0]; });
}

// By the column that surely splits better than chance, when there is one and both parts can be
// used.
bool DivideBy(const SplitChoice& choice, const table::Frame& frame, const Target& target,
              Problem* problem) {
  (choice.is_time ? problem->request.time_column : problem->request.group_column) = choice.column;
  problem->findings.push_back({choice.column, "split", choice.text, false});
  return Divide(frame, target, problem).has_value() && !HasOneClass(problem->test_target);
}

Result<> ChooseAndDivide(const table::Frame& frame, const Target& target, Problem* problem) {
  const FitRequest& r = problem->request;
  if (!r.random_split && r.time_column.empty() && r.group_column.empty()) {
    if (const auto choice = ChooseSplit(frame, r)) {
      Problem divided = *problem;
      if (DivideBy(*choice, frame, target, &divided)) {
        *problem = std::move(divided);
        return {};
      }
    }
  }
  return Divide(frame, target, problem);
}

}  // namespace

Result<> CheckColumns(const FitRequest& request, const table::Schema& schema) {
  const auto exists = [&](std::string_view noun, const std::string& name) -> Result<table::Type> {
    std::vector<std::string> names;
    for (const table::Field& field : schema) {
      if (field.name == name) return field.type;
      names.push_back(field.name);
    }
    return NoColumn(noun, name, std::move(names));
  };
  GYRE_DO(exists("target column", request.target));
  for (const auto& [noun, name] :
       {std::pair{"time column", &request.time_column}, {"group column", &request.group_column}}) {
    if (name->empty()) continue;
    GYRE_TRY(const table::Type type, exists(noun, *name));
    if (*name == request.target) {
      return InvalidArgument("GY3501", "`{}` is the target: it cannot be the {} too", *name, noun)
          .Why("rows cannot be split by the answer that is to be predicted");
    }
    if (name == &request.time_column &&
        (type == table::Type::kText || type == table::Type::kBool)) {
      return InvalidArgument("GY3501", "the time column `{}` holds {}", *name,
                             table::TypeName(type))
          .Fix(fmt::format("gyre add FILE --type {}=timestamp", *name));
    }
  }
  if (!request.time_column.empty() && request.time_column == request.group_column) {
    return InvalidArgument("GY3501", "`{}` cannot be both the time and the group column",
                           request.time_column);
  }
  if (!request.recipe) return {};
  if (!request.group_column.empty() && ReadsColumn(request, request.group_column)) {
    return InvalidArgument("GY3507", "the recipe reads `{}`, the group column",
                           request.group_column)
        .Why("new rows are of new groups, of which the model knows nothing")
        .Fix("leave out the steps that read it");
  }
  GYRE_DO(CheckWordsAreChosenBlindly(*request.recipe));
  return recipes::CheckAgainst(*request.recipe, schema, request.target);
}

bool ReadsColumn(const FitRequest& request, std::string_view column) {
  if (!request.recipe) return false;
  const table::Schema& input = request.recipe->input();
  return std::ranges::find(input, column, &table::Field::name) != input.end();
}

std::string_view DefaultMetric(Task task) {
  switch (task) {
    case Task::kBinary:
      return "auc";
    case Task::kMulticlass:
      return "log_loss";
    case Task::kRegression:
      return "rmse";
  }
  return "";
}

Result<FitRequest> ParseFitRequest(const Json& json) {
  FitRequest request;
  for (const Json& part : json["parts"].items()) request.parts.push_back(part.AsString());
  GYRE_TRY(request.target, json.GetString("target"));
  if (const std::string& task = json["task"].AsString(); !task.empty()) {
    GYRE_TRY(request.task, predictors::ParseTask(task));
  }
  request.metric = json["metric"].AsString();
  request.positive = json["positive"].AsString();
  request.dataset = json["dataset"].AsString();
  request.trials = static_cast<int>(json["trials"].AsInt(0));
  const bool has_clock = json["budget_seconds"].is_number() || request.trials == 0;
  request.budget_seconds = has_clock ? json["budget_seconds"].AsDouble(kBudgetSeconds) : 0;
  request.seed = static_cast<std::uint64_t>(json["seed"].AsInt(0));
  request.threads = static_cast<int>(std::clamp<std::int64_t>(json["threads"].AsInt(1), 1, 64));
  request.time_column = json["time_column"].AsString();
  request.group_column = json["group_column"].AsString();
  request.random_split = json["split"].AsString() == "random";
  request.keep_leaks = json["keep_leaks"].AsBool();
  request.test_share = json["test_share"].AsDouble(0);
  request.test_last = json["test_last"].AsInt(0);
  request.formats = table::FormatsOf(json["formats"]);
  if (const Json& recipe = json["recipe"]; !recipe.is_null()) {
    GYRE_TRY(request.recipe, recipes::Spec::FromJson(recipe));
  }
  if (request.random_split && !(request.time_column.empty() && request.group_column.empty())) {
    return InvalidArgument("GY3501", "a random split goes by no time and no group column")
        .Fix("leave out --split random, or the column");
  }
  GYRE_DO(TakeRoles(&request));
  request.champion_package = json["champion_package"].AsString();
  request.champion_name = json["champion_name"].AsString();
  request.champion_lessons = evaluation::LessonsFromJson(json["champion_lessons"]);
  request.champion_positive = json["champion_positive"].AsString();
  constexpr double kBudgetMin = 1, kBudgetMax = 7 * 86'400;
  constexpr int kTrialsMax = 10'000;
  if (has_clock &&
      !(request.budget_seconds >= kBudgetMin && request.budget_seconds <= kBudgetMax)) {
    return InvalidArgument("GY3501", "the budget must be 1 s to 7 days, not {} s",
                           request.budget_seconds)
        .Fix("--budget 40s");
  }
  if (request.trials < 0 || request.trials > kTrialsMax) {
    return InvalidArgument("GY3501", "the number of trials must be 1 to {}, not {}", kTrialsMax,
                           request.trials)
        .Fix("--trials 20");
  }
  if (request.test_share < 0 || request.test_share > 0.9) {
    return InvalidArgument("GY3501", "the share of test rows must be below 0.9, not {}",
                           request.test_share);
  }
  return request;
}

Json FitRequestToJson(const FitRequest& r) {
  Json parts = Json::Arr();
  for (const std::string& part : r.parts) parts.Push(part);
  return Json::Obj({{"parts", std::move(parts)},
                    {"dataset", r.dataset},
                    {"target", r.target},
                    {"task", r.task ? Json(predictors::TaskName(*r.task)) : Json()},
                    {"metric", r.metric},
                    {"positive", r.positive},
                    {"budget_seconds", r.budget_seconds > 0 ? Json(r.budget_seconds) : Json()},
                    {"trials", r.trials},
                    {"seed", static_cast<std::int64_t>(r.seed)},
                    {"threads", r.threads},
                    {"time_column", r.time_column},
                    {"group_column", r.group_column},
                    {"split", r.random_split ? "random" : ""},
                    {"keep_leaks", r.keep_leaks},
                    {"test_share", r.test_share},
                    {"test_last", r.test_last},
                    {"formats", table::FormatsToJson(r.formats)},
                    {"recipe", r.recipe ? r.recipe->ToJson() : Json()},
                    {"champion_package", r.champion_package},
                    {"champion_name", r.champion_name},
                    {"champion_lessons", evaluation::LessonsToJson(r.champion_lessons)},
                    {"champion_positive", r.champion_positive}});
}

Result<Problem> PrepareProblem(FitRequest request) {
  const std::int64_t start_us = SystemClock().MonotonicMicros();
  GYRE_TRY(table::Frame frame, table::ReadParquet(request.parts));
  GYRE_TRY(Problem problem, PrepareProblem(std::move(request), std::move(frame)));
  problem.start_us = start_us;
  return problem;
}

Result<Problem> PrepareProblem(FitRequest request, table::Frame frame) {
  Problem problem;
  problem.start_us = SystemClock().MonotonicMicros();
  problem.request = std::move(request);
  const FitRequest& r = problem.request;
  GYRE_DO(CheckColumns(r, frame.schema()));
  GYRE_TRY(Target target, ReadTarget(*frame.Find(r.target), r.task));
  GYRE_DO(ChoosePositive({r.positive, r.champion_positive}, &target));
  GYRE_TRY(problem.metric, ChooseMetric(r.metric, target.task));
  if (target.missing > 0) {
    problem.findings.push_back(
        {r.target, "missing target",
         fmt::format("{} rows have no target and are left out", target.missing), false});
    frame = frame.Select(target.kept);
  }
  GYRE_DO(ChooseAndDivide(frame, target, &problem));
  NoteCopies(&problem);
  return problem;
}

}  // namespace gyre::training
