// What each feature added to a model's raw answer: Shapley values. For forests path-dependent, by
// LightGBM's definition (an absent feature sends a row down both ways of its splits, in proportion
// to the training rows that went there); for linear models against the row of which nothing is
// known. Immutable and thread-safe once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::predictors {

class Explainer {
 public:
  virtual ~Explainer() = default;
  virtual std::size_t features() const = 0;  // width of x
  virtual std::size_t outputs() const = 0;
  // Features that the model looks at, in order; all others add nothing.
  virtual const std::vector<std::uint32_t>& used() const = 0;
  // The raw answer where nothing is known, by output.
  virtual const std::vector<double>& base() const = 0;
  // What the raw answers count in: "log-odds", "the value itself".
  virtual std::string_view scale() const = 0;
  // x: rows x features(), NaN = missing. out: rows x outputs() x used().size(); base and the
  // contributions of a row add up to its raw answer.
  virtual void Explain(const double* x, std::size_t rows, double* out) const = 0;
  // The raw answers themselves, rows x outputs(), computed in another way.
  virtual void RawAnswers(const double* x, std::size_t rows, double* out) const = 0;
};

// Errors: those of LoadPredictor, kFailedPrecondition GY3206 the model does not say how many rows
// came to its leaves.
Result<std::unique_ptr<Explainer>> LoadExplainer(std::string_view format, std::string_view bytes);

}  // namespace gyre::predictors
