#include "ml/serving/explain_file.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ml/predictors/row_explainer.h"
#include "ml/serving/answered_file.h"
#include "platform/exec/files.h"

namespace gyre::serving {

namespace {

table::Column NumberColumn(const std::string& name, std::size_t rows) {
  table::Column column;
  column.name = name;
  column.type = table::Type::kDouble;
  column.doubles.reserve(rows);
  return column;
}

class Contributions final : public Answers {
 public:
  explicit Contributions(const predictors::RowExplainer& explainer) : explainer_(explainer) {
    for (const std::string& output : explainer.outputs()) {
      const std::string suffix = explainer.outputs().size() == 1 ? "" : "_" + output;
      names_.push_back("base" + suffix);
      names_.push_back("raw" + suffix);
      for (const table::Field& field : explainer.input())
        names_.push_back("contribution" + suffix + "_" + field.name);
    }
  }
  const table::Schema& input() const override { return explainer_.input(); }
  const predictors::ModelPackage& package() const override { return explainer_.package(); }
  const std::vector<std::string>& names() const override { return names_; }
  std::string_view verb() const override { return "explain"; }
  void Begin() override {
    rows_ = 0;
    sums_.assign(explainer_.outputs().size() * input().size(), {});
  }

  Result<std::vector<table::Column>> Of(const table::Frame& rows) override {
    GYRE_TRY(const predictors::Explained explained, explainer_.Explain(rows));
    Count(explained);
    const std::size_t outputs = explainer_.outputs().size(), width = input().size();
    std::vector<table::Column> columns;
    for (const std::string& name : names_) columns.push_back(NumberColumn(name, explained.rows));
    for (std::size_t i = 0; i < explained.rows * outputs; ++i) {
      table::Column* column = columns.data() + i % outputs * (width + 2);
      column++->PushDouble(explainer_.base()[i % outputs]);
      column++->PushDouble(explained.raw[i]);
      for (std::size_t j = 0; j < width; ++j)
        column++->PushDouble(explained.contributions[i * width + j]);
    }
    return columns;
  }

  Json OutputsJson() const {
    Json all = Json::Arr();
    for (std::size_t k = 0; k < explainer_.outputs().size(); ++k) {
      all.Push(Json::Obj({{"output", explainer_.outputs()[k]},
                          {"base", explainer_.base()[k]},
                          {"columns", ColumnsJson(k)}}));
    }
    return all;
  }

 private:
  struct Sums {
    double absolute = 0, signed_ = 0;
  };

  void Count(const predictors::Explained& explained) {
    rows_ += explained.rows;
    for (std::size_t i = 0; i < explained.contributions.size(); ++i) {
      Sums& sums = sums_[i % sums_.size()];
      sums.absolute += std::fabs(explained.contributions[i]);
      sums.signed_ += explained.contributions[i];
    }
  }

  Json ColumnsJson(std::size_t output) const {
    const std::size_t width = input().size();
    const Sums* sums = sums_.data() + output * width;
    std::vector<std::size_t> order(width);
    for (std::size_t j = 0; j < width; ++j) order[j] = j;
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return sums[a].absolute > sums[b].absolute; });
    const double rows = static_cast<double>(std::max<std::size_t>(rows_, 1));
    Json columns = Json::Arr();
    for (const std::size_t j : order) {
      columns.Push(Json::Obj({{"column", input()[j].name},
                              {"mean_abs", sums[j].absolute / rows},
                              {"mean", sums[j].signed_ / rows}}));
    }
    return columns;
  }

  const predictors::RowExplainer& explainer_;
  std::vector<std::string> names_;
  std::size_t rows_ = 0;
  std::vector<Sums> sums_;  // outputs x columns
};

}  // namespace

Result<Json> ExplainFile(runners::TaskContext& context) {
  GYRE_TRY(const std::string package, exec::ReadFile(context.input()["model"].AsString()));
  GYRE_TRY(const auto explainer, predictors::RowExplainer::Load(package));
  Contributions answers(*explainer);
  GYRE_TRY(Json done, AnswerFile(context, answers));
  done.Set("scale", explainer->scale());
  done.Set("outputs", answers.OutputsJson());
  return done;
}

}  // namespace gyre::serving
