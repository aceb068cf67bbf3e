// What a window says of an endpoint, each as a signal: a score that grows with the trouble, two
// thresholds, the level between them and one sentence. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/monitoring/alerts.h"
#include "ml/monitoring/reference.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/drift.h"
#include "ml/statistics/kpi.h"

namespace gyre::monitoring {

// Names of signals, and of the alerts that come of them, in the order in which they are judged:
// what explains another comes before it.
inline constexpr std::string_view kDataQuality = "data_quality", kDrift = "drift",
                                  kPredictionDrift = "prediction_drift",
                                  kAttributionDrift = "attribution_drift",
                                  kPerformance = "performance", kKpi = "kpi",
                                  kEstimate = "estimated_performance",
                                  kConceptDrift = "concept_drift", kFeedback = "feedback",
                                  kLabelDelay = "label_delay", kService = "service";
inline constexpr std::string_view kSignalNames[] = {
    kDataQuality, kDrift,        kPredictionDrift, kAttributionDrift, kPerformance, kKpi,
    kEstimate,    kConceptDrift, kFeedback,        kLabelDelay,       kService};

struct Signal {
  std::string name = {};
  Level level = Level::kUnknown;
  double score = 0, raise = 0, clear = 0;
  std::string what = {};
  std::vector<std::string> columns = {};  // that it is about
  std::string model_version_id = {};
  std::vector<std::string> bad_versions = {};  // of several that were measured, the bad ones
  bool broken_input = false;  // of data quality: values are lost, so that drift there says nothing
};
Json SignalToJson(const Signal& signal);
Signal SignalFromJson(const Json& json);

constexpr std::int64_t kRowsMin = 30;  // fewer rows say nothing

// --- data quality --------------------------------------------------------------------------------
struct QualityFinding {
  std::string column = {};
  std::string kind = {};  // "missing", "out_of_range", "unseen"
  double share = 0, reference_share = 0;
  std::string what = {};
};
struct Quality {
  std::vector<QualityFinding> findings = {};
  Signal signal = {};
};
// `current` in the order of `reference`.
Quality QualityOf(std::span<const ReferenceColumn> reference, std::span<const BinCounts> current);

// --- drift ---------------------------------------------------------------------------------------
// By which method each column is judged: the calibrated default where none is named, or one that is
// not of this kind of column.
struct DriftRules {
  double effect_min = statistics::kEffectMin;  // of the default; smaller is no signal, however sure
  statistics::DriftOptions all = {};
  std::map<std::string, statistics::DriftOptions> columns = {};  // in the place of `all`
  const statistics::DriftOptions& Of(const std::string& column) const;
  friend bool operator==(const DriftRules&, const DriftRules&) = default;
};
// {"method": "psi" or "calibrated", "threshold": null = the method's own, "methods": {"age":
// "linf"}, "thresholds": {"age": 0.2}}, and "effect_min".
void RulesToJson(const DriftRules& rules, Json* json);
// The members of `change` in the place of those of `rules`: of `methods` and `thresholds` those of
// the columns that they name, null takes one away. A method that changes leaves its threshold.
// Errors: GY3007, GY4524, GY4525; kInvalidArgument GY4501.
Result<DriftRules> ChangedRules(DriftRules rules, const Json& change);
bool IsDriftMember(std::string_view member);

struct ColumnDrift {
  std::string column = {};
  statistics::Drift drift = {};
  double far = 0;         // the effect; in thresholds where a column has a method
  std::string what = {};  // "0.43 standard deviations away (p 1e-9)"
};
struct DriftFindings {
  std::vector<ColumnDrift> columns = {};  // the farthest first
  Signal signal = {};
};
inline constexpr std::string_view kBinnedKs = "ks.reference_bins/gyre";
inline constexpr std::string_view kBinnedWasserstein = "wasserstein1.std_ref.reference_bins/gyre";
inline constexpr std::string_view kBinnedPsi = "psi.reference_tenths.eps/gyre";
inline constexpr std::string_view kBinnedJs = "js_distance.nats.reference_tenths/gyre";
inline constexpr std::string_view kBinnedLInfinity = "l_infinity.reference_tenths/gyre";

// "2 columns drifted"
std::string DriftedText(std::string_view signal, std::size_t columns);
// One column by its method on the fixed bins. Both sides hold a value.
statistics::Drift DriftOfColumn(const Bins& bins, const BinCounts& reference,
                                const BinCounts& current, const statistics::DriftOptions& options);
// By the calibrated default, of windows like the reference at most kFalseDiscoveryRate have a
// column that signals (one in a hundred of the predictions). `current` in the order of `reference`;
// columns of times, which always go on, and those without rows on either side are left out. `name`
// is kDrift or kPredictionDrift; `than`: "the training data", "the window before". The score is the
// effect of the default; with a method it is told in thresholds.
DriftFindings DriftOf(std::string_view name, std::span<const ReferenceColumn> reference,
                      std::span<const BinCounts> current, const DriftRules& rules,
                      std::string_view than);

// --- performance ---------------------------------------------------------------------------------
// A metric with the ends of its interval; NaN where they are not known.
struct Measured {
  double value = 0, lower = 0, upper = 0;
};
// Has the metric surely become worse? By the ends of the difference of two intervals (MOVER), and
// by an amount that matters: kFallMin of the reference.
inline constexpr double kFallMin = 0.02;
Signal FallOf(std::string_view name, const statistics::MetricInfo& metric, const Measured& then,
              const Measured& now, std::string_view since);
// The project's goals on labelled rows.
Signal KpisOf(std::span<const statistics::Kpi> kpis, const statistics::MetricSet& metrics);
// Worse answers to inputs like before: the relation between them has changed.
Signal ConceptOf(const Signal& performance, const Signal& drift);

// --- labels --------------------------------------------------------------------------------------
struct Feedback {
  std::int64_t rows = 0, labelled = 0;
  double delay_p50_us = 0, delay_p99_us = 0;
  // Scores of the rows that have a label against the rest.
  std::optional<statistics::Drift> selection = {};
  Signal signal = {};
};
Feedback FeedbackOf(std::span<const double> scores, std::span<const std::int64_t> delays_us);

// Labels of a window that has been judged.
struct LabelsOfWindow {
  std::int64_t end_us = 0;
  std::int64_t labelled = 0;
  double delay_us = 0;      // half of its labels came sooner
  std::int64_t age_us = 0;  // of its end, as far as one can know
};
// Do labels come later than they used to, or no more? From the windows before, oldest first: what
// the newest of them that have labels say, and how long those after them have waited. Fewer than
// kHealthWindows with labels say nothing.
Signal LabelDelayOf(std::span<const LabelsOfWindow> before);

// --- the service itself --------------------------------------------------------------------------
struct Health {
  double latency_p50_us = 0, latency_p99_us = 0;
  double rows_per_hour = 0;
  double failed_share = 0, ignored_share = 0;  // of requests since the window before
  double dropped = 0;        // rows that were answered but not captured, until now
  double dropped_share = 0;  // of those since the window before and its own rows
};
Json HealthToJson(const Health& health);
Health HealthFromJson(const Json& json);
// Against the windows before (median and median absolute deviation); fewer than kHealthWindows of
// them say nothing. Rows that were not captured are trouble from kDroppedMin on, whatever was
// before: the window is a sample.
inline constexpr std::size_t kHealthWindows = 8;
inline constexpr double kDroppedMin = 0.01;
Signal ServiceOf(std::span<const Health> before, const Health& now);

}  // namespace gyre::monitoring
