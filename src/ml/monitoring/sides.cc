#include "ml/monitoring/sides.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ml/evaluation/evaluations.h"
#include "ml/monitoring/monitor_service.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/drift.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kChunkRows = 50'000;
constexpr std::int64_t kRowsMax = 1'000'000;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Estimate {
  double value = kUnknown, error = kUnknown;  // its standard error
};

// A resampled row is still the same row: of one positive the AUC would look as sure as of hundreds.
bool KnowsBothClasses(const Answers& answers) {
  if (answers.classes != 2) return true;
  const std::ptrdiff_t ones = std::ranges::count(answers.label, 1U);
  return std::min(ones, std::ssize(answers.label) - ones) >= kOfEachClassMin;
}

Estimate QualityOf(const Answers& answers, const statistics::MetricInfo& metric) {
  constexpr double kNormal95 = 1.959963984540054;
  if (!KnowsBothClasses(answers)) return {};
  const auto scored = ScoredOf(answers);
  if (!scored) return {};
  const auto intervals = statistics::Bootstrap(*scored, {.resamples = 200, .seed = 1});
  const auto* const found = intervals ? intervals->Find(metric.name) : nullptr;
  if (found == nullptr) return {};
  return {found->estimate, (found->upper - found->lower) / (2 * kNormal95)};
}

std::vector<double> SortedScores(const Answers& answers) {
  std::vector<double> scores = answers.scores();
  std::erase_if(scores, [](double score) { return !std::isfinite(score); });
  std::ranges::sort(scores);
  return scores;
}

void CompareNumbers(const Answers& champion, const Answers& canary, Sides* sides) {
  const std::vector<double> before = SortedScores(champion), now = SortedScores(canary);
  if (std::min(std::ssize(before), std::ssize(now)) < kRowsMin) return;
  const statistics::Drift drift =
      statistics::DriftOfNumbers({.reference = before, .current = now}, {});
  sides->answers_method = drift.method;
  sides->p_value = drift.p_value.value_or(kUnknown);
  sides->effect = drift.effect;
}

void CompareClasses(const Answers& champion, const Answers& canary, Sides* sides) {
  const auto count = [&](const Answers& answers) {
    std::vector<std::uint64_t> counts(champion.classes);
    for (const std::uint32_t k : answers.decided) ++counts[k];
    return counts;
  };
  const auto before = count(champion), now = count(canary);
  const statistics::Drift drift = statistics::DriftOfCounts(before, now, {});
  sides->answers_method = drift.method;
  sides->p_value = drift.p_value.value_or(kUnknown);
  sides->effect = drift.effect;
}

// The rows that one version answered in its role; of many rows, one in `every`.
class Side {
 public:
  Side(std::string role, std::string model, const std::vector<std::int64_t>& parts_us,
       std::int64_t every)
      : role_(std::move(role)),
        model_(std::move(model)),
        parts_us_(parts_us),
        every_(every),
        parts_(parts_us.size()) {}
  void Take(const inference_log::Joined& head, const table::Frame& chunk) {
    const table::Column* const role = chunk.Find("role");
    const table::Column* const model = chunk.Find("model_version");
    const table::Column* const received = chunk.Find("received_time");
    if (role == nullptr || model == nullptr || received == nullptr) return;
    std::vector<std::vector<std::uint32_t>> rows(parts_.size());
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      const auto part =
          std::ranges::upper_bound(parts_us_, received->ints[row]) - parts_us_.begin();
      const bool mine = part > 0 && role->text[row] == role_ && model->text[row] == model_;
      if (mine && seen_++ % every_ == 0)
        rows[static_cast<std::size_t>(part - 1)].push_back(static_cast<std::uint32_t>(row));
    }
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      if (!rows[part].empty())
        AppendAnswers(AnswersOf(head.ClassesOf(model_), chunk, rows[part]), &parts_[part]);
    }
  }
  const std::vector<Answers>& parts() const { return parts_; }

 private:
  const std::string role_, model_;
  const std::vector<std::int64_t>& parts_us_;
  const std::int64_t every_;
  std::int64_t seen_ = 0;
  std::vector<Answers> parts_;
};

Json SideToJson(const SideSeen& side) {
  return Json::Obj({{"rows", side.rows}, {"labelled", side.labelled}, {"value", side.value}});
}

double NumberOf(const Json& json) { return json.is_number() ? json.AsDouble() : kUnknown; }

SideSeen SideFromJson(const Json& json) {
  return {json["rows"].AsInt(), json["labelled"].AsInt(), NumberOf(json["value"])};
}

}  // namespace

Sides CompareSides(const Answers& champion, const Answers& canary,
                   const statistics::MetricInfo& metric) {
  Sides sides;
  const Estimate before = QualityOf(champion, metric), now = QualityOf(canary, metric);
  const auto seen = [](const Answers& answers, double value) {
    return SideSeen{static_cast<std::int64_t>(answers.rows()), std::ssize(answers.labelled), value};
  };
  sides.champion = seen(champion, before.value);
  sides.canary = seen(canary, now.value);
  sides.metric = metric.name;
  sides.worse = statistics::Gain(metric, before.value, now.value);
  sides.error = std::hypot(before.error, now.error);
  if (std::min(sides.champion.rows, sides.canary.rows) < kRowsMin ||
      champion.classes != canary.classes)
    return sides;
  if (champion.classes > 2)
    CompareClasses(champion, canary, &sides);
  else
    CompareNumbers(champion, canary, &sides);
  return sides;
}

