#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "ml/training/families.h"
#include "ml/training/linear_fit.h"

namespace gyre::training {

namespace {

using predictors::LinearModel;
using predictors::Task;
using Penalty = LinearParams::Penalty;

RawLink LinkOf(Task task) {
  return task == Task::kBinary       ? RawLink::kSigmoid
         : task == Task::kMulticlass ? RawLink::kSoftmax
                                     : RawLink::kIdentity;
}

double Deviation(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / n);
}

class LinearFamily {
 public:
  // `fold_rows`: null where all folds have the rows of `x`.
  LinearFamily(FitSession& session, const SparseRows& x, FoldRows* fold_rows, double share)
      : session_(session),
        target_(session.problem().train_target),
        x_(x),
        fold_rows_(fold_rows),
        share_(share),
        folds_(session.Folds(0)) {
    if (target_.task == Task::kRegression) scale_ = std::max(Deviation(target_.values), 1e-12);
  }

  // Goes from strong to weak until it gets worse twice; empty when the time was over before the
  // first was done.
  Result<std::optional<Finalist>> Run(Penalty penalty) {
    const Stopwatch watch;
    static constexpr std::array kStrengths = {0.3,  0.1,  0.03, 0.01, 0.003, 0.001,
                                              3e-4, 1e-4, 3e-5, 1e-5, 3e-6,  1e-6};
    std::vector<LinearModel> starts(folds_.size());
    double best_worth = -std::numeric_limits<double>::infinity(), best_strength = 0;
    Held best;
    Candidate candidate;
    int worse = 0;
    for (const double strength : kStrengths) {
      // So strong only where rows are few: elsewhere it is time lost.
      constexpr std::size_t kFewRows = 2'000;
      if (strength > 0.1 && (penalty == Penalty::kL1 || target_.rows() > kFewRows)) continue;
      GYRE_TRY(auto held, Validate(penalty, strength, &starts));
      if (!held) break;
      const double worth = session_.WorthOf(*held);
      candidate.curve.emplace_back(static_cast<int>(candidate.curve.size()), worth);
      if (worth > best_worth) {
        best_worth = worth;
        best_strength = strength;
        best = *std::move(held);
        worse = 0;
      } else if (worth < best_worth && ++worse == 2) {  // equal: all weights are still zero
        break;
      }
    }
    if (best.rows.empty()) return std::optional<Finalist>();
    return Finish(penalty, best_strength, std::move(best), best_worth, watch, std::move(candidate));
  }

 private:
  double Strength(Penalty penalty, double strength) const {
    return penalty == Penalty::kL1 ? strength * scale_ : strength;
  }

  Result<std::optional<Held>> Validate(Penalty penalty, double strength,
                                       std::vector<LinearModel>* starts) {
    std::map<std::uint32_t, std::pair<std::size_t, std::size_t>> where;  // row -> (fold, position)
    std::vector<std::vector<double>> raw(folds_.size());
    for (std::size_t f = 0; f < folds_.size(); ++f) {
      if (session_.Over(share_)) return std::optional<Held>();
      LinearModel& start = (*starts)[f];
      const SparseRows& x = fold_rows_ == nullptr ? x_ : fold_rows_->Take(f);
      const LinearData data{&x, &target_, folds_[f].train};
      GYRE_TRY(start, FitLinear(data, {penalty, Strength(penalty, strength), kIterationsMax},
                                start.intercepts.empty() ? nullptr : &start,
                                [&] { return session_.cancelled(); }));
      raw[f] = LinearRaw(start, x, folds_[f].valid);
      for (std::size_t i = 0; i < folds_[f].valid.size(); ++i) where[folds_[f].valid[i]] = {f, i};
    }
    Held held;
    held.link = LinkOf(target_.task);
    const std::size_t outputs = session_.problem().outputs();
    for (const auto& [row, at] : where) {
      held.rows.push_back(row);
      const auto begin = raw[at.first].begin() + static_cast<std::ptrdiff_t>(at.second * outputs);
      held.raw.insert(held.raw.end(), begin, begin + static_cast<std::ptrdiff_t>(outputs));
    }
    return std::optional<Held>(std::move(held));
  }

