#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "ml/training/boosting.h"
#include "ml/training/families.h"
#include "ml/training/model_text.h"
#include "ml/training/search.h"
#include "platform/exec/thread_pool.h"

namespace gyre::training {

namespace {

constexpr std::size_t kTop = 3;  // settings kept for the bag
constexpr std::size_t kLeavesPerRowMax =
    20;  // of the model: a small table does not deserve a large one
constexpr std::size_t kLeavesMin = 20'000,
                      kLeavesMax = 400'000;  // the latter is some 30 MB of text
constexpr double kSearchShare = 0.6;         // of the budget; the rest deepens the bag
constexpr double kAfterSeconds = 2.5;        // packing and evaluation come after
constexpr double kAfterShareMin = 0.07, kAfterShareMax = 0.2;
// From so many rows on, what a fold's fit lacks in rows costs more than the variety of the folds
// gains: the chosen settings are fitted again on all of them.
constexpr std::size_t kRefitRowsMin = 6'000;
constexpr double kRefitGrowth = 1.4;    // of a fit's time, for more rows and rounds than a fold's
constexpr double kRefitShareMin = 0.2;  // of the budget, after folds

RawLink LinkOf(const BoostParams& params) {
  if (params.objective == "binary") return RawLink::kSigmoid;
  if (params.objective == "multiclass") return RawLink::kSoftmax;
  if (params.objective == "poisson") return RawLink::kExp;
  return params.square_root ? RawLink::kSquare : RawLink::kIdentity;
}

// One setting and what was fitted with it.
struct Trial {
  int number = 0;
  BoostParams params;
  std::vector<BoostFit> fits;
  std::vector<double> raw_sum;           // rows x outputs
  std::vector<std::uint16_t> raw_count;  // per row
  std::size_t folds_done = 0;
  double worth = -std::numeric_limits<double>::infinity();
  Effort effort;
  std::vector<std::pair<int, double>> curve;
};

Held HeldOf(const Trial& trial, std::size_t outputs) {
  Held held;
  held.link = LinkOf(trial.params);
  for (std::uint32_t row = 0; row < trial.raw_count.size(); ++row) {
    if (trial.raw_count[row] == 0) continue;
    held.rows.push_back(row);
    for (std::size_t c = 0; c < outputs; ++c)
      held.raw.push_back(trial.raw_sum[row * outputs + c] / trial.raw_count[row]);
  }
  return held;
}

class BoostFamily {
 public:
  BoostFamily(FitSession& session, const recipes::Matrix& matrix, const FoldValues& values,
              const std::vector<int>& categorical)
      : session_(session),
        target_(session.problem().train_target),
        matrix_(matrix),
        values_(values),
        categorical_(categorical),
        outputs_(session.problem().outputs()),
        space_(MakeSearchSpace(
            target_, matrix.columns,
            session.problem().metric->name == "mae" || session.problem().metric->name == "medae",
            session.timed() ? session.budget() : kUsualBudgetSeconds)),
        end_share_(1 - std::clamp(kAfterSeconds / std::max(session.budget(), 1.0), kAfterShareMin,
                                  kAfterShareMax)),
        leaves_max_(std::clamp(kLeavesPerRowMax * target_.rows(), kLeavesMin, kLeavesMax)),
        random_(session.request().seed * 7919 + 13) {}

  Result<std::optional<Finalist>> Run() {
    GYRE_DO(Search());
    if (top_.empty()) return std::optional<Finalist>();
    const Stopwatch watch;
    if (session_.holds_out()) {
      weights_.assign(top_.size(), 0.0);
      weights_[0] = 1;
    } else {
      weights_ = GreedyWeights();
    }
    GYRE_DO(Refits() ? RefitOnAll() : Deepen());
    GYRE_TRY(auto finalist, Pack());
    finalist->effort.Add(watch.Stop());
    return finalist;
  }

 private:
  struct Part {
    Fold fold;
    BoostFold binned;
  };

  Result<std::vector<Part>*> PartsOf(int repeat) {
    while (static_cast<int>(parts_.size()) <= repeat) {
      std::vector<Part> parts;
      for (Fold& fold : session_.Folds(static_cast<int>(parts_.size()))) {
        GYRE_TRY(const FoldValues::Part part, values_.Of(fold));
        GYRE_TRY(BoostFold binned, Bin(fold, part));
        parts.push_back(Part{std::move(fold), std::move(binned)});
      }
      parts_.push_back(std::move(parts));
    }
    return &parts_[static_cast<std::size_t>(repeat)];
  }

