#include "ml/serving/score_file.h"

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ml/predictors/scorer.h"
#include "ml/serving/answered_file.h"
#include "platform/exec/files.h"

namespace gyre::serving {

namespace {

std::vector<std::string> AnswerNames(const predictors::Scorer& scorer) {
  std::vector<std::string> names = {"prediction"};
  for (const std::string& name : scorer.classes()) names.push_back("probability_" + name);
  return names;
}

// The class names as a column of the target's type when each of them reads as one.
table::Column PredictionColumn(const predictors::Scorer& scorer, const predictors::Scores& scores) {
  table::Column column;
  column.name = "prediction";
  if (scorer.task() == predictors::Task::kRegression) {
    column.type = table::Type::kDouble;
    for (const double value : scores.prediction) column.PushDouble(value);
    return column;
  }
  std::vector<std::int64_t> whole;
  if (scorer.package().target_type == table::Type::kInt) {
    for (const std::string& name : scorer.classes()) {
      if (const auto value = ParseInt(name)) whole.push_back(*value);
    }
  }
  const bool as_int = !whole.empty() && whole.size() == scorer.classes().size();
  column.type = as_int ? table::Type::kInt : table::Type::kText;
  for (const std::uint32_t label : scores.label) {
    if (as_int)
      column.PushInt(whole[label]);
    else
      column.PushText(scorer.classes()[label]);
  }
  return column;
}

class Predicted final : public Answers {
 public:
  explicit Predicted(const predictors::Scorer& scorer)
      : scorer_(scorer), names_(AnswerNames(scorer)) {}
  const table::Schema& input() const override { return scorer_.input(); }
  const predictors::ModelPackage& package() const override { return scorer_.package(); }
  const std::vector<std::string>& names() const override { return names_; }
  std::string_view verb() const override { return "predict"; }
  void Begin() override {}

  Result<std::vector<table::Column>> Of(const table::Frame& rows) override {
    GYRE_TRY(const predictors::Scores scores, scorer_.Score(rows));
    std::vector<table::Column> columns = {PredictionColumn(scorer_, scores)};
    const std::size_t classes = scorer_.classes().size();
    for (std::size_t k = 0; k < classes; ++k) {
      table::Column column;
      column.name = names_[k + 1];
      column.type = table::Type::kDouble;
      for (std::size_t i = 0; i < scores.rows; ++i)
        column.PushDouble(scores.probabilities[i * classes + k]);
      columns.push_back(std::move(column));
    }
    return columns;
  }

 private:
  const predictors::Scorer& scorer_;
  const std::vector<std::string> names_;
};

}  // namespace

Result<Json> ScoreFile(runners::TaskContext& context) {
  GYRE_TRY(const std::string package, exec::ReadFile(context.input()["model"].AsString()));
  GYRE_TRY(const auto scorer, predictors::Scorer::Load(package));
  Predicted answers(*scorer);
  return AnswerFile(context, answers);
}

}  // namespace gyre::serving