  Result<std::optional<Finalist>> Finish(Penalty penalty, double strength, Held held, double worth,
                                         const Stopwatch& watch, Candidate candidate) {
    std::vector<std::uint32_t> all(x_.rows());
    std::iota(all.begin(), all.end(), 0U);
    const LinearData data{&x_, &target_, std::move(all)};
    GYRE_TRY(const LinearModel model,
             FitLinear(data, {penalty, Strength(penalty, strength), 2 * kIterationsMax}, nullptr,
                       [&] { return session_.cancelled(); }));
    const bool regression = target_.task == Task::kRegression;
    candidate.learner = penalty == Penalty::kL1 ? (regression ? "lasso" : "logistic_l1")
                                                : (regression ? "ridge" : "logistic");
    candidate.name = candidate.learner;
    candidate.params = {{"penalty", penalty == Penalty::kL1 ? "l1" : "l2"},
                        {"strength", fmt::format("{}", strength)}};
    candidate.curve_key = "valid_worth";
    candidate.worth = worth;
    GYRE_TRY(candidate.valid, session_.MetricsOfHeld(held));
    candidate.effort = watch.Stop();
    session_.Report(candidate);
    Finalist finalist;
    finalist.effort = candidate.effort;
    finalist.learner = candidate.learner;
    finalist.name = candidate.name;
    finalist.format = "gyre.linear";
    finalist.predictor = predictors::SaveLinear(model);
    finalist.held = std::move(held);
    finalist.params = Json::Obj({{"penalty", candidate.params[0].second}, {"strength", strength}});
    return std::optional<Finalist>(std::move(finalist));
  }

  static constexpr int kIterationsMax = 150;
  FitSession& session_;
  const Target& target_;
  const SparseRows& x_;
  FoldRows* const fold_rows_;
  const double share_;
  const std::vector<Fold> folds_;
  double scale_ = 1;
};

}  // namespace

Result<Finalist> FitConstant(FitSession& session, std::size_t features) {
  const Stopwatch watch;
  const Target& target = session.problem().train_target;
  predictors::ConstantModel model;
  model.task = target.task;
  model.features = features;
  Held held;
  const auto rows = static_cast<double>(target.rows());
  std::vector<double> raw;
  if (target.task == Task::kRegression) {
    model.values = {std::accumulate(target.values.begin(), target.values.end(), 0.0) / rows};
    raw = model.values;
  } else {
    std::vector<double> shares(target.classes.size(), 0.0);
    for (const std::uint32_t label : target.labels) shares[label] += 1 / rows;
    if (target.task == Task::kBinary) {
      model.values = {shares[1]};
      raw = {std::log(shares[1] / shares[0])};
    } else {
      model.values = shares;
      for (const double share : shares) raw.push_back(std::log(std::max(share, 1e-15)));
    }
  }
  held.link = LinkOf(target.task);
  for (std::uint32_t i = 0; i < target.rows(); ++i) {
    held.rows.push_back(i);
    held.raw.insert(held.raw.end(), raw.begin(), raw.end());
  }
  Candidate candidate;
  candidate.learner = candidate.name = "constant";
  candidate.worth = session.WorthOf(held);
  GYRE_TRY(candidate.valid, session.MetricsOfHeld(held));
  candidate.effort = watch.Stop();
  session.Report(candidate);
  return Finalist{.learner = "constant",
                  .name = "constant",
                  .format = "gyre.constant",
                  .predictor = predictors::SaveConstant(model),
                  .held = std::move(held),
                  .params = Json::Obj(),
                  .effort = candidate.effort};
}

Result<std::vector<Finalist>> FitLinearFamily(FitSession& session, const SparseRows& rows,
                                              const FoldValues& values, double share) {
  std::vector<Finalist> finalists;
  std::optional<FoldRows> fold_rows;
  if (!values.empty()) {
    GYRE_TRY(fold_rows, FoldRows::Make(rows, values, session.Folds(0)));
  }
  for (const Penalty penalty : {Penalty::kL2, Penalty::kL1}) {
    // The second has what the first has left, and at least a little.
    LinearFamily family(session, rows, fold_rows ? &*fold_rows : nullptr,
                        penalty == Penalty::kL2 ? share : share * 1.3);
    GYRE_TRY(auto finalist, family.Run(penalty));
    if (finalist) finalists.push_back(*std::move(finalist));
  }
  return finalists;
}

}  // namespace gyre::training
