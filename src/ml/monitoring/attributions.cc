#include "ml/monitoring/attributions.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "platform/exec/files.h"
#include "platform/table/reader.h"

namespace gyre::monitoring {
namespace {

constexpr std::size_t kRowsExplained = 300;
constexpr std::size_t kPackageBytesMax = std::size_t{1} << 30;
constexpr double kNdcgMin = 0.9;
constexpr std::size_t kNamed = 3;

Attributions Ordered(Attributions attributions) {
  std::ranges::stable_sort(attributions,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  return attributions;
}

std::string First(const Attributions& attributions) {
  std::string text;
  const Attributions ordered = Ordered(attributions);
  for (std::size_t i = 0; i < std::min(kNamed, ordered.size()); ++i)
    text += (i == 0 ? "" : ", ") + ordered[i].first;
  return text;
}

std::optional<Attributions> MeanSizes(const predictors::RowExplainer& explainer,
                                      const table::Frame& frame) {
  std::vector<std::uint32_t> chosen;
  const std::size_t step = std::max<std::size_t>(1, frame.rows() / kRowsExplained);
  for (std::size_t row = 0; row < frame.rows() && chosen.size() < kRowsExplained; row += step)
    chosen.push_back(static_cast<std::uint32_t>(row));
  const auto explained = explainer.Explain(frame.Select(chosen));
  if (!explained || explained->rows == 0) return std::nullopt;
  Attributions sizes;
  for (const table::Field& field : explainer.input()) sizes.emplace_back(field.name, 0.0);
  for (std::size_t i = 0; i < explained->contributions.size(); ++i)
    sizes[i % sizes.size()].second +=
        std::fabs(explained->contributions[i]) / static_cast<double>(explained->rows);
  return sizes;
}

}  // namespace

Json AttributionsToJson(const Attributions& attributions) {
  Json json = Json::Obj();
  for (const auto& [column, size] : attributions) json.Set(column, size);
  return json;
}

Attributions AttributionsFromJson(const Json& json) {
  Attributions attributions;
  for (const auto& [column, size] : json.members())
    attributions.emplace_back(column, size.AsDouble());
  return attributions;
}

double AttributionNdcg(const Attributions& reference, const Attributions& live) {
  std::map<std::string, double> gains(reference.begin(), reference.end());
  const auto gain = [&](const Attributions& in_order) {
    double sum = 0;
    for (std::size_t i = 0; i < in_order.size(); ++i)
      sum += gains[in_order[i].first] / std::log2(static_cast<double>(i) + 2);
    return sum;
  };
  const double best = gain(Ordered(reference));
  return best > 0 ? gain(Ordered(live)) / best : 1;
}

Signal AttributionSignal(const Attributions& reference, const Attributions& live, std::size_t rows,
                         std::string_view where) {
  Signal signal;
  signal.name = std::string(kAttributionDrift);
  signal.raise = 1 - kNdcgMin;
  signal.clear = 0.8 * signal.raise;
  if (reference.empty() || live.empty() || static_cast<std::int64_t>(rows) < kRowsMin)
    return signal;
  const double ndcg = AttributionNdcg(reference, live);
  signal.score = 1 - ndcg;
  signal.level = LevelOf(signal.score, signal.raise, signal.clear);
  if (signal.level == Level::kBad)
    signal.what = fmt::format("the model leans on {}; {} it leaned on {}", First(live), where,
                              First(reference));
  return signal;
}

const predictors::RowExplainer* Attributor::Explainer() {
  if (!tried_ && !package_.empty()) {
    const auto bytes = exec::ReadFile(package_, kPackageBytesMax);
    if (bytes) explainer_ = predictors::RowExplainer::Load(*bytes).value_or(nullptr);
  }
  tried_ = true;
  return explainer_.get();
}

const Attributions& Attributor::Promised() {
  if (!promised_.empty() || tried_holdout_ || holdout_.empty() || Explainer() == nullptr)
    return promised_;
  tried_holdout_ = true;
  table::ReadOptions options;
  for (const table::Field& field : explainer_->input()) options.columns.push_back(field.name);
  if (const auto frame = table::ReadParquet({holdout_}, options))
    promised_ = MeanSizes(*explainer_, *frame).value_or(Attributions());
  return promised_;
}

std::optional<Attributions> Attributor::Live(const table::Frame& inputs) {
  if (Explainer() == nullptr) return std::nullopt;
  return MeanSizes(*explainer_, inputs);
}

}  // namespace gyre::monitoring
