#include "ml/evaluation/evaluation_task.h"

#include <limits>
#include <optional>

#include "base/text.h"
#include "ml/evaluation/evaluations.h"
#include "ml/evaluation/learned.h"
#include "platform/exec/files.h"
#include "platform/table/reader.h"

namespace gyre::evaluation {
namespace {

constexpr std::int64_t kPackageBytesMax = std::int64_t{1} << 30;

Error BadOption(std::string_view key, std::string_view rule) {
  return InvalidArgument("GY3705", "evaluation option `{}` is wrong", key).Why(std::string(rule));
}

Result<> ReadWhole(const Json& value, std::string_view key, int min, int max, int* target) {
  if (!value.is_int() || value.AsInt() < min || value.AsInt() > max)
    return BadOption(key, fmt::format("a whole number from {} to {}", min, max));
  *target = static_cast<int>(value.AsInt());
  return {};
}

Result<> ReadFlag(const Json& value, std::string_view key, bool* target) {
  if (!value.is_bool()) return BadOption(key, "true or false");
  *target = value.AsBool();
  return {};
}

Result<> ReadOption(const std::string& key, const Json& value, EvaluateOptions* options) {
  if (key == "resamples") return ReadWhole(value, key, 10, 100'000, &options->bootstrap.resamples);
  if (key == "slice_rows_min")
    return ReadWhole(value, key, 2, std::numeric_limits<int>::max(), &options->slice_rows_min);
  if (key == "slices") return ReadFlag(value, key, &options->slices);
  if (key == "importance") return ReadFlag(value, key, &options->importance);
  if (key == "seed") {
    if (!value.is_int() || value.AsInt() < 0) return BadOption(key, "a whole number from 0 up");
    options->bootstrap.seed = static_cast<std::uint64_t>(value.AsInt());
    return {};
  }
  if (key == "confidence") {
    const double confidence = value.AsDouble(-1);
    if (!(confidence >= 0.5 && confidence < 1))
      return BadOption(key, "a number from 0.5 to below 1");
    options->bootstrap.confidence = confidence;
    return {};
  }
  if (key == "interval") {
    if (value.AsString() != "percentile" && value.AsString() != "bca")
      return BadOption(key, "percentile or bca");
    options->bootstrap.kind = value.AsString() == "bca" ? statistics::IntervalKind::kBca
                                                        : statistics::IntervalKind::kPercentile;
    return {};
  }
  return BadOption(
      key,
      "the options are seed, resamples, confidence, interval, slices, importance, slice_rows_min");
}

Result<std::shared_ptr<const predictors::Scorer>> LoadScorer(const std::string& path) {
  GYRE_TRY(const std::string bytes, exec::ReadFile(path, kPackageBytesMax));
  return predictors::Scorer::Load(bytes);
}

// Only what is needed: the target, what the models read, and everything else that may be sliced by.
Result<table::Frame> ReadFrame(const Json& parts, runners::TaskContext& context) {
  std::vector<std::string> paths;
  for (const Json& part : parts.items()) paths.push_back(part.AsString());
  if (paths.empty()) return InvalidArgument("GY3705", "there is no data to evaluate on");
  table::ReadOptions options;
  options.cancelled = [&context] { return context.cancelled(); };
  return table::ReadParquet(paths, options);
}

std::string RemedyOf(const Lessons& lessons, bool is_champion) {
  if (is_champion)
    return ". To compare on rows that are new to both, add them as a dataset and name it: --on";
  if (lessons.holdout.empty())
    return ". To judge by rows that it has not seen, add them as a dataset and name it: --on";
  return ". To judge by the rows held out from it: gyre evaluate " + lessons.model;
}

// Numbers on rows that a model learned from flatter it.
Result<Json> CountLessons(const Json& input, const table::Frame& frame, Evaluation* evaluation,
                          runners::TaskContext& context) {
  Json counts = Json::Obj();
  for (const Json& one : input["lessons"].items()) {
    const Lessons lessons = LessonsFromJson(one);
    GYRE_TRY(const std::size_t learned,
             CountLearned(frame, lessons, [&context] { return context.cancelled(); }));
    counts.Set(lessons.model, learned);
    if (learned == 0) continue;
    evaluation->warnings.push_back(
        fmt::format("{} learned from {} of these {} rows: the numbers flatter it{}", lessons.model,
                    GroupDigits(static_cast<std::int64_t>(learned)),
                    GroupDigits(static_cast<std::int64_t>(frame.rows())),
                    RemedyOf(lessons, lessons.model == input["champion_name"].AsString())));
  }
  return counts;
}

}  // namespace

Result<EvaluateOptions> OptionsFromJson(const Json& json) {
  EvaluateOptions options;
  if (!json.is_null() && !json.is_object())
    return InvalidArgument("GY3705", "the options of an evaluation are an object");
  for (const auto& [key, value] : json.members()) GYRE_DO(ReadOption(key, value, &options));
  return options;
}

Result<Json> RunEvaluationTask(runners::TaskContext& context) {
  const Json& input = context.input();
  GYRE_TRY(EvaluateOptions options, OptionsFromJson(input["options"]));
  options.primary_metric = input["primary"].AsString();
  options.progress = [&context](double fraction, std::string_view text) {
    context.Progress(0.05 + 0.85 * fraction, text);
  };
  options.cancelled = [&context] { return context.cancelled(); };
  context.Progress(0, "reading");
  GYRE_TRY(const auto scorer, LoadScorer(input["package"].AsString()));
  GYRE_TRY(const table::Frame frame, ReadFrame(input["parts"], context));
  GYRE_TRY(Evaluation evaluation, Evaluate(*scorer, frame, options));
  GYRE_TRY(Json learned, CountLessons(input, frame, &evaluation, context));
  std::optional<Comparison> comparison;
  const std::string champion_name = input["champion_name"].StringOr("champion");
  if (input.Has("champion")) {
    context.Progress(0.92, "comparing with the champion");
    GYRE_TRY(const auto champion, LoadScorer(input["champion"].AsString()));
    GYRE_TRY(comparison, Compare(*scorer, *champion, frame, options));
    if (std::string line = OtherPositive(*scorer, *champion, champion_name); !line.empty())
      evaluation.warnings.push_back(std::move(line));
  }
  for (const std::string& warning : evaluation.warnings) context.Log(warning);
  Json answer = Json::Obj({{"evaluation", evaluation.ToJson()}, {"learned", std::move(learned)}});
  answer.Set("rows_read", frame.rows());
  if (comparison) answer.Set("comparison", comparison->ToJson());
  answer.Set(
      "numbers",
      MakeGateNumbers(evaluation, comparison ? &*comparison : nullptr, champion_name).ToJson());
  return answer;
}

void AddTasks(runners::TaskRegistry& tasks) { tasks.Add("evaluation.run", RunEvaluationTask); }

}  // namespace gyre::evaluation
