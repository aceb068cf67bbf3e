// One window's document: {"begin", "end", "rows", "labelled", "again", "model", "signals",
// "columns", "quality", "predictions", "performance", "estimate", "labels", "health", "counts"}.
#include <algorithm>
#include <cmath>

#include "base/time.h"
#include "ml/monitoring/answers.h"
#include "ml/monitoring/estimation.h"
#include "ml/monitoring/window_task.h"
#include "ml/statistics/quantiles.h"
#include "platform/table/reader.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kProbabilityOf = "probability of ";

std::string ColumnInLog(const inference_log::Joined& head, const std::string& name) {
  for (const inference_log::JoinedInput& input : head.inputs) {
    if (input.name == name) return input.column;
  }
  return {};
}

// Columns of the reference that these rows can be compared with, and the rows in their bins.
struct Pairs {
  std::vector<ReferenceColumn> reference;
  std::vector<BinCounts> current;
};

bool Comparable(const Bins& bins, const table::Column& column) {
  const bool text = column.type == table::Type::kText;
  return bins.is_number ? !text : text || column.type == bins.type;
}

Pairs InputPairs(const WindowTask& task, const Promise& promise, const inference_log::Joined& head,
                 const table::Frame& rows) {
  Pairs pairs;
  for (const ReferenceColumn& column : promise.reference.inputs) {
    if (std::ranges::find(task.ignore, column.bins.name) != task.ignore.end()) continue;
    const table::Column* const now = rows.Find(ColumnInLog(head, column.bins.name));
    if (now == nullptr || !Comparable(column.bins, *now)) continue;
    pairs.reference.push_back(column);
    pairs.current.push_back(CountInto(column.bins, *now));
  }
  return pairs;
}

Pairs PredictionPairs(const Promise& promise, const table::Frame& rows) {
  Pairs pairs;
  const std::size_t size = promise.reference.predictions.size();
  for (std::size_t i = 0; i < size; ++i) {
    const ReferenceColumn& column = promise.reference.predictions[i];
    std::string name = column.bins.name;
    const bool probability = name.starts_with(kProbabilityOf);
    // Of two classes the second probability says all.
    if (probability && size == 3 && i == 1) continue;
    if (probability) name = "probability_" + name.substr(kProbabilityOf.size());
    const table::Column* const now = rows.Find(name);
    if (now == nullptr || !Comparable(column.bins, *now)) continue;
    pairs.reference.push_back(column);
    pairs.current.push_back(CountInto(column.bins, *now));
  }
  return pairs;
}

Json CountsOf(const Pairs& pairs) {
  Json json = Json::Obj();
  for (std::size_t i = 0; i < pairs.current.size(); ++i)
    json.Set(pairs.reference[i].bins.name, CountsToJson(pairs.current[i]));
  return json;
}

// The window before in the place of the training data, where it has the column.
Pairs AgainstPrevious(const Pairs& pairs, const Json& previous) {
  Pairs changed;
  for (std::size_t i = 0; i < pairs.current.size(); ++i) {
    const Bins& bins = pairs.reference[i].bins;
    auto counts = CountsFromJson(bins, previous[bins.name]);
    if (!counts) continue;
    changed.reference.push_back({bins, *std::move(counts)});
    changed.current.push_back(pairs.current[i]);
  }
  return changed;
}

Json DriftToJson(const DriftFindings& found) {
  Json columns = Json::Arr();
  for (const auto& [name, drift, far, what] : found.columns) {
    Json column = Json::Obj({{"name", name},
                             {"method", drift.method},
                             {"statistic", drift.statistic},
                             {"p_value", drift.p_value ? Json(*drift.p_value) : Json()},
                             {"threshold", drift.threshold},
                             {"drifted", drift.drifted},
                             {"reason", what}});
    if (drift.calibrated)
      column.Set("p_corrected", drift.compared)
          .Set("effect_method", drift.effect_method)
          .Set("effect", drift.effect);
    columns.Push(std::move(column));
  }
  return columns;
}

Json QualityToJson(const Quality& quality) {
  Json findings = Json::Arr();
  for (const QualityFinding& finding : quality.findings) {
    findings.Push(Json::Obj({{"column", finding.column},
                             {"kind", finding.kind},
                             {"share", finding.share},
                             {"reference_share", finding.reference_share},
                             {"reason", finding.what}}));
  }
  return findings;
}

Json MeasuredToJson(const Measured& measured) {
  return Json::Obj(
      {{"estimate", measured.value}, {"lower", measured.lower}, {"upper", measured.upper}});
}

