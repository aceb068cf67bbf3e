#include "ml/training/session.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/time.h"
#include "platform/exec/process.h"

namespace gyre::training {

namespace {
constexpr int kHoldOutFolds = 8;
}

FitSession::FitSession(runners::TaskContext& context, const Problem& problem)
    : context_(context), problem_(problem), start_us_(problem.start_us) {
  const std::size_t rows = problem.train_target.rows();
  constexpr std::size_t kFoldRowsMax = 60'000;
  if (InTime(problem.split_kind) || rows > kFoldRowsMax) {
    fold_count_ = 1;
  } else {
    fold_count_ = rows < 30 ? 3 : 5;
    repeats_max_ = rows < 1'500 ? 4 : rows < 6'000 ? 3 : rows < 20'000 ? 2 : 1;
    if (counted()) repeats_max_ = std::min(repeats_max_, 2);
  }
  // A group is never torn apart, so there cannot be more folds than groups.
  if (problem.split_kind == SplitKind::kGroup) {
    const std::set<std::uint64_t> groups(problem.train_group.begin(), problem.train_group.end());
    groups_ = static_cast<int>(std::min<std::size_t>(groups.size(), kHoldOutFolds));
    fold_count_ = std::min(fold_count_, groups_);
  }
}

double FitSession::elapsed() const {
  return static_cast<double>(SystemClock().MonotonicMicros() - start_us_) * 1e-6;
}

std::int64_t FitSession::DeadlineMicros(double share) const {
  return timed() ? start_us_ + static_cast<std::int64_t>(share * budget() * 1e6) : 0;
}

std::vector<Fold> FitSession::Folds(int repeat) const {
  const auto rows = static_cast<std::uint32_t>(problem_.train_target.rows());
  std::vector<Fold> folds(static_cast<std::size_t>(fold_count_));
  if (InTime(problem_.split_kind)) {
    folds[0] = NewestHeldOut(rows);
    return folds;
  }
  SplitRequest request{.kind = problem_.split_kind,
                       .target = &problem_.train_target,
                       .time = {},
                       .group = problem_.train_group};
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  const int parts = holds_out() ? std::min(kHoldOutFolds, groups_) : fold_count_;
  const auto fold_of = MakeFolds(
      request, all, parts, problem_.request.seed * 31 + static_cast<std::uint64_t>(repeat) + 17);
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (std::size_t f = 0; f < folds.size(); ++f)
      (fold_of[i] == f ? folds[f].valid : folds[f].train).push_back(i);
  }
  return folds;
}

// Training rows stand in the order of time. With groups none is on both sides, as in the test,
// unless that would leave too little to learn from.
Fold FitSession::NewestHeldOut(std::uint32_t rows) const {
  const std::uint32_t newest = std::max<std::uint32_t>(1, rows * 15 / 100);
  if (problem_.split_kind == SplitKind::kTimeGroup) {
    std::vector<double> order(rows);
    std::iota(order.begin(), order.end(), 0.0);
    Split split = SplitByTimeAndGroup(order, problem_.train_group, newest);
    if (split.train.size() >= rows / 2 && !split.test.empty())
      return {std::move(split.train), std::move(split.test)};
  }
  Fold fold;
  for (std::uint32_t i = 0; i < rows; ++i)
    (i < rows - newest ? fold.train : fold.valid).push_back(i);
  return fold;
}

double FitSession::WorthOf(const Held& held) const {
  std::vector<double> answers = held.raw;
  ApplyRawLink(held.link, problem_.outputs(), answers);
  return Worth(problem_.train_target, *problem_.metric, held.rows, answers);
}

Result<statistics::MetricSet> FitSession::MetricsOfHeld(const Held& held) const {
  std::vector<double> answers = held.raw;
  ApplyRawLink(held.link, problem_.outputs(), answers);
  return MetricsOf(problem_.train_target, held.rows, answers);
}

void FitSession::Report(const Candidate& candidate) {
  candidates_.push_back(candidate);
  if (candidate.state == "finished" &&
      (candidates_[best_].state != "finished" || candidate.worth > candidates_[best_].worth)) {
    best_ = candidates_.size() - 1;
  }
  Json params = Json::Obj(), metrics = Json::Obj(), curve = Json::Arr();
  for (const auto& [key, value] : candidate.params) params.Set(key, value);
  for (const auto& [key, value] : candidate.valid.values()) metrics.Set("valid_" + key, value);
  for (const auto& [step, value] : candidate.curve) curve.Push(Json::Arr({step, value}));
  context_.Event("candidate", Json::Obj({{"number", candidates_.size() - 1},
                                         {"learner", candidate.learner},
                                         {"name", candidate.name},
                                         {"state", candidate.state},
                                         {"params", std::move(params)},
                                         {"metrics", std::move(metrics)},
                                         {"curve_key", candidate.curve_key},
                                         {"curve", std::move(curve)},
                                         {"effort", EffortToJson(candidate.effort)}}));
  const double value = candidate.valid.Find(problem_.metric->name).value_or(0);
  context_.Log(fmt::format("{} {} {} {:.5g} ({:.1f} s)", candidate.name, candidate.state,
                           problem_.metric->name, value, candidate.effort.wall_seconds));
  ShowProgress();
}

void FitSession::ShowProgress() {
  const Candidate& best = candidates_[best_];
  const auto done = static_cast<double>(candidates_.size());
  double fraction = timed() ? elapsed() / budget() : 0;
  if (counted()) fraction = std::max(fraction, done / (problem_.request.trials + 4.0));
  context_.Progress(
      std::min(fraction, 0.99),
      fmt::format("{} candidates, best {} {} {:.4g}", candidates_.size(), best.name,
                  problem_.metric->name, best.valid.Find(problem_.metric->name).value_or(0)));
}

Stopwatch::Stopwatch()
    : wall_us_(SystemClock().MonotonicMicros()), cpu_seconds_(exec::OwnCpuSeconds()) {}

Effort Stopwatch::Stop() const {
  return {static_cast<double>(SystemClock().MonotonicMicros() - wall_us_) * 1e-6,
          exec::OwnCpuSeconds() - cpu_seconds_, exec::OwnMemoryPeak()};
}

void Effort::Add(const Effort& other) {
  wall_seconds += other.wall_seconds;
  cpu_seconds += other.cpu_seconds;
  memory_bytes_peak = std::max(memory_bytes_peak, other.memory_bytes_peak);
}

Json EffortToJson(const Effort& effort) {
  return Json::Obj({{"wall_seconds", effort.wall_seconds},
                    {"cpu_seconds", effort.cpu_seconds},
                    {"memory_bytes_peak", effort.memory_bytes_peak}});
}

}  // namespace gyre::training