  struct Block {
    std::vector<double> values;
    std::vector<float> labels;
    BoostData data(std::size_t columns) const {
      return {values.data(), static_cast<std::int32_t>(labels.size()),
              static_cast<std::int32_t>(columns), labels.data()};
    }
  };
  using Columns = std::vector<std::pair<std::size_t, std::size_t>>;
  Block Gather(const std::vector<std::uint32_t>& rows, const recipes::Matrix& replaced,
               const Columns& columns) const {
    Block block;
    block.values.reserve(rows.size() * matrix_.columns);
    for (const std::uint32_t row : rows) {
      block.values.insert(block.values.end(), matrix_.row(row), matrix_.row(row) + matrix_.columns);
      block.labels.push_back(
          static_cast<float>(target_.labels.empty() ? target_.values[row] : target_.labels[row]));
    }
    for (const auto& [here, there] : columns) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        block.values[i * matrix_.columns + there] = replaced.row(i)[here];
    }
    return block;
  }
  Result<BoostFold> Bin(const Fold& fold, const FoldValues::Part& part) const {
    const Block a = Gather(fold.train, part.train, part.columns),
                b = Gather(fold.valid, part.valid, part.columns);
    return BoostFold::Bin(a.data(matrix_.columns), b.data(matrix_.columns), categorical_,
                          session_.request().threads);
  }

