// The Scorer: signature + fitted recipe + predictor + decoding of the output. The only way from raw
// columns to answers: evaluation, serving, batch scoring and monitoring all use it. Immutable,
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/predictors/predictor.h"
#include "ml/recipes/recipe.h"
#include "platform/table/formats.h"
#include "platform/table/frame.h"

namespace gyre::predictors {

// What training writes and everything else reads: one canonical JSON document, content-addressed.
// Same inputs, same bytes.
struct ModelPackage {
  Task task = Task::kBinary;
  std::vector<std::string> classes;  // text of each class in sort order; empty for regression
  table::Type target_type = table::Type::kText;
  std::string target;      // name of the label column
  double threshold = 0.5;  // binary decision
  table::Formats formats;  // how the text of its input columns is read
  std::string recipe;      // recipes::Fitted::Save()
  std::string predictor_format, predictor;
  std::string learner;  // "lightgbm", "ridge", ... for people

  std::string Save() const;
  Json InputJson(const table::Schema& input) const;          // columns with their types and formats
  static Result<ModelPackage> Load(std::string_view bytes);  // kInvalidArgument GY3203
};

// Answers for n rows. For regression `prediction` holds values; for classes `probabilities` is n x
// classes and `label` the index.
struct Scores {
  std::size_t rows = 0;
  std::vector<double> prediction;     // regression
  std::vector<double> probabilities;  // row-major, n x classes()
  std::vector<std::uint32_t> label;   // index into classes()
};

class Scorer {
 public:
  static Result<std::shared_ptr<const Scorer>> Load(std::string_view package_bytes,
                                                    Mode mode = Mode::kFast);
  static Result<std::shared_ptr<const Scorer>> FromPackage(const ModelPackage& package,
                                                           Mode mode = Mode::kFast);

  const table::Schema& input() const;   // raw columns
  const ModelPackage& package() const;  // without the texts of recipe and predictor
  Task task() const;
  const std::vector<std::string>& classes() const;
  std::int64_t memory_bytes() const;  // of the predictor
  const recipes::Fitted& recipe() const;
  const Predictor& predictor() const;

  Result<Scores> Score(const table::Frame& frame) const;
  // One row; same bits as Score. `probabilities` has classes().size() entries (or one value for
  // regression).
  struct RowScratch {
    recipes::RowScratch recipe;
    std::vector<double> features, raw;
  };
  struct RowScore {
    double prediction = 0;
    std::uint32_t label = 0;
  };
  RowScore ScoreRow(std::span<const table::Cell> cells, std::span<double> probabilities,
                    RowScratch& scratch) const;

  Scorer();
  ~Scorer();

 private:
  Result<std::vector<double>> RawOf(const table::Frame& frame) const;
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace gyre::predictors
