// Explanations of a model package: what each of its input columns added to an answer. What a recipe
// made of a column (indicators, n-grams, encodings) is added up to the column that it was made of.
// Immutable, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/predictors/explainer.h"
#include "ml/predictors/scorer.h"
#include "ml/recipes/recipe.h"
#include "platform/table/frame.h"

namespace gyre::predictors {

struct Explained {
  std::size_t rows = 0;
  std::vector<double> raw;            // rows x outputs: base and the contributions of a row
  std::vector<double> contributions;  // rows x outputs x columns of input()
};

class RowExplainer {
 public:
  // Errors: those of Scorer::Load and LoadExplainer.
  static Result<std::shared_ptr<const RowExplainer>> Load(std::string_view package_bytes);
  static Result<std::shared_ptr<const RowExplainer>> FromPackage(const ModelPackage& package);

  const ModelPackage& package() const;  // without the texts of recipe and predictor
  const table::Schema& input() const { return recipe_.input(); }
  // What is explained: the second of two classes, each of more, or the target itself.
  const std::vector<std::string>& outputs() const { return outputs_; }
  const std::vector<double>& base() const { return explainer_->base(); }
  std::string_view scale() const { return explainer_->scale(); }

  // Errors: kInvalidArgument GY3111 a column is missing or has another type, kInternal GY3207 the
  // contributions of a row do not add up to its answer.
  Result<Explained> Explain(const table::Frame& frame) const;

 private:
  RowExplainer(ModelPackage package, recipes::Fitted recipe, std::unique_ptr<Explainer> explainer);
  Result<> ExplainPiece(const recipes::Matrix& matrix, std::size_t first, Explained* out) const;

  ModelPackage package_;
  recipes::Fitted recipe_;
  std::unique_ptr<Explainer> explainer_;
  std::vector<std::string> outputs_;
  std::vector<std::size_t> column_of_;  // input column, by place in used()
};

}  // namespace gyre::predictors