  BoostLimits Limits(const BoostParams& params, double share) const {
    BoostLimits limits;
    const auto folds = static_cast<std::size_t>(std::max(session_.fold_count(), 2));
    const std::size_t per_round = folds * static_cast<std::size_t>(params.leaves) * outputs_;
    limits.iterations_max =
        static_cast<int>(std::clamp<std::size_t>(leaves_max_ / per_round, 50, 5'000));
    limits.patience = static_cast<int>(std::clamp(4 / params.learning_rate, 30.0, 150.0));
    limits.deadline_us = session_.DeadlineMicros(share);
    limits.threads = session_.request().threads;
    limits.cancelled = [this] { return session_.cancelled(); };
    return limits;
  }

  // --- search ------------------------------------------------------------------------------------
  Result<> Search() {
    int number = 0;
    for (;; ++number) {
      if (session_.counted() && number >= session_.request().trials) break;
      const bool bag_of_count = session_.counted() && !session_.holds_out();
      if (number > 0 && session_.Over(bag_of_count ? end_share_ : SearchShare())) break;
      Trial trial;
      trial.number = number;
      trial.params =
          ProposeParams(space_, number, top_.empty() ? nullptr : &top_[0].params, random_);
      GYRE_TRY(const bool complete, Try(&trial));
      if (!complete && !top_.empty() && session_.Over(end_share_)) break;
    }
    if (session_.counted() && number < session_.request().trials) SayCutShort(number);
    return {};
  }

  void SayCutShort(int tried) {
    session_.Note(
        fmt::format("the budget of {} s ended the search after {} of {} settings: another "
                    "run may give other bytes",
                    session_.budget(), tried, session_.request().trials));
  }

  // The search leaves time for the refit on all rows, or for a deeper bag where there is room for
  // one.
  double SearchShare() const {
    constexpr double kLongSearchShare = 0.85;
    if (top_.empty()) return kSearchShare;
    if (session_.holds_out())
      return std::clamp(end_share_ - 1.5 * top_[0].effort.wall_seconds / session_.budget(), 0.2,
                        kLongSearchShare);
    if (EnoughToRefit()) {
      double seconds = 0;
      for (const Trial& trial : top_) seconds += RefitSeconds(trial);
      return std::clamp(end_share_ - std::max(seconds / session_.budget(), kRefitShareMin), 0.3,
                        kLongSearchShare);
    }
    std::size_t leaves = 0;
    for (const BoostFit& fit : top_[0].fits) leaves += CountLeaves(fit.text);
    return session_.repeats_max() > 1 && 2 * leaves <= leaves_max_ ? kSearchShare
                                                                   : kLongSearchShare;
  }

  // Fits fold after fold; gives up early what is behind. True when all folds were done.
  Result<bool> Try(Trial* trial) {
    const Stopwatch watch;
    GYRE_TRY(std::vector<Part> * parts, PartsOf(0));
    trial->raw_sum.assign(target_.rows() * outputs_, 0.0);
    trial->raw_count.assign(target_.rows(), 0);
    bool given_up = false;
    while (trial->folds_done < parts->size() && !given_up) {
      const bool first_ever = top_.empty() && trial->folds_done == 0;
      if (!first_ever && session_.Over(end_share_)) break;
      GYRE_DO(FitSome(*parts, 0, trial->folds_done, trial));
      trial->folds_done = trial->fits.size();
      given_up = trial->folds_done < parts->size() && IsBehind(*trial);
    }
    if (trial->fits.empty()) return false;  // the time was over before its first fold
    const Held held = HeldOf(*trial, outputs_);
    trial->worth = session_.WorthOf(held);
    const bool complete = trial->folds_done == parts->size();
    Candidate candidate;
    candidate.learner = "lightgbm";
    candidate.name = fmt::format("lightgbm-{:02}", trial->number + 1);
    candidate.params = trial->params.ToList();
    int rounds = 0;
    for (const BoostFit& fit : trial->fits) rounds += fit.iterations;
    candidate.params.emplace_back("iterations",
                                  fmt::format("{}", rounds / static_cast<int>(trial->fits.size())));
    candidate.params.emplace_back("folds", fmt::format("{}", trial->folds_done));
    candidate.state = complete || top_.empty() ? "finished" : "given up";
    candidate.curve = trial->curve;
    candidate.curve_key =
        target_.task == predictors::Task::kRegression ? "valid_loss" : "valid_log_loss";
    candidate.worth = trial->worth;
    const auto metrics = session_.MetricsOfHeld(held);
    if (metrics) candidate.valid = *metrics;
    candidate.effort = trial->effort = watch.Stop();
    session_.Report(candidate);
    if (complete || top_.empty()) Keep(std::move(*trial));
    return complete;
  }

  // The folds from `begin` on that go together: side by side, one thread each. Without a clock
  // always two, so that the number of threads changes nothing.
  Result<> FitSome(const std::vector<Part>& parts, int repeat, std::size_t begin, Trial* trial) {
    const auto together =
        static_cast<std::size_t>(session_.counted() ? 2 : std::max(session_.request().threads, 1));
    const std::size_t end = std::min(parts.size(), begin + together);
    std::vector<Result<BoostFit>> fits(end - begin, Result<BoostFit>(BoostFit()));
    {
      std::vector<exec::Worker> workers;
      for (std::size_t f = begin; f < end; ++f) {
        BoostLimits limits = Limits(trial->params, end_share_);
        limits.seed =
            session_.request().seed * 1'009 + static_cast<std::uint64_t>(repeat) * 101 + f + 1;
        limits.threads = session_.holds_out() ? session_.request().threads : 1;
        workers.emplace_back("fold", [this, limits, &part = parts[f], &fit = fits[f - begin],
                                      trial](const exec::StopFlag&) {
          fit = part.binned.Fit(trial->params, static_cast<int>(outputs_), limits);
        });
      }
    }
    for (std::size_t f = begin; f < end; ++f)
      GYRE_DO(TakeFit(parts[f], repeat == 0 && f == 0, std::move(fits[f - begin]), trial));
    return {};
  }

  Result<> TakeFit(const Part& part, bool first, Result<BoostFit> result, Trial* trial) const {
    GYRE_TRY(BoostFit fit, std::move(result));
    if (first) trial->curve = fit.curve;
    for (std::size_t i = 0; i < part.fold.valid.size(); ++i) {
      const std::uint32_t row = part.fold.valid[i];
      for (std::size_t c = 0; c < outputs_; ++c)
        trial->raw_sum[row * outputs_ + c] += fit.raw[i * outputs_ + c];
      ++trial->raw_count[row];
    }
    fit.raw = {};
    trial->fits.push_back(std::move(fit));
    return {};
  }

  // Behind the last of the best on the rows that it has been measured on.
  bool IsBehind(const Trial& trial) const {
    if (top_.size() < kTop) return false;
    const Held mine = HeldOf(trial, outputs_);
    Held theirs;
    const Trial& last = top_.back();
    theirs.link = LinkOf(last.params);
    theirs.rows = mine.rows;
    for (const std::uint32_t row : mine.rows) {
      for (std::size_t c = 0; c < outputs_; ++c)
        theirs.raw.push_back(last.raw_sum[row * outputs_ + c] / last.raw_count[row]);
    }
    return session_.WorthOf(mine) < session_.WorthOf(theirs);
  }

  void Keep(Trial trial) {
    if (!top_.empty() && top_[0].folds_done < trial.folds_done)
      top_.clear();  // what was cut short cannot be compared
    const auto place =
        std::ranges::find_if(top_, [&](const Trial& t) { return trial.worth > t.worth; });
    top_.insert(place, std::move(trial));
    if (top_.size() > kTop) top_.pop_back();
  }

  // --- the bag -----------------------------------------------------------------------------------
  // Adds, pick by pick, the setting that helps most (Caruana et al. 2004). Only settings with the
  // link of the best can be summed.
  std::vector<double> GreedyWeights() const {
    constexpr int kPicks = 12;
    std::vector<Held> held;
    for (const Trial& trial : top_) held.push_back(HeldOf(trial, outputs_));
    std::vector<double> picks(top_.size(), 0.0);
    std::vector<double> sum(held[0].raw.size(), 0.0);
    double best_worth = -std::numeric_limits<double>::infinity();
    for (int pick = 1; pick <= kPicks; ++pick) {
      std::size_t best = top_.size();
      for (std::size_t t = 0; t < top_.size(); ++t) {
        if (top_[t].params.Link() != top_[0].params.Link() || held[t].rows != held[0].rows)
          continue;
        Held mixed = held[0];
        for (std::size_t i = 0; i < sum.size(); ++i)
          mixed.raw[i] = (sum[i] + held[t].raw[i]) / pick;
        const double worth = session_.WorthOf(mixed);
        if (worth > best_worth) {
          best_worth = worth;
          best = t;
        }
      }
      if (best == top_.size()) break;
      ++picks[best];
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += held[best].raw[i];
    }
    const double total = std::accumulate(picks.begin(), picks.end(), 0.0);
    for (double& weight : picks) weight /= total;
    return picks;
  }

  std::size_t LeavesUsed() const {
    std::size_t leaves = 0;
    for (std::size_t t = 0; t < top_.size(); ++t) {
      if (weights_[t] == 0) continue;
      for (const BoostFit& fit : top_[t].fits) leaves += CountLeaves(fit.text);
    }
    return leaves;
  }

  // More repeats of the folds while there is time and room: the mean of more fits has less chance
  // in it.
  Result<> Deepen() {
    if (top_[0].folds_done < static_cast<std::size_t>(session_.fold_count())) return {};
    for (int repeat = 1; repeat < session_.repeats_max(); ++repeat) {
      const std::size_t used = LeavesUsed();
      if (used + used / static_cast<std::size_t>(repeat) > leaves_max_ ||
          session_.Over(end_share_ - 0.1))
        break;
      GYRE_TRY(const std::vector<Part>* parts, PartsOf(repeat));
      for (std::size_t t = 0; t < top_.size(); ++t) {
        if (weights_[t] == 0) continue;
        const std::size_t before = top_[t].fits.size();
        while (top_[t].fits.size() < before + parts->size()) {
          if (session_.Over(end_share_ - 0.05)) return {};
          GYRE_DO(FitSome(*parts, repeat, top_[t].fits.size() - before, &top_[t]));
        }
      }
    }
    return {};
  }

  // --- the refit ---------------------------------------------------------------------------------
  bool EnoughToRefit() const { return session_.holds_out() || target_.rows() >= kRefitRowsMin; }

  // What one fit on all rows should take.
  static double RefitSeconds(const Trial& trial) {
    return kRefitGrowth * trial.effort.cpu_seconds / static_cast<double>(trial.fits.size());
  }

  // With few trees it is chance which columns they have seen: a refit would be another model than
  // the one that was measured.
  static bool HasFewRounds(const Trial& trial) {
    constexpr int kFewRounds = 20;
    return std::ranges::any_of(trial.fits,
                               [](const BoostFit& fit) { return fit.iterations < kFewRounds; });
  }

  // A refit that is cut short would be worse than the folds' fits, so it is not begun.
  bool Refits() const {
    if (HasFewRounds(top_[0])) return false;
    if (session_.holds_out()) return true;
    if (!EnoughToRefit() || top_[0].folds_done < static_cast<std::size_t>(session_.fold_count()))
      return false;
    double seconds = session_.elapsed();
    for (std::size_t t = 0; t < top_.size(); ++t)
      if (weights_[t] > 0) seconds += RefitSeconds(top_[t]);
    return !session_.timed() || seconds < end_share_ * session_.budget();
  }

  // The chosen settings on every row, with the rounds that the folds found (a little more rows, a
  // little more rounds), with several seeds while there is time and room.
  Result<> RefitOnAll() {
    Fold all;
    all.train.resize(target_.rows());
    std::iota(all.train.begin(), all.train.end(), 0U);
    GYRE_TRY(const BoostFold binned, Bin(all, {}));
    const std::uint64_t passes_max = !session_.counted() ? 4 : session_.holds_out() ? 1 : 2;
    std::vector<std::vector<BoostFit>> fits(top_.size());
    std::size_t leaves = 0;
    for (std::uint64_t pass = 0; pass < passes_max; ++pass) {
      const double before = session_.elapsed();
      for (std::size_t t = 0; t < top_.size(); ++t) {
        if (weights_[t] == 0) continue;
        GYRE_TRY(BoostFit fit, RefitOne(binned, top_[t], pass));
        leaves += CountLeaves(fit.text);
        fits[t].push_back(std::move(fit));
      }
      const double took = session_.elapsed() - before;
      if (session_.timed() && session_.elapsed() + took > end_share_ * session_.budget()) break;
      if (leaves + leaves / (pass + 1) > leaves_max_) break;
    }
    for (std::size_t t = 0; t < top_.size(); ++t)
      if (weights_[t] > 0) top_[t].fits = std::move(fits[t]);
    return {};
  }

  Result<BoostFit> RefitOne(const BoostFold& binned, const Trial& trial, std::uint64_t pass) const {
    constexpr double kMoreRounds = 1.1;
    double rounds = 0;
    for (const BoostFit& fit : trial.fits) rounds += fit.iterations;
    rounds /= static_cast<double>(trial.fits.size());
    BoostLimits limits = Limits(trial.params, 1);
    limits.deadline_us = 0;
    // Threads that meet after each of many small steps cost more than they bring.
    if (!session_.holds_out()) limits.threads = 1;
    limits.fixed_iterations = std::max(1, static_cast<int>(std::lround(rounds * kMoreRounds)));
    limits.seed = session_.request().seed * 1'009 + 500 + pass;
    return binned.Fit(trial.params, static_cast<int>(outputs_), limits);
  }

  Result<std::optional<Finalist>> Pack() {
    std::vector<WeightedText> texts;
    Json members = Json::Arr();
    Finalist finalist;
    std::size_t used = 0;
    for (std::size_t t = 0; t < top_.size(); ++t) {
      if (weights_[t] == 0) continue;
      ++used;
      const Trial& trial = top_[t];
      Json params = Json::Obj();
      for (const auto& [key, value] : trial.params.ToList()) params.Set(key, value);
      members.Push(Json::Obj({{"name", fmt::format("lightgbm-{:02}", trial.number + 1)},
                              {"weight", weights_[t]},
                              {"models", trial.fits.size()},
                              {"params", std::move(params)}}));
      for (const BoostFit& fit : trial.fits)
        texts.push_back({fit.text, weights_[t] / static_cast<double>(trial.fits.size())});
      AddHeld(HeldOf(trial, outputs_), weights_[t], &finalist.held);
      finalist.effort.Add(trial.effort);
    }
    finalist.learner = "lightgbm";
    finalist.name = fmt::format("lightgbm bag of {}", texts.size());
    if (texts.size() == 1) finalist.name = "lightgbm";
    finalist.format = "lightgbm.text";
    GYRE_TRY(finalist.predictor, MergeModels(texts));
    finalist.params =
        Json::Obj({{"members", std::move(members)}, {"leaves", CountLeaves(finalist.predictor)}});
    session_.Say(fmt::format("{}: {} settings, {} leaves", finalist.name, used,
                             CountLeaves(finalist.predictor)));
    return std::optional<Finalist>(std::move(finalist));
  }

  static void AddHeld(const Held& held, double weight, Held* sum) {
    sum->link = held.link;
    if (sum->rows.empty()) {
      sum->rows = held.rows;
      sum->raw.assign(held.raw.size(), 0.0);
    }
    for (std::size_t i = 0; i < held.raw.size(); ++i) sum->raw[i] += weight * held.raw[i];
  }

  FitSession& session_;
  const Target& target_;
  const recipes::Matrix& matrix_;
  const FoldValues& values_;
  const std::vector<int>& categorical_;
  const std::size_t outputs_;
  const SearchSpace space_;
  const double end_share_;  // of the budget, when the model must be there
  const std::size_t leaves_max_;
  Random random_;
  std::vector<std::vector<Part>> parts_;  // per repeat
  std::vector<Trial> top_;                // best first
  std::vector<double> weights_;           // of top_
};

}  // namespace

Result<std::optional<Finalist>> FitBoostFamily(FitSession& session, const recipes::Matrix& matrix,
                                               const FoldValues& values,
                                               const std::vector<int>& categorical) {
  return BoostFamily(session, matrix, values, categorical).Run();
}

}  // namespace gyre::training
