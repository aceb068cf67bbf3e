#include "ml/predictors/scorer.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gyre::predictors {

struct Scorer::Body {
  ModelPackage package;
  recipes::Fitted recipe;
  std::unique_ptr<Predictor> predictor;
};

namespace {

// Raw outputs of the predictor -> probabilities (or the value) and the label.
Scorer::RowScore Decode(const ModelPackage& package, const double* raw, double* probabilities) {
  switch (package.task) {
    case Task::kRegression:
      probabilities[0] = raw[0];
      return {.prediction = raw[0], .label = 0};
    case Task::kBinary:
      probabilities[0] = 1.0 - raw[0];
      probabilities[1] = raw[0];
      return {.prediction = raw[0], .label = raw[0] >= package.threshold ? 1U : 0U};
    case Task::kMulticlass: {
      std::copy(raw, raw + package.classes.size(), probabilities);
      const auto largest = std::max_element(raw, raw + package.classes.size());
      return {.prediction = *largest, .label = static_cast<std::uint32_t>(largest - raw)};
    }
  }
  return {};
}

Error Mismatch(std::string_view what, std::size_t is, std::size_t should) {
  return InvalidArgument("GY3203",
                         "the model package is broken: its predictor has {} {}, {} were expected",
                         is, what, should);
}

}  // namespace

Scorer::Scorer() = default;
Scorer::~Scorer() = default;

Result<std::shared_ptr<const Scorer>> Scorer::Load(std::string_view package_bytes, Mode mode) {
  GYRE_TRY(const ModelPackage package, ModelPackage::Load(package_bytes));
  return FromPackage(package, mode);
}

Result<std::shared_ptr<const Scorer>> Scorer::FromPackage(const ModelPackage& package, Mode mode) {
  GYRE_TRY(recipes::Fitted recipe, recipes::Fitted::Load(package.recipe));
  GYRE_TRY(auto predictor, LoadPredictor(package.predictor_format, package.predictor, mode));
  if (predictor->features() != recipe.width())
    return Mismatch("features", predictor->features(), recipe.width());
  const std::size_t outputs = package.task == Task::kMulticlass ? package.classes.size() : 1;
  if (predictor->outputs() != outputs) return Mismatch("outputs", predictor->outputs(), outputs);
  auto scorer = std::make_shared<Scorer>();
  scorer->body_ = std::make_unique<Body>(Body{package, std::move(recipe), std::move(predictor)});
  // The loaded forms stand in the recipe and the predictor; their text would only double the
  // memory.
  scorer->body_->package.recipe.clear();
  scorer->body_->package.predictor.clear();
  scorer->body_->package.recipe.shrink_to_fit();
  scorer->body_->package.predictor.shrink_to_fit();
  return std::shared_ptr<const Scorer>(std::move(scorer));
}

const table::Schema& Scorer::input() const { return body_->recipe.input(); }
const ModelPackage& Scorer::package() const { return body_->package; }
Task Scorer::task() const { return body_->package.task; }
const std::vector<std::string>& Scorer::classes() const { return body_->package.classes; }
std::int64_t Scorer::memory_bytes() const { return body_->predictor->memory_bytes(); }
const recipes::Fitted& Scorer::recipe() const { return body_->recipe; }
const Predictor& Scorer::predictor() const { return *body_->predictor; }

// Raw answers, piece by piece: a wide recipe's columns never stand in memory for all rows.
Result<std::vector<double>> Scorer::RawOf(const table::Frame& frame) const {
  constexpr std::size_t kCellsMax = std::size_t{4} << 20;
  const std::size_t rows = frame.rows(), outputs = body_->predictor->outputs();
  const std::size_t piece = std::max<std::size_t>(1, kCellsMax / body_->recipe.width());
  std::vector<double> raw(rows * outputs);
  // A table without rows is looked at too: its columns must be there.
  for (std::size_t begin = 0; begin == 0 || begin < rows; begin += piece) {
    std::vector<std::uint32_t> chosen(std::min(piece, rows - begin));
    std::iota(chosen.begin(), chosen.end(), static_cast<std::uint32_t>(begin));
    GYRE_TRY(const recipes::Matrix matrix,
             body_->recipe.Apply(chosen.size() == rows ? frame : frame.Select(chosen)));
    body_->predictor->PredictBatch(matrix.values.data(), matrix.rows, raw.data() + begin * outputs);
  }
  return raw;
}

Result<Scores> Scorer::Score(const table::Frame& frame) const {
  GYRE_TRY(const std::vector<double> raw, RawOf(frame));
  const std::size_t outputs = body_->predictor->outputs();
  const std::size_t width = std::max<std::size_t>(1, classes().size());
  Scores scores;
  scores.rows = frame.rows();
  scores.probabilities.resize(scores.rows * width);
  scores.label.resize(scores.rows);
  for (std::size_t i = 0; i < scores.rows; ++i) {
    scores.label[i] =
        Decode(body_->package, raw.data() + i * outputs, scores.probabilities.data() + i * width)
            .label;
  }
  if (task() == Task::kRegression) {
    scores.prediction = std::move(scores.probabilities);
    scores.probabilities.clear();
    scores.label.clear();
  }
  return scores;
}

Scorer::RowScore Scorer::ScoreRow(std::span<const table::Cell> cells,
                                  std::span<double> probabilities, RowScratch& scratch) const {
  const Predictor& predictor = *body_->predictor;
  if (scratch.features.size() != predictor.features())
    scratch.features.resize(predictor.features());
  if (scratch.raw.size() != predictor.outputs()) scratch.raw.resize(predictor.outputs());
  body_->recipe.ApplyRow(cells, scratch.features, scratch.recipe);
  predictor.Predict(scratch.features.data(), scratch.raw.data());
  return Decode(body_->package, scratch.raw.data(), probabilities.data());
}

}  // namespace gyre::predictors