// What one model version did in the window.
struct VersionOf {
  std::string model;
  std::vector<std::uint32_t> rows;
};
std::vector<VersionOf> ByVersion(const table::Frame& frame) {
  std::vector<VersionOf> versions;
  const table::Column* const model = frame.Find("model_version");
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    const std::string name = model == nullptr ? "" : table::CellText(*model, row);
    auto found = std::ranges::find(versions, name, &VersionOf::model);
    if (found == versions.end()) found = versions.insert(versions.end(), {name, {}});
    found->rows.push_back(static_cast<std::uint32_t>(row));
  }
  std::ranges::stable_sort(versions, [](const VersionOf& a, const VersionOf& b) {
    return a.rows.size() > b.rows.size();
  });
  return versions;
}

struct Judged {
  Json document = {};
  Signal signal = {}, kpi = {}, concept_drift = {};
};

// Realised performance of one version.
Judged Performance(const WindowTask& task, const Promise& promise, const std::string& model,
                   const Answers& answers, const Signal& drift) {
  Judged judged;
  judged.signal.name = kPerformance;
  judged.kpi.name = kKpi;
  judged.concept_drift.name = kConceptDrift;
  const auto scored = ScoredOf(answers);
  if (!scored) return judged;
  const auto set = IntervalsOf(answers, *scored);
  if (!set) return judged;
  Json metrics = Json::Obj();
  for (const statistics::MetricInterval& one : set->metrics)
    metrics.Set(one.info->name, MeasuredToJson({one.estimate, one.lower, one.upper}));
  const statistics::MetricInfo* const primary = PrimaryOf(promise.primary, answers.classes);
  judged.document = Json::Obj({{"model", model},
                               {"model_version_id", promise.version_id},
                               {"rows", answers.labelled.size()},
                               {"primary", primary->name},
                               {"metrics", std::move(metrics)}});
  judged.kpi = KpisOf(task.kpis, scored->Values());
  judged.kpi.model_version_id = promise.version_id;
  const auto promised = promise.metrics.find(std::string(primary->name));
  const statistics::MetricInterval* const now = set->Find(primary->name);
  if (promised == promise.metrics.end() || now == nullptr) return judged;
  judged.document.Set("reference", MeasuredToJson(promised->second));
  judged.signal = FallOf(kPerformance, *primary, promised->second,
                         {now->estimate, now->lower, now->upper}, "on the rows held out");
  judged.signal.model_version_id = promise.version_id;
  judged.concept_drift = ConceptOf(judged.signal, drift);
  return judged;
}

// Performance of all rows by their scores alone.
Judged Estimated(const Promise& promise, const std::string& model, const Answers& answers) {
  Judged judged;
  judged.signal.name = kEstimate;
  const auto estimate = EstimateOf(answers);
  if (!estimate) return judged;
  const statistics::MetricInfo* primary = PrimaryOf(promise.primary, answers.classes);
  // Not every metric can be estimated (log loss cannot): then the task's own.
  if (!estimate->Find(primary->name)) primary = PrimaryOf("", answers.classes);
  const auto value = estimate->Find(primary->name);
  if (!value) return judged;
  const auto interval = EstimatedInterval(answers, primary->name, *value);
  if (!interval) return judged;
  judged.document = Json::Obj({{"model", model},
                               {"method", kEstimationMethod},
                               {"primary", primary->name},
                               {"metrics", estimate->ToJson()},
                               {"interval", MeasuredToJson(*interval)}});
  const auto before = answers.classes == 2 ? EstimateOfReference(promise.reference)
                                           : EstimateOfHeldOut(promise.package, promise.holdout);
  const auto then = before ? before->Find(primary->name) : std::nullopt;
  if (!then) return judged;
  judged.document.Set("reference", *then);
  judged.signal =
      FallOf(kEstimate, *primary, {*then, *then, *then}, *interval, "estimated on rows held out");
  judged.signal.what = "estimated " + judged.signal.what;
  judged.signal.model_version_id = promise.version_id;
  return judged;
}