Sides CompareParts(const std::vector<Answers>& champion, const std::vector<Answers>& canary,
                   const statistics::MetricInfo& metric) {
  Sides all;
  double weights = 0, worse = 0, before = 0, now = 0;
  std::int64_t champion_labels = 0, canary_labels = 0;
  Answers left_champion, left_canary;  // of parts that tell nothing yet
  for (std::size_t part = 0; part < champion.size(); ++part) {
    if (champion[part].rows() > 0) AppendAnswers(champion[part], &left_champion);
    if (canary[part].rows() > 0) AppendAnswers(canary[part], &left_canary);
    champion_labels += std::ssize(champion[part].labelled);
    canary_labels += std::ssize(canary[part].labelled);
    const Sides sides = CompareSides(left_champion, left_canary, metric);
    // Which answers are compared, and the numbers where there is but one part.
    all = part == 0 ? sides : CompareSides(champion[part], canary[part], metric);
    if (!std::isfinite(sides.worse) || !(sides.error > 0)) continue;
    const double weight = 1 / (sides.error * sides.error);
    weights += weight;
    worse += weight * sides.worse;
    before += weight * sides.champion.value;
    now += weight * sides.canary.value;
    left_champion = left_canary = Answers();
  }
  all.champion.labelled = champion_labels;
  all.canary.labelled = canary_labels;
  if (weights == 0) return all;
  all.champion.value = before / weights;
  all.canary.value = now / weights;
  all.worse = worse / weights;
  all.error = 1 / std::sqrt(weights);
  return all;
}

Json SidesToJson(const Sides& sides) {
  return Json::Obj({{"champion", SideToJson(sides.champion)},
                    {"canary", SideToJson(sides.canary)},
                    {"metric", sides.metric},
                    {"worse", sides.worse},
                    {"error", sides.error},
                    {"answers_method", sides.answers_method},
                    {"p_value", sides.p_value},
                    {"effect", sides.effect}});
}

Sides SidesFromJson(const Json& json) {
  return {.champion = SideFromJson(json["champion"]),
          .canary = SideFromJson(json["canary"]),
          .metric = json["metric"].AsString(),
          .worse = NumberOf(json["worse"]),
          .error = NumberOf(json["error"]),
          .answers_method = json["answers_method"].AsString(),
          .p_value = NumberOf(json["p_value"]),
          .effect = NumberOf(json["effect"])};
}

Result<Json> RunSidesTask(runners::TaskContext& context) {
  const Json& input = context.input();
  inference_log::ReadRequest request = inference_log::ReadRequestFromJson(input["log"]);
  request.cancelled = [&context] { return context.cancelled(); };
  std::int64_t rows = 0;
  for (const inference_log::FileRef& segment : request.segments) rows += segment.rows;
  const std::int64_t every = rows / std::max<std::int64_t>(1, input["rows_max"].AsInt()) + 1;
  std::vector<std::int64_t> parts_us;
  for (const Json& part : input["parts"].items()) parts_us.push_back(part.AsInt());
  Side champion(std::string(serving::kChampion), input["champion"].AsString(), parts_us, every);
  Side canary("canary", input["canary"].AsString(), parts_us, every);
  GYRE_TRY(const inference_log::Joined head,
           inference_log::ForEachJoined(
               request, kChunkRows,
               [&](const inference_log::Joined& joined, table::Frame& chunk) -> Result<> {
                 champion.Take(joined, chunk);
                 canary.Take(joined, chunk);
                 return {};
               }));
  const statistics::MetricInfo* const metric =
      PrimaryOf(input["primary"].AsString(), head.classes.size());
  return SidesToJson(CompareParts(champion.parts(), canary.parts(), *metric));
}

Result<Sides> MonitorService::Compare(const SidesRequest& request) {
  GYRE_TRY(const serving::Endpoint endpoint, rooms_.serving.Get(request.project, request.endpoint));
  std::string primary;
  if (const auto version = rooms_.registry.GetVersion(endpoint.deployment.model_version_id)) {
    if (const auto evaluation = rooms_.evaluations.Get(version->evaluation_id))
      primary = evaluation->primary;
  }
  GYRE_DO(rooms_.log.Flush());
  GYRE_TRY(const inference_log::ReadPlan plan,
           rooms_.log.PlanReceived(request.project, request.endpoint, request.parts_us.front()));
  Json parts = Json::Arr();
  for (const std::int64_t part_us : request.parts_us) parts.Push(part_us);
  runners::JobRun::TaskOptions options;
  options.cancelled = request.cancelled;
  GYRE_TRY(
      const Json answer,
      rooms_.jobs.RunTaskNow("monitoring.sides",
                             Json::Obj({{"log", inference_log::ReadRequestToJson(plan.request)},
                                        {"parts", std::move(parts)},
                                        {"champion", endpoint.deployment.model},
                                        {"canary", request.canary},
                                        {"primary", primary},
                                        {"rows_max", kRowsMax}}),
                             options));
  return SidesFromJson(answer);
}

}  // namespace gyre::monitoring
