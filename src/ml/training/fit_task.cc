#include "ml/training/fit_task.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "ml/evaluation/evaluate.h"
#include "ml/predictors/scorer.h"
#include "ml/recipes/recipe.h"
#include "ml/training/champion.h"
#include "ml/training/families.h"
#include "ml/training/fold_values.h"
#include "ml/training/linear_fit.h"
#include "ml/training/reference_profile.h"
#include "ml/training/session.h"
#include "platform/exec/files.h"
#include "platform/table/writer.h"

namespace gyre::training {

namespace {

using recipes::SuggestOptions;

// A recipe fitted on the training rows, with their numbers: a matrix for trees, sparse rows for
// linear models.
struct Prepared {
  recipes::Fitted fitted;
  recipes::Matrix matrix;
  std::optional<SparseRows> rows;
  std::string saved;
  bool free_text = false;
};

// Free text is a special case. Word odds, which learn from labels before the folds are cut, say
// little that words do not: out they go. And a linear model wants many more words than fit into a
// matrix of the usual kind, rare ones too where the text is the main matter.
Json SuitText(const Json& spec, bool linear, bool* free_text) {
  constexpr std::size_t kColumnsBesideText = 4;
  const bool main_matter = spec["input"]["schema"].size() <= kColumnsBesideText;
  const int words = main_matter ? 32'768 : 8'192, rows_min = main_matter ? 1 : 2;
  Json steps = Json::Arr(), outputs = Json::Arr();
  std::vector<std::string> dropped;
  for (const Json& step : spec["steps"].items())
    *free_text = *free_text || step["op"].AsString() == "text.ngrams";
  for (const Json& step : spec["steps"].items()) {
    const std::string& op = step["op"].AsString();
    if (op == "text.bayes") {
      dropped.push_back(step["id"].AsString());
      continue;
    }
    Json kept = step;
    if (linear && op == "text.ngrams") {
      Json args = step["args"];
      args.Set("columns", words).Set("min_rows", rows_min);
      kept.Set("args", std::move(args));
    }
    steps.Push(std::move(kept));
  }
  for (const Json& output : spec["output"]["vector"].items()) {
    if (std::ranges::find(dropped, output.AsString()) == dropped.end()) outputs.Push(output);
  }
  Json honest = spec;
  honest.Set("steps", std::move(steps));
  honest.Set("output", Json::Obj({{"vector", std::move(outputs)}}));
  return honest;
}

// Which texts a recipe reads word by word.
bool HasFreeText(const recipes::Spec& spec) {
  const Json document = spec.ToJson();
  return std::ranges::any_of(document["steps"].items(), [](const Json& step) {
    return step["op"].AsString() == "text.ngrams";
  });
}

// A recipe that was asked for is fitted as it stands, for every family alike.
Result<Prepared> PrepareAsked(const Problem& problem) {
  const recipes::Spec& spec = *problem.request.recipe;
  recipes::FitOptions options;
  options.target = problem.train.Find(problem.request.target);
  options.seed = problem.request.seed;
  GYRE_TRY(recipes::FitTransformResult both, recipes::FitTransform(spec, problem.train, options));
  Prepared prepared{std::move(both.fitted), std::move(both.matrix), {}, {}, HasFreeText(spec)};
  // A linear model has no answer to a value that is missing.
  if (std::ranges::all_of(prepared.matrix.values, [](double x) { return std::isfinite(x); })) {
    prepared.rows.emplace(prepared.matrix.columns);
    prepared.rows->Append(prepared.matrix);
  }
  prepared.saved = prepared.fitted.Save();
  return prepared;
}

// Rows of a wide recipe without ever holding all its columns for all rows.
Result<SparseRows> ApplyInPieces(const recipes::Fitted& fitted, const table::Frame& frame) {
  constexpr std::uint32_t kRows = 512;
  SparseRows sparse(fitted.width());
  const auto rows = static_cast<std::uint32_t>(frame.rows());
  for (std::uint32_t begin = 0; begin < rows; begin += kRows) {
    std::vector<std::uint32_t> piece(std::min(kRows, rows - begin));
    std::iota(piece.begin(), piece.end(), begin);
    GYRE_TRY(const recipes::Matrix matrix, fitted.Apply(frame.Select(piece)));
    sparse.Append(matrix);
  }
  return sparse;
}

// Rows that were made piece by piece have read their own labels: what learns from these is made
// again, out of fold.
Result<SparseRows> OutOfFold(const recipes::Fitted& fitted, const Problem& problem,
                             SparseRows rows) {
  const FoldValues values(fitted, problem);
  if (values.empty()) return rows;
  Fold all;
  all.train.resize(problem.train.rows());
  std::iota(all.train.begin(), all.train.end(), 0U);
  GYRE_TRY(FoldRows own, FoldRows::Make(rows, values, {all}));
  return own.Take(0);
}

Result<Prepared> Prepare(const Problem& problem, SuggestOptions::For model) {
  const bool linear = model == SuggestOptions::For::kLinear;
  SuggestOptions suggest{problem.request.target, problem.excluded, model};
  GYRE_TRY(const recipes::Spec suggested, recipes::Suggest(problem.train, suggest));
  bool free_text = false;
  GYRE_TRY(const recipes::Spec spec,
           recipes::Spec::FromJson(SuitText(suggested.ToJson(), linear, &free_text)));
  recipes::FitOptions options;
  options.target = problem.train.Find(problem.request.target);
  options.seed = problem.request.seed;
  std::optional<Prepared> prepared;
  if (linear && free_text) {
    GYRE_TRY(recipes::Fitted fitted, recipes::Fit(spec, problem.train, options));
    GYRE_TRY(SparseRows rows, ApplyInPieces(fitted, problem.train));
    GYRE_TRY(rows, OutOfFold(fitted, problem, std::move(rows)));
    prepared = Prepared{std::move(fitted), {}, std::move(rows), {}, true};
  } else {
    GYRE_TRY(recipes::FitTransformResult both, recipes::FitTransform(spec, problem.train, options));
    prepared =
        Prepared{std::move(both.fitted), std::move(both.matrix), std::nullopt, {}, free_text};
    if (linear) {
      prepared->rows.emplace(prepared->matrix.columns);
      prepared->rows->Append(prepared->matrix);
      prepared->matrix = {};
    }
  }
  prepared->saved = prepared->fitted.Save();
  return *std::move(prepared);
}

struct Packed {
  Finalist finalist;
  const std::string* recipe = nullptr;
  std::string bytes;  // of the ModelPackage
  statistics::MetricSet valid, test;
};

predictors::ModelPackage PackageOf(const Problem& problem, const Finalist& finalist,
                                   const std::string& recipe) {
  predictors::ModelPackage package;
  package.task = problem.task();
  package.classes = problem.train_target.classes;
  package.target = problem.request.target;
  package.target_type = problem.train.Find(problem.request.target)->type;
  package.formats = problem.request.formats;
  package.formats.erase(problem.request.target);
  package.recipe = recipe;
  package.predictor_format = finalist.format;
  package.predictor = finalist.predictor;
  package.learner = finalist.learner;
  return package;
}

Result<statistics::MetricSet> TestMetrics(const Problem& problem,
                                          const predictors::Scorer& scorer) {
  GYRE_TRY(const predictors::Scores scores, scorer.Score(problem.test));
  const Target& target = problem.test_target;
  if (problem.task() == predictors::Task::kRegression)
    return statistics::RegressionMetrics(target.values, scores.prediction);
  if (problem.task() == predictors::Task::kMulticlass) {
    return statistics::MulticlassMetrics(target.labels, scores.probabilities,
                                         target.classes.size());
  }
  std::vector<std::uint8_t> labels(target.labels.begin(), target.labels.end());
  std::vector<double> p;
  for (std::size_t i = 0; i < scores.rows; ++i) p.push_back(scores.probabilities[2 * i + 1]);
  return statistics::BinaryMetrics(labels, p);
}

Result<Packed> Pack(const Problem& problem, Finalist finalist, const std::string& recipe) {
  Packed packed;
  packed.recipe = &recipe;
  const predictors::ModelPackage package = PackageOf(problem, finalist, recipe);
  packed.bytes = package.Save();
  GYRE_TRY(const auto scorer, predictors::Scorer::Load(packed.bytes));
  // One class among few test rows leaves metrics undefined: the leaderboard shows a dash, the model
  // is no worse for it.
  if (auto test = TestMetrics(problem, *scorer)) packed.test = *std::move(test);
  packed.finalist = std::move(finalist);
  return packed;
}

// Worth of every finalist on the rows that all of them hold.
void RankFinalists(const FitSession& session, std::vector<Packed>* finalists) {
  std::vector<std::uint32_t> common = (*finalists)[0].finalist.held.rows;
  for (const Packed& packed : *finalists) {
    std::vector<std::uint32_t> both;
    std::ranges::set_intersection(common, packed.finalist.held.rows, std::back_inserter(both));
    common = std::move(both);
  }
  const std::size_t outputs = session.problem().outputs();
  for (Packed& packed : *finalists) {
    const Held& held = packed.finalist.held;
    Held part;
    part.link = held.link;
    part.rows = common;
    std::size_t at = 0;
    for (const std::uint32_t row : common) {
      while (held.rows[at] != row) ++at;
      part.raw.insert(part.raw.end(), held.raw.begin() + static_cast<std::ptrdiff_t>(at * outputs),
                      held.raw.begin() + static_cast<std::ptrdiff_t>((at + 1) * outputs));
    }
    packed.finalist.worth = session.WorthOf(part);
    if (auto metrics = session.MetricsOfHeld(part)) packed.valid = *std::move(metrics);
  }
  // The baseline cannot win against an equal; otherwise the simpler one, which stands first, does.
  std::ranges::stable_sort(*finalists, [](const Packed& a, const Packed& b) {
    return a.finalist.worth > b.finalist.worth;
  });
}

Json FindingsJson(const Problem& problem) {
  Json findings = Json::Arr();
  for (const Finding& f : problem.findings) {
    findings.Push(Json::Obj(
        {{"column", f.column}, {"kind", f.kind}, {"text", f.text}, {"left_out", f.left_out}}));
  }
  return findings;
}

Json NotesJson(const FitSession& session) {
  Json notes = Json::Arr();
  for (const std::string& note : session.notes()) notes.Push(note);
  return notes;
}

Json LeaderboardJson(const Problem& problem, const std::vector<Packed>& finalists) {
  Json board = Json::Arr();
  for (std::size_t i = 0; i < finalists.size(); ++i) {
    const Packed& p = finalists[i];
    const auto number = [&](const statistics::MetricSet& set) {
      const auto value = set.Find(problem.metric->name);
      return value ? Json(*value) : Json();
    };
    board.Push(Json::Obj({{"rank", i + 1},
                          {"name", p.finalist.name},
                          {"learner", p.finalist.learner},
                          {"valid", number(p.valid)},
                          {"test", number(p.test)},
                          {"bytes", p.bytes.size()},
                          {"effort", EffortToJson(p.finalist.effort)},
                          {"params", p.finalist.params}}));
  }
  return board;
}

// Null where no class is the one to find.
Json PositiveJson(const Problem& problem) {
  const std::string positive = problem.train_target.positive();
  return positive.empty() ? Json() : Json(positive);
}

Json WithPositive(const Problem& problem, Json answer) {
  answer.Set("positive", PositiveJson(problem));
  answer.Set("positive_reason", problem.train_target.positive_reason);
  return answer;
}

Json Signature(const table::Schema& input, const Problem& problem) {
  Json inputs = table::SchemaToJson(input);
  table::AddFormats(problem.request.formats, &inputs);
  Json classes = Json::Arr();
  for (const std::string& name : problem.train_target.classes) classes.Push(name);
  return Json::Obj({{"inputs", std::move(inputs)},
                    {"outputs", Json::Obj({{"task", predictors::TaskName(problem.task())},
                                           {"classes", std::move(classes)},
                                           {"positive", PositiveJson(problem)}})}});
}

// How good the chosen model is on rows that no fit has seen, and whether it beats the champion on
// rows that are new to both.
Result<Json> Judge(runners::TaskContext& context, const FitSession& session, const Packed& best) {
  const Problem& problem = session.problem();
  constexpr double kFrom = 0.93;
  GYRE_TRY(const auto scorer, predictors::Scorer::Load(best.bytes));
  evaluation::EvaluateOptions options;
  options.primary_metric = problem.metric->name;
  options.bootstrap.seed = problem.request.seed;
  // The budget is for the whole; with a count of trials the bytes of the evaluation are the same
  // again.
  if (!session.counted()) options.importance_seconds_max = std::max(session.seconds_left(), 0.1);
  options.cancelled = [&] { return context.cancelled(); };
  options.progress = [&](double fraction, std::string_view text) {
    context.Progress(kFrom + (1 - kFrom) * fraction, text);
  };
  GYRE_TRY(evaluation::Evaluation evaluation, evaluation::Evaluate(*scorer, problem.test, options));
  Json answer = Json::Obj();
  std::optional<evaluation::Comparison> comparison;
  if (!problem.request.champion_package.empty()) {
    auto compared = CompareWithChampion(problem, *scorer, options, &evaluation.warnings);
    if (compared) {
      comparison = *std::move(compared);
      answer.Set("comparison", comparison->ToJson());
    } else {
      // The champion answers another question, reads columns that are gone, or knows the rows: it
      // cannot defend itself here.
      const Error& error = compared.error();
      answer.Set("not_compared", error.fixes().empty()
                                     ? error.message()
                                     : fmt::format("{}; {}", error.message(), error.fixes()[0]));
    }
  }
  answer.Set("evaluation", evaluation.ToJson());
  const std::string_view champion =
      comparison ? std::string_view(problem.request.champion_name) : std::string_view();
  answer.Set("gate_numbers",
             evaluation::MakeGateNumbers(evaluation, comparison ? &*comparison : nullptr, champion)
                 .ToJson());
  return answer;
}

struct Families {
  std::optional<Prepared> trees, linear;
  std::vector<Packed> finalists;
};

Result<> FitLinear(FitSession& session, const Prepared& prepared, double share, Families* out) {
  const FoldValues values(prepared.fitted, session.problem());
  GYRE_TRY(auto finalists, FitLinearFamily(session, *prepared.rows, values, share));
  for (Finalist& finalist : finalists) {
    GYRE_TRY(Packed packed, Pack(session.problem(), std::move(finalist), prepared.saved));
    out->finalists.push_back(std::move(packed));
  }
  return {};
}

// Trees first when they are sure to be needed; a linear model that its recipe cannot be made for is
// left out, and said.
Result<> FitFamilies(runners::TaskContext& context, FitSession& session, Families* out) {
  const Problem& problem = session.problem();
  const bool asked = problem.request.recipe.has_value();
  GYRE_TRY(Prepared trees,
           asked ? PrepareAsked(problem) : Prepare(problem, SuggestOptions::For::kTrees));
  out->trees = std::move(trees);
  const recipes::Matrix& matrix = out->trees->matrix;
  GYRE_TRY(Finalist constant, FitConstant(session, matrix.columns));
  GYRE_TRY(Packed packed_constant, Pack(problem, std::move(constant), out->trees->saved));
  out->finalists.push_back(std::move(packed_constant));

  // Of the budget. With free text linear models are the ones to beat.
  const double linear_share = out->trees->free_text ? 0.5 : 0.2;
  if (asked) {
    if (out->trees->rows) {
      GYRE_DO(FitLinear(session, *out->trees, linear_share, out));
    } else {
      session.Note("no linear model: the recipe leaves values missing");
    }
  } else if (auto linear = Prepare(problem, SuggestOptions::For::kLinear)) {
    out->linear = *std::move(linear);
    GYRE_DO(FitLinear(session, *out->linear, linear_share, out));
  } else {
    context.Log(fmt::format("no linear model: {}", linear.error().message()));
  }
  const FoldValues values(out->trees->fitted, problem);
  GYRE_TRY(auto boosted,
           FitBoostFamily(session, matrix, values, out->trees->fitted.code_columns()));
  if (boosted) {
    GYRE_TRY(Packed packed, Pack(problem, *std::move(boosted), out->trees->saved));
    out->finalists.push_back(std::move(packed));
  }
  return {};
}

Result<> WriteFiles(const std::string& scratch, const Problem& problem, const std::string& best,
                    const std::string& baseline) {
  GYRE_DO(exec::WriteFile(scratch + "/model.json", best));
  GYRE_DO(exec::WriteFile(scratch + "/baseline.json", baseline));
  GYRE_TRY(const auto scorer, predictors::Scorer::Load(best));
  GYRE_TRY(const Json reference, ReferenceProfile(problem.train, problem.test, *scorer));
  GYRE_DO(exec::WriteFile(scratch + "/reference.json", reference.Dump()));
  return table::WriteParquet(problem.test, scratch + "/holdout.parquet");
}

}  // namespace

Result<Json> FitTask(runners::TaskContext& context) {
  GYRE_TRY(FitRequest request, ParseFitRequest(context.input()));
  context.Progress(0, "reading the data");
  GYRE_TRY(const Problem problem, PrepareProblem(std::move(request)));
  return FitProblem(context, problem);
}

Result<Json> PlanTask(runners::TaskContext& context) {
  GYRE_TRY(FitRequest request, ParseFitRequest(context.input()));
  GYRE_TRY(const Problem problem, PrepareProblem(std::move(request)));
  const FitSession session(context, problem);
  Json columns = Json::Arr(), candidates = Json::Arr(), classes = Json::Arr();
  for (const table::Column& column : problem.train.columns) {
    const auto& recipe = problem.request.recipe;
    const bool left_out =
        column.name == problem.request.target ||
        std::ranges::find(problem.excluded, column.name) != problem.excluded.end() ||
        (recipe && std::ranges::find(recipe->input(), column.name, &table::Field::name) ==
                       recipe->input().end());
    if (!left_out) columns.Push(column.name);
  }
  const bool regression = problem.task() == predictors::Task::kRegression;
  candidates.Push("constant");
  const std::string linear = regression ? "linear: ridge and lasso" : "logistic";
  candidates.Push(problem.request.recipe ? linear + " (when the recipe leaves nothing missing)"
                                         : linear);
  candidates.Push(session.holds_out() ? "LightGBM" : "LightGBM, a bag over the folds");
  for (const std::string& name : problem.train_target.classes) classes.Push(name);
  return WithPositive(
      problem,
      Json::Obj({{"task", predictors::TaskName(problem.task())},
                 {"target", problem.request.target},
                 {"classes", std::move(classes)},
                 {"metric", problem.metric->name},
                 {"split", Json::Obj({{"kind", SplitKindName(problem.split_kind)},
                                      {"train_rows", problem.train.rows()},
                                      {"test_rows", problem.test.rows()},
                                      {"folds", session.fold_count()}})},
                 {"candidates", std::move(candidates)},
                 {"columns", std::move(columns)},
                 {"recipe", problem.request.recipe ? Json(problem.request.recipe->hash()) : Json()},
                 {"findings", FindingsJson(problem)}}));
}

Result<Json> FitProblem(runners::TaskContext& context, const Problem& problem) {
  FitSession session(context, problem);
  for (const Finding& f : problem.findings)
    context.Log(fmt::format("column {}: {}{}", f.column, f.text, f.left_out ? " (left out)" : ""));
  context.Log(fmt::format("target {}: {}; {} split, {} rows to learn from, {} to test on",
                          problem.request.target, problem.train_target.reason,
                          SplitKindName(problem.split_kind), problem.train_target.rows(),
                          problem.test_target.rows()));
  Families families;
  GYRE_DO(FitFamilies(context, session, &families));
  if (context.cancelled()) return MakeError(Code::kCancelled, "GY3312", "training was cancelled");
  std::vector<Packed>& finalists = families.finalists;
  const std::string baseline = finalists[0].bytes;
  RankFinalists(session, &finalists);
  const Packed& best = finalists[0];
  // Few test rows of one class cannot judge a model; it is then registered without a verdict, and
  // that is said.
  Json judged;
  if (auto result = Judge(context, session, best)) {
    judged = *std::move(result);
  } else if (result.error().code() == Code::kCancelled) {
    return result.error();
  } else {
    judged.Set("not_evaluated", result.error().message());
  }
  GYRE_DO(WriteFiles(context.scratch_directory(), problem, best.bytes, baseline));
  const recipes::Fitted& recipe =
      best.recipe == &families.trees->saved ? families.trees->fitted : families.linear->fitted;
  return WithPositive(
      problem,
      Json::Obj(
          {{"task", predictors::TaskName(problem.task())},
           {"metric", problem.metric->name},
           {"better", problem.metric->better == statistics::Better::kHigher ? "higher" : "lower"},
           {"target", problem.request.target},
           {"reason", problem.train_target.reason},
           {"split", Json::Obj({{"kind", SplitKindName(problem.split_kind)},
                                {"train_rows", problem.train_target.rows()},
                                {"test_rows", problem.test_target.rows()}})},
           {"findings", FindingsJson(problem)},
           {"leaderboard", LeaderboardJson(problem, finalists)},
           {"candidates", session.candidates().size()},
           {"notes", NotesJson(session)},
           {"best", best.finalist.name},
           {"learner", best.finalist.learner},
           {"valid_metrics", best.valid.ToJson()},
           {"test_metrics", best.test.ToJson()},
           {"package", "model.json"},
           {"baseline_package", "baseline.json"},
           {"holdout", "holdout.parquet"},
           {"reference", "reference.json"},
           {"package_sha256", Sha256Hex(best.bytes)},
           {"recipe_hash", recipe.spec().hash()},
           {"signature", Signature(recipe.input(), problem)},
           {"judged", std::move(judged)},
           {"wall_seconds", session.elapsed()}}));
}

}  // namespace gyre::training
