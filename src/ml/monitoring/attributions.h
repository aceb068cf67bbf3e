// Which columns a model leans on: the mean size of what each adds to an answer (Shapley values), on
// the rows that training held out and on those of a window. Private.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "ml/monitoring/signals.h"
#include "ml/predictors/row_explainer.h"

namespace gyre::monitoring {

// By column, in the order of the model's inputs.
using Attributions = std::vector<std::pair<std::string, double>>;
Json AttributionsToJson(const Attributions& attributions);
Attributions AttributionsFromJson(const Json& json);

// Do columns matter in the same order? 1 where they do: the discounted gain of the live order over
// that of the reference, with the attributions of the reference as gains, as SageMaker Clarify
// defines it.
double AttributionNdcg(const Attributions& reference, const Attributions& live);
// `where` the reference is from: "on the rows held out", "in the window before".
Signal AttributionSignal(const Attributions& reference, const Attributions& live, std::size_t rows,
                         std::string_view where);

// A model version's explanations, loaded when they are first asked for. What cannot be explained
// (no such model, a column that is not captured) is nothing.
class Attributor {
 public:
  Attributor(std::string package, std::string holdout, Attributions promised)
      : package_(std::move(package)),
        holdout_(std::move(holdout)),
        promised_(std::move(promised)) {}
  const Attributions& Promised();                          // on the rows held out; empty = unknown
  const Attributions& Known() const { return promised_; }  // computes nothing
  std::optional<Attributions> Live(const table::Frame& inputs);

 private:
  const predictors::RowExplainer* Explainer();

  const std::string package_, holdout_;
  Attributions promised_;
  std::shared_ptr<const predictors::RowExplainer> explainer_;
  bool tried_ = false, tried_holdout_ = false;
};

}  // namespace gyre::monitoring