Health HealthOf(const WindowTask& task, const Window& window, const table::Frame& rows) {
  Health health = task.traffic;
  if (const table::Column* const latency = rows.Find("latency_us"); latency != nullptr) {
    const double qs[] = {0.5, 0.99};
    const std::vector<double> ends = statistics::Quantiles(table::AsDoubles(*latency), qs);
    health.latency_p50_us = std::isnan(ends[0]) ? 0 : ends[0];
    health.latency_p99_us = std::isnan(ends[1]) ? 0 : ends[1];
  }
  // A window by count says nothing of how many come in an hour.
  const double hours = static_cast<double>(window.end - window.begin) / (3600.0 * kMicrosPerSecond);
  const auto count = static_cast<double>(rows.rows());
  const double before = task.health.empty() ? 0 : task.health.back().dropped;
  const double dropped = std::max(0.0, health.dropped - before);
  health.dropped_share = dropped > 0 ? dropped / (dropped + count) : 0;
  health.rows_per_hour = task.window.by_time() ? count / hours : 0;
  return health;
}

Json LabelsToJson(const Feedback& feedback) {
  Json json = Json::Obj({{"rows", feedback.rows},
                         {"labelled", feedback.labelled},
                         {"coverage", feedback.rows > 0 ? static_cast<double>(feedback.labelled) /
                                                              static_cast<double>(feedback.rows)
                                                        : 0.0},
                         {"delay_p50", feedback.delay_p50_us / kMicrosPerSecond},
                         {"delay_p99", feedback.delay_p99_us / kMicrosPerSecond}});
  if (feedback.selection)
    json.Set("selection", Json::Obj({{"method", feedback.selection->effect_method},
                                     {"effect", feedback.selection->effect},
                                     {"p_value", feedback.selection->compared}}));
  return json;
}

// Scores of another kind than those of the version that answered most rows compare with nothing.
Feedback FeedbackOfAll(const inference_log::Joined& head, const table::Frame& rows,
                       const std::vector<VersionOf>& versions) {
  std::vector<double> scores;
  std::vector<std::int64_t> delays_us;
  for (const VersionOf& version : versions) {
    const std::vector<std::string>& classes = head.ClassesOf(version.model);
    const Answers answers = AnswersOf(classes, rows, version.rows);
    const bool alike = classes == head.ClassesOf(versions[0].model);
    const std::vector<double> own = answers.scores();
    for (const double score : own) scores.push_back(alike ? score : std::nan(""));
    delays_us.insert(delays_us.end(), answers.delays_us.begin(), answers.delays_us.end());
  }
  return FeedbackOf(scores, delays_us);
}

// Signals in the order of kSignalNames; of several versions the worst.
class Signals {
 public:
  // Of versions that were measured each by itself, the worse one; who else was bad is kept.
  void Add(Signal signal) {
    if (signal.level == Level::kBad) signal.bad_versions = {signal.model_version_id};
    auto found = std::ranges::find(signals_, signal.name, &Signal::name);
    if (found == signals_.end()) return signals_.push_back(std::move(signal));
    if (found->level == Level::kUnknown ||
        (signal.level != Level::kUnknown && signal.score > found->score))
      std::swap(*found, signal);
    found->bad_versions.insert(found->bad_versions.end(), signal.bad_versions.begin(),
                               signal.bad_versions.end());
  }
  Json ToJson() const {
    Json json = Json::Arr();
    for (const std::string_view name : kSignalNames) {
      const auto found = std::ranges::find(signals_, name, &Signal::name);
      if (found != signals_.end()) json.Push(SignalToJson(*found));
    }
    return json;
  }

 private:
  std::vector<Signal> signals_;
};

void AddInputs(const WindowTask& task, const Promise& promise, const inference_log::Joined& head,
               const table::Frame& rows, Signals* signals, Signal* drift, Json* document) {
  const Pairs pairs = InputPairs(task, promise, head, rows);
  const Quality quality = QualityOf(pairs.reference, pairs.current);
  const Pairs compared = task.against_previous ? AgainstPrevious(pairs, task.previous) : pairs;
  const std::string_view than = task.against_previous ? "the window before" : "the training data";
  DriftFindings found = DriftOf(kDrift, compared.reference, compared.current, task.drift, than);
  const Pairs answered = PredictionPairs(promise, rows);
  DriftFindings predictions = DriftOf(kPredictionDrift, answered.reference, answered.current,
                                      task.drift, "those on rows held out");
  for (Signal* signal : {&found.signal, &predictions.signal})
    signal->model_version_id = promise.version_id;
  *drift = found.signal;
  document->Set("quality", QualityToJson(quality));
  document->Set("columns", DriftToJson(found));
  document->Set("predictions", DriftToJson(predictions));
  document->Set("counts", CountsOf(pairs));
  for (Signal signal : {quality.signal, found.signal, predictions.signal})
    signals->Add(std::move(signal));
}

