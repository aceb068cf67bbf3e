#include "ml/tracking/settler.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gyre::tracking {
namespace {

constexpr std::size_t kRunsAtOnce = 64;

}  // namespace

Result<> MetricSettler::SettlePiece(std::span<const std::int64_t> runs) {
  const MutexLock held(mutex_);
  std::vector<Unsettled> all;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const std::int64_t run : runs) {
      GYRE_TRY(Unsettled unsettled, ReadUnsettled(reader, run));
      if (unsettled.run != 0) all.push_back(std::move(unsettled));
    }
    return {};
  }));
  std::vector<std::vector<std::int64_t>> numbers;
  for (const Unsettled& unsettled : all) {
    std::vector<std::string_view> keys;
    for (const auto& [key, metric] : unsettled.latest) keys.push_back(key);
    GYRE_TRY(auto of_run, names_.NumbersOf(keys));
    numbers.push_back(std::move(of_run));
  }
  // Runs of many keys share no transaction: one stays short.
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin, keys = 0;
    while (end < all.size() && (end == begin || keys + numbers[end].size() <= kKeysAtOnce))
      keys += numbers[end++].size();
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      for (std::size_t i = begin; i < end; ++i) GYRE_DO(PutLatest(tx, all[i], numbers[i]));
      return {};
    }));
    begin = end;
  }
  return {};
}

Result<> MetricSettler::SettleRuns(std::span<const std::int64_t> runs) {
  while (!runs.empty()) {
    const std::size_t count = std::min(runs.size(), kRunsAtOnce);
    GYRE_DO(SettlePiece(runs.first(count)));
    runs = runs.subspan(count);
  }
  return {};
}

Result<> MetricSettler::SettleExperiments(std::string_view project,
                                          std::span<const std::int64_t> experiments) {
  std::vector<std::int64_t> runs;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(runs, UnsettledRuns(reader, project, experiments));
    return {};
  }));
  return SettleRuns(runs);
}

Result<> MetricSettler::Recount(std::int64_t run) {
  const MutexLock held(mutex_);
  WholeMetrics whole;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(whole, ReadWhole(reader, run));
    return {};
  }));
  for (std::size_t begin = 0; begin < whole.size(); begin += kKeysAtOnce) {
    const auto piece = std::span(whole).subspan(begin, std::min(kKeysAtOnce, whole.size() - begin));
    GYRE_DO(database_.Write([&](db::Transaction& tx) { return PutWhole(tx, run, piece); }));
  }
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute("DELETE FROM tracking_metric_recount WHERE run = ?1", {run});
  });
}

}  // namespace gyre::tracking
