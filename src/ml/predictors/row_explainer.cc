#include "ml/predictors/row_explainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace gyre::predictors {

namespace {

constexpr std::size_t kCellsMax = std::size_t{4} << 20;
constexpr double kGapMax = 1e-9;  // of the largest sum that was added

std::vector<std::string> OutputNames(const ModelPackage& package) {
  if (package.task == Task::kRegression) return {package.target};
  if (package.task == Task::kBinary) return {package.classes[1]};
  return package.classes;
}

}  // namespace

RowExplainer::RowExplainer(ModelPackage package, recipes::Fitted recipe,
                           std::unique_ptr<Explainer> explainer)
    : package_(std::move(package)),
      recipe_(std::move(recipe)),
      explainer_(std::move(explainer)),
      outputs_(OutputNames(package_)) {
  package_.recipe = {};
  package_.predictor = {};
  const std::vector<std::size_t> sources = recipe_.source_columns();
  for (const std::uint32_t feature : explainer_->used()) column_of_.push_back(sources[feature]);
}

Result<std::shared_ptr<const RowExplainer>> RowExplainer::Load(std::string_view package_bytes) {
  GYRE_TRY(const ModelPackage package, ModelPackage::Load(package_bytes));
  return FromPackage(package);
}

Result<std::shared_ptr<const RowExplainer>> RowExplainer::FromPackage(const ModelPackage& package) {
  GYRE_TRY(recipes::Fitted recipe, recipes::Fitted::Load(package.recipe));
  GYRE_TRY(auto explainer, LoadExplainer(package.predictor_format, package.predictor));
  if (explainer->features() != recipe.width() ||
      explainer->outputs() != OutputNames(package).size()) {
    return InvalidArgument("GY3203",
                           "the model package is broken: its predictor has {} features and {} "
                           "outputs, {} and {} were expected",
                           explainer->features(), explainer->outputs(), recipe.width(),
                           OutputNames(package).size());
  }
  return std::shared_ptr<const RowExplainer>(
      new RowExplainer(package, std::move(recipe), std::move(explainer)));
}

const ModelPackage& RowExplainer::package() const { return package_; }

Result<Explained> RowExplainer::Explain(const table::Frame& frame) const {
  const std::size_t rows = frame.rows(), outputs = outputs_.size();
  Explained explained{.rows = rows,
                      .raw = std::vector<double>(rows * outputs),
                      .contributions = std::vector<double>(rows * outputs * input().size())};
  const std::size_t widest = std::max(recipe_.width(), outputs * column_of_.size());
  const std::size_t piece = std::max<std::size_t>(1, kCellsMax / std::max<std::size_t>(widest, 1));
  // A table without rows is looked at too: its columns must be there.
  for (std::size_t begin = 0; begin == 0 || begin < rows; begin += piece) {
    std::vector<std::uint32_t> chosen(std::min(piece, rows - begin));
    std::iota(chosen.begin(), chosen.end(), static_cast<std::uint32_t>(begin));
    GYRE_TRY(const recipes::Matrix matrix,
             recipe_.Apply(chosen.size() == rows ? frame : frame.Select(chosen)));
    GYRE_DO(ExplainPiece(matrix, begin, &explained));
  }
  return explained;
}

Result<> RowExplainer::ExplainPiece(const recipes::Matrix& matrix, std::size_t first,
                                    Explained* out) const {
  const std::size_t outputs = outputs_.size(), used = column_of_.size(), columns = input().size();
  std::vector<double> values(matrix.rows * outputs * used), answers(matrix.rows * outputs);
  explainer_->Explain(matrix.values.data(), matrix.rows, values.data());
  explainer_->RawAnswers(matrix.values.data(), matrix.rows, answers.data());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const double* from = values.data() + i * used;
    double* to = out->contributions.data() + (first * outputs + i) * columns;
    double sum = base()[i % outputs], size = std::fabs(sum);
    for (std::size_t j = 0; j < used; ++j) {
      to[column_of_[j]] += from[j];
      sum += from[j];
      size += std::fabs(from[j]);
    }
    // Not for answers that are no numbers: an infinite feature in a linear model.
    if (std::fabs(sum - answers[i]) > kGapMax * std::max(size, 1.0)) {
      return Internal("GY3207",
                      "the explanation of row {} does not add up: {} instead of {}; nothing was "
                      "written",
                      first + i / outputs + 1, sum, answers[i]);
    }
    out->raw[first * outputs + i] = sum;
  }
  return {};
}

}  // namespace gyre::predictors