// The inputs of the rows of one version, under their own names.
table::Frame InputsOf(const inference_log::Joined& head, const table::Frame& rows,
                      const std::vector<std::uint32_t>& chosen) {
  table::Frame inputs;
  for (const inference_log::JoinedInput& input : head.inputs) {
    const table::Column* const column = rows.Find(input.column);
    if (column == nullptr) continue;
    inputs.columns.push_back(column->Select(chosen));
    inputs.columns.back().name = input.name;
  }
  return inputs;
}

void AddAttributions(const WindowTask& task, const Promise& promise,
                     const inference_log::Joined& head, const table::Frame& rows,
                     const VersionOf& version, Signals* signals, Json* document) {
  if (promise.attributor == nullptr) return;
  const auto live = promise.attributor->Live(InputsOf(head, rows, version.rows));
  if (!live) return;
  // Another model leans on other columns by right.
  const Json& previous = task.previous_attributions;
  const Attributions reference = !task.against_previous ? promise.attributor->Promised()
                                 : previous["model"].AsString() == version.model
                                     ? AttributionsFromJson(previous["attributions"])
                                     : Attributions();
  Signal signal =
      AttributionSignal(reference, *live, version.rows.size(),
                        task.against_previous ? "in the window before" : "on the rows held out");
  signal.model_version_id = promise.version_id;
  signals->Add(std::move(signal));
  document->Set("attributions", AttributionsToJson(*live));
}

void AddAnswers(const WindowTask& task, const inference_log::Joined& head, const table::Frame& rows,
                const std::vector<VersionOf>& versions, const Signal& drift, Signals* signals,
                Json* document) {
  static const Promise kNone;
  Json performance = Json::Arr(), estimates = Json::Arr();
  for (const VersionOf& version : versions) {
    const auto known = task.promises.find(version.model);
    const Promise& promise = known == task.promises.end() ? kNone : known->second;
    const Answers answers = AnswersOf(head.ClassesOf(version.model), rows, version.rows);
    Judged realised = Performance(task, promise, version.model, answers, drift);
    Judged estimated = Estimated(promise, version.model, answers);
    for (Signal* signal :
         {&realised.signal, &realised.kpi, &realised.concept_drift, &estimated.signal})
      signals->Add(std::move(*signal));
    if (!realised.document.is_null()) performance.Push(std::move(realised.document));
    if (!estimated.document.is_null()) estimates.Push(std::move(estimated.document));
  }
  document->Set("performance", std::move(performance));
  document->Set("estimate", std::move(estimates));
}

}  // namespace

Result<Json> JudgeWindow(const WindowTask& task, const inference_log::Joined& head,
                         const table::Frame& rows, const Window& window, bool is_again) {
  static const Promise kNone;
  const std::vector<VersionOf> versions = ByVersion(rows);
  const std::string model = versions.empty() ? "" : versions[0].model;
  const auto known = task.promises.find(model);
  const Promise& promise = known == task.promises.end() ? kNone : known->second;
  Json document = Json::Obj({{"begin", window.begin},
                             {"end", window.end},
                             {"rows", rows.rows()},
                             {"again", is_again},
                             {"model", model},
                             {"model_version_id", promise.version_id}});
  Json answering = Json::Arr();
  for (const VersionOf& version : versions) {
    const auto promised = task.promises.find(version.model);
    const Promise& own = promised == task.promises.end() ? kNone : promised->second;
    answering.Push(Json::Obj({{"model", version.model},
                              {"model_version_id", own.version_id},
                              {"rows", version.rows.size()}}));
  }
  document.Set("versions", std::move(answering));
  Signals signals;
  Signal drift;
  AddInputs(task, promise, head, rows, &signals, &drift, &document);
  if (!versions.empty())
    AddAttributions(task, promise, head, rows, versions[0], &signals, &document);
  AddAnswers(task, head, rows, versions, drift, &signals, &document);
  const Feedback feedback = FeedbackOfAll(head, rows, versions);
  const Health health = HealthOf(task, window, rows);
  signals.Add(feedback.signal);
  signals.Add(LabelDelayOf(task.labels));
  signals.Add(ServiceOf(task.health, health));
  document.Set("labelled", feedback.labelled);
  document.Set("labels", LabelsToJson(feedback));
  document.Set("health", HealthToJson(health));
  document.Set("signals", signals.ToJson());
  return document;
}

}  // namespace gyre::monitoring
