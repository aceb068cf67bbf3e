// What the families of learners share during one fit: the clock, the folds, and how they tell what
// they found. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/runners/tasks.h"
#include "ml/statistics/metrics.h"
#include "ml/training/problem.h"
#include "ml/training/scoring.h"

namespace gyre::training {

// What something took.
struct Effort {
  double wall_seconds = 0, cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;  // of the whole worker, until it was done
  void Add(const Effort& other);
};
Json EffortToJson(const Effort& effort);

struct Fold {
  std::vector<std::uint32_t> train, valid;  // rows of Problem::train
};

// Something that was fitted and measured on validation rows; becomes a run.
struct Candidate {
  std::string learner, name;
  std::vector<std::pair<std::string, std::string>> params;
  std::string state = "finished";  // or "given up": clearly behind after a part of the folds
  statistics::MetricSet valid;
  std::vector<std::pair<int, double>> curve;  // of the first fold
  std::string curve_key;
  Effort effort;
  double worth = 0;
};

// Validation scores of all rows that some fold held out.
struct Held {
  RawLink link = RawLink::kIdentity;
  std::vector<std::uint32_t> rows;  // ascending
  std::vector<double> raw;          // rows x outputs
};

// A finished family: ready to be packed.
struct Finalist {
  std::string learner, name;
  std::string format, predictor;
  Held held;
  Json params;  // for people: what it is made of
  Effort effort;
  double worth = 0;  // on the rows that all finalists hold
};

class FitSession {
 public:
  FitSession(runners::TaskContext& context, const Problem& problem);

  const Problem& problem() const { return problem_; }
  const FitRequest& request() const { return problem_.request; }
  // A clock may end the search: always, but when only trials were asked for.
  bool timed() const { return budget() > 0; }
  // A count of settings ends the search; no other decision may read the clock, and none the number
  // of threads.
  bool counted() const { return problem_.request.trials > 0; }
  double elapsed() const;  // seconds since the data began to be read
  double budget() const { return problem_.request.budget_seconds; }
  double seconds_left() const { return timed() ? std::max(budget() - elapsed(), 0.0) : 0; }
  std::int64_t DeadlineMicros(
      double share) const;  // when this share of the budget is used up; 0 = no clock
  bool Over(double share) const { return timed() && elapsed() > share * budget(); }
  bool cancelled() const { return context_.cancelled(); }

  // Folds of one repeat; a single fold when the rows are many or stand in time.
  int fold_count() const { return fold_count_; }
  bool holds_out() const { return fold_count_ == 1; }
  int repeats_max() const { return repeats_max_; }
  std::vector<Fold> Folds(int repeat) const;

  // Worth of scores on the rows `held.rows`.
  double WorthOf(const Held& held) const;
  Result<statistics::MetricSet> MetricsOfHeld(const Held& held) const;
  void Report(const Candidate& candidate);
  const std::vector<Candidate>& candidates() const { return candidates_; }
  void Say(std::string_view line) { context_.Log(line); }
  // A line for who reads the result.
  void Note(std::string line) { notes_.push_back(std::move(line)); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void ShowProgress();
  Fold NewestHeldOut(std::uint32_t rows) const;

  runners::TaskContext& context_;
  const Problem& problem_;
  const std::int64_t start_us_;
  int fold_count_ = 5, repeats_max_ = 1;
  int groups_ = std::numeric_limits<int>::max();  // as many as folds could use
  std::vector<Candidate> candidates_;
  std::vector<std::string> notes_;
  std::size_t best_ = 0;
};

// Measures what happens between its making and Stop.
class Stopwatch {
 public:
  Stopwatch();
  Effort Stop() const;

 private:
  std::int64_t wall_us_;
  double cpu_seconds_;
};

}  // namespace gyre::training
