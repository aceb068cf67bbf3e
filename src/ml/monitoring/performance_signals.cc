#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "base/time.h"
#include "ml/monitoring/signals.h"
#include "ml/statistics/quantiles.h"

namespace gyre::monitoring {
namespace {

constexpr double kMadToDeviation = 1.4826;
constexpr double kFarAway = 8;        // robust deviations
constexpr std::size_t kSideMin = 50;  // rows with and without a label that a comparison takes

double Half(double far, double near) {
  const double half = std::abs(far - near);
  return std::isnan(half) ? 0 : half;
}

// The least by which `now` is worse than `then`, within 95 %.
double SureFall(const statistics::MetricInfo& metric, const Measured& then, const Measured& now) {
  const bool higher = metric.better == statistics::Better::kHigher;
  const double fall = statistics::Gain(metric, then.value, now.value);
  // The ends that speak against a fall: the reference was not so good, now is not so bad.
  const double was = Half(higher ? then.lower : then.upper, then.value);
  const double is = Half(higher ? now.upper : now.lower, now.value);
  return fall - std::hypot(was, is);
}

double Median(std::vector<double> values) {
  const double half[] = {0.5};
  return statistics::Quantiles(values, half)[0];
}

constexpr double kDelayShare = 0.25;  // of what is usual: less is noise
constexpr double kDelayFloor = 60.0 * kMicrosPerSecond;

std::string Ago(double us) {
  const double minutes = us / (60.0 * kMicrosPerSecond);
  if (minutes < 120) return fmt::format("{:.0f} minutes", minutes);
  return minutes < 60 * 48 ? fmt::format("{:.0f} hours", minutes / 60)
                           : fmt::format("{:.0f} days", minutes / (60 * 24));
}

struct HealthRule {
  std::string_view what;
  double Health::* field;
  double floor;     // deviations below it are noise,
  double relative;  // and those below this share of what is usual
  bool both_sides;  // less is as strange as more
  double scale;     // of the number that people read
  std::string_view unit;
};
constexpr HealthRule kHealthRules[] = {
    {"requests that failed", &Health::failed_share, 0.01, 0.1, false, 100, " %"},
    {"the slowest of a hundred answers", &Health::latency_p99_us, 500, 0.3, false, 1e-3, " ms"},
    {"rows an hour", &Health::rows_per_hour, 1, 0.1, true, 1, ""},
    {"requests with columns that the model does not know", &Health::ignored_share, 0.05, 0.1, false,
     100, " %"},
};

struct Strange {
  double deviations = 0;
  std::string what = {};
};
Strange StrangenessOf(const HealthRule& rule, std::span<const Health> before, const Health& now) {
  std::vector<double> values, distances;
  for (const Health& health : before) values.push_back(health.*rule.field);
  const double middle = Median(values);
  for (const double value : values) distances.push_back(std::abs(value - middle));
  // A spread of nothing, as of a constant, would make anything strange.
  const double spread =
      std::max({kMadToDeviation * Median(distances), rule.floor, rule.relative * std::abs(middle)});
  const double off = (now.*rule.field - middle) / spread;
  const double deviations = rule.both_sides ? std::abs(off) : off;
  return {deviations,
          fmt::format("{}: {:.3g}{}, usually {:.3g}{}", rule.what, now.*rule.field * rule.scale,
                      rule.unit, middle * rule.scale, rule.unit)};
}

}  // namespace

Signal FallOf(std::string_view name, const statistics::MetricInfo& metric, const Measured& then,
              const Measured& now, std::string_view since) {
  Signal signal;
  signal.name = std::string(name);
  if (std::isnan(now.value) || std::isnan(then.value)) return signal;
  const double matters = kFallMin * std::max(std::abs(then.value), 1e-9);
  const double fall = statistics::Gain(metric, then.value, now.value);
  signal.raise = 1;
  signal.clear = 0.5;
  // Half of the amount that matters is where an alert may end; what is not sure is not bad.
  signal.score = fall / matters;
  if (signal.score >= 1 && SureFall(metric, then, now) <= 0) signal.score = 0.75;
  signal.score = std::max(signal.score, 0.0);
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  signal.what = fmt::format("{} {:.3f} ({:.3f} to {:.3f}), {:.3f} {}", metric.name, now.value,
                            now.lower, now.upper, then.value, since);
  return signal;
}

Signal KpisOf(std::span<const statistics::Kpi> kpis, const statistics::MetricSet& metrics) {
  Signal signal;
  signal.name = std::string(kKpi);
  signal.raise = signal.clear = 1;
  std::vector<std::string> missed;
  bool measured = false;
  // A window knows its metrics; what is counted over other times is for KpiWatch.
  const auto read = [&metrics](const statistics::KpiName& name) -> statistics::KpiValue {
    const bool here = name.family == statistics::KpiFamily::kMetric && name.place.empty();
    return {.number = here ? metrics.Find(name.member) : std::nullopt};
  };
  for (const statistics::Kpi& kpi : kpis) {
    const statistics::KpiValue value = statistics::Measure(kpi, read);
    const statistics::KpiVerdict verdict = statistics::Judge(kpi, value);
    measured = measured || verdict != statistics::KpiVerdict::kUnknown;
    if (verdict == statistics::KpiVerdict::kMissed)
      missed.push_back(
          fmt::format("{} is {:.3f}, the goal is {}", kpi.name, *value.number, kpi.ToString()));
  }
  if (!measured) return signal;
  signal.score = static_cast<double>(missed.size());
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  signal.what = Join(missed, "; ");
  return signal;
}

Signal ConceptOf(const Signal& performance, const Signal& drift) {
  Signal signal;
  signal.name = std::string(kConceptDrift);
  signal.raise = signal.clear = 1;
  signal.model_version_id = performance.model_version_id;
  if (performance.level == Level::kUnknown || drift.level == Level::kUnknown) return signal;
  const bool changed = performance.level == Level::kBad && drift.level != Level::kBad;
  signal.score = changed ? 1 : 0;
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (changed) signal.what = performance.what + ", while the inputs are as before";
  return signal;
}

Feedback FeedbackOf(std::span<const double> scores, std::span<const std::int64_t> delays_us) {
  Feedback feedback;
  feedback.signal.name = std::string(kFeedback);
  feedback.signal.raise = statistics::kEffectMin;
  feedback.signal.clear = 0.8 * statistics::kEffectMin;
  std::vector<double> with, without, delays;
  for (std::size_t i = 0; i < delays_us.size(); ++i) {
    const bool labelled = delays_us[i] >= 0;
    if (labelled) delays.push_back(static_cast<double>(delays_us[i]));
    // An answer of another kind of model has no score.
    if (i < scores.size() && !std::isnan(scores[i]))
      (labelled ? with : without).push_back(scores[i]);
  }
  feedback.rows = static_cast<std::int64_t>(delays_us.size());
  feedback.labelled = static_cast<std::int64_t>(delays.size());
  if (!delays.empty()) {
    const double qs[] = {0.5, 0.99};
    const std::vector<double> ends = statistics::Quantiles(delays, qs);
    feedback.delay_p50_us = ends[0];
    feedback.delay_p99_us = ends[1];
  }
  if (with.size() < kSideMin || without.size() < kSideMin) {
    if (feedback.labelled == feedback.rows && feedback.rows >= kRowsMin)
      feedback.signal.level = Level::kCalm;
    return feedback;
  }
  std::ranges::sort(with);
  std::ranges::sort(without);
  statistics::Drift drift =
      statistics::DriftOfNumbers({.reference = without, .current = with, .whole = false}, {});
  statistics::Drift* one[] = {&drift};
  statistics::CorrectForColumns(one);
  feedback.signal.score = drift.compared <= 0.001 ? drift.effect : 0;
  feedback.signal.level =
      LevelOf(feedback.signal.score, feedback.signal.raise, feedback.signal.clear);
  if (feedback.signal.level == Level::kBad)
    feedback.signal.what = fmt::format(
        "labels come for other rows than the rest: scores {:.2g} standard deviations apart, {} of "
        "{} rows labelled",
        drift.effect, GroupDigits(feedback.labelled), GroupDigits(feedback.rows));
  feedback.selection = drift;
  return feedback;
}

Signal LabelDelayOf(std::span<const LabelsOfWindow> before) {
  Signal signal;
  signal.name = std::string(kLabelDelay);
  signal.raise = kFarAway;
  signal.clear = kFarAway / 2;
  std::vector<double> delays, distances;
  double waited = 0;  // of the oldest window since the newest labels
  for (const LabelsOfWindow& window : before) {
    if (window.labelled >= kRowsMin) {
      delays.push_back(window.delay_us);
      waited = 0;
    } else if (waited == 0) {
      waited = static_cast<double>(window.age_us);
    }
  }
  if (delays.size() < kHealthWindows) return signal;
  const double usual = Median(delays), newest = delays.back();
  for (const double delay : delays) distances.push_back(std::abs(delay - usual));
  const double spread =
      std::max({kMadToDeviation * Median(distances), kDelayShare * usual, kDelayFloor});
  signal.score = std::max(0.0, (std::max(newest, waited) - usual) / spread);
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (signal.level == Level::kCalm) return signal;
  signal.what =
      waited > newest
          ? fmt::format("no labels for rows of {} ago, usually they come after {}", Ago(waited),
                        Ago(usual))
          : fmt::format("labels come {} after their rows, usually {}", Ago(newest), Ago(usual));
  return signal;
}

Json HealthToJson(const Health& health) {
  return Json::Obj({{"latency_p50_us", health.latency_p50_us},
                    {"latency_p99_us", health.latency_p99_us},
                    {"rows_per_hour", health.rows_per_hour},
                    {"failed_share", health.failed_share},
                    {"ignored_share", health.ignored_share},
                    {"dropped", health.dropped},
                    {"dropped_share", health.dropped_share}});
}

Health HealthFromJson(const Json& json) {
  return {.latency_p50_us = json["latency_p50_us"].AsDouble(),
          .latency_p99_us = json["latency_p99_us"].AsDouble(),
          .rows_per_hour = json["rows_per_hour"].AsDouble(),
          .failed_share = json["failed_share"].AsDouble(),
          .ignored_share = json["ignored_share"].AsDouble(),
          .dropped = json["dropped"].AsDouble(),
          .dropped_share = json["dropped_share"].AsDouble()};
}

Signal ServiceOf(std::span<const Health> before, const Health& now) {
  Signal signal;
  signal.name = std::string(kService);
  signal.raise = kFarAway;
  signal.clear = kFarAway / 2;
  const bool sampled = now.dropped_share >= kDroppedMin;
  if (sampled) {
    signal.score = kFarAway * now.dropped_share / kDroppedMin;
    signal.what = fmt::format(
        "{:.0f} % of the rows were answered but not captured: what the window says is of a sample",
        100 * now.dropped_share);
  }
  const bool known = before.size() >= kHealthWindows;
  if (!known && !sampled) return signal;
  for (const HealthRule& rule : kHealthRules) {
    if (!known) break;
    const Strange strange = StrangenessOf(rule, before, now);
    if (strange.deviations <= signal.score) continue;
    signal.score = strange.deviations;
    signal.what = strange.what;
  }
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (signal.level == Level::kCalm) signal.what.clear();
  return signal;
}

}  // namespace gyre::monitoring
