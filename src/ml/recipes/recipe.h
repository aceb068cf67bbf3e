// Recipes: typed, ordered transforms from raw columns to a vector of numbers. One definition, one
// kernel source for the column path (training, batch) and the row path (online): identical bits,
// proved by property tests and by golden vectors replayed at load. Fits use exact,
// order-independent accumulators. Thread-safe once built: fitted recipes are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::recipes {

// Row-major doubles; NaN is "missing" for what comes after.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;  // rows * columns
  double* row(std::size_t i) { return values.data() + i * columns; }
  const double* row(std::size_t i) const { return values.data() + i * columns; }
};

// What a recipe may say of columns that it need not read. Empty = it does not say.
struct Roles {
  std::string label;  // what is to be predicted
  std::string time;   // when a row happened: the newest test
  std::string key;    // whose row it is: no feature; rows of one key stay together
};

// A parsed and type-checked recipe. Format: src/ml/recipes/README.md (YAML or JSON).
class Spec {
 public:
  // Errors name the step: kInvalidArgument GY3101 (syntax), GY3102 (unknown op, with did you mean),
  // GY3103 (type or argument).
  static Result<Spec> FromYaml(std::string_view text);
  static Result<Spec> FromJson(const Json& json);
  // YAML text, or the object itself: what a request brings.
  static Result<Spec> FromTextOrObject(const Json& json);
  Json ToJson() const;                 // canonical
  std::string hash() const;            // SHA-256 of the canonical JSON
  const table::Schema& input() const;  // the raw columns it reads, in order
  const Roles& roles() const;
  std::size_t step_count() const;
  std::size_t output_step_count() const;

  struct Body;
  explicit Spec(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  const Body& body() const { return *body_; }

 private:
  // `wrong_step`: the number of the step that is at fault, 0 when it is none.
  static Result<Spec> Compile(const Json& json, std::size_t* wrong_step);
  std::shared_ptr<const Body> body_;
};

struct FitOptions {
  const table::Column* target = nullptr;  // for encode.target; text targets with two values are
                                          // taken as 0/1 (second in sort order = 1)
  std::uint64_t seed = 0;                 // of the fold hash
  int folds = 5;
  bool target_is_classes = false;  // numbers in the target are class labels: encodings get one
                                   // column per class when there are more than two
};

// Work space of the row path: one per thread, reused; after the first row no allocation.
class RowScratch {
 public:
  RowScratch();
  ~RowScratch();
  RowScratch(RowScratch&&) noexcept;
  struct State;
  std::unique_ptr<State> state;
};

class Fitted {
 public:
  // Replays the golden vectors. Errors: kDataLoss GY3110 when they do not give the recorded bits,
  // GY3101 for a broken artefact.
  static Result<Fitted> Load(std::string_view bytes);
  std::string Save() const;  // canonical JSON: spec, op versions, state with doubles as hex bits,
                             // golden vectors; same fit, same bytes

  const table::Schema& input() const;  // raw columns, in the order that ApplyRow wants its cells
  const std::vector<std::string>& output_names() const;
  std::size_t width() const;  // output_names().size()
  // Outputs that are codes of categories in no order (encode.ordinal without `order`): a learner
  // may split them by sets of codes.
  std::vector<int> code_columns() const;
  // By output: the column of input() that it was made of.
  std::vector<std::size_t> source_columns() const;
  const Spec& spec() const;

  // Column path. Columns are found by name; extra ones are ignored. Errors: kInvalidArgument GY3111
  // a column is missing or has another type.
  Result<Matrix> Apply(const table::Frame& frame) const;
  // Row path: cells.size() == input().size(), out.size() == width(). Cannot fail: types were
  // checked by whoever made the cells.
  void ApplyRow(std::span<const table::Cell> cells, std::span<double> out,
                RowScratch& scratch) const;

  struct Body;
  explicit Fitted(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  const Body& body() const { return *body_; }

 private:
  std::shared_ptr<const Body> body_;
};

// The outputs that learn from the label, as a recipe of their own. Empty when none does.
std::optional<Spec> LabelLearners(const Spec& spec);

// Whether the recipe is for this target (empty: none). Errors: kInvalidArgument GY3116 a step reads
// the target or a key, GY3118 its label is another one.
Result<> CheckRoles(const Spec& spec, std::string_view target);
// Whether data of this schema can be read to predict this target. Errors: those of CheckRoles,
// kInvalidArgument GY3111 a column is missing or has another type.
Result<> CheckAgainst(const Spec& spec, const table::Schema& data, std::string_view target);

// Errors: kInvalidArgument GY3112 when a step cannot be fitted on this data (named).
Result<Fitted> Fit(const Spec& spec, const table::Frame& train, const FitOptions& options);
// Fit, and the matrix of the training rows themselves: target encodings out of fold (by hash of the
// row's key or number), all else as Apply.
struct FitTransformResult {
  Fitted fitted;
  Matrix matrix;
};
Result<FitTransformResult> FitTransform(const Spec& spec, const table::Frame& train,
                                        const FitOptions& options);

// What a column looks like, for Suggest; made from the training rows.
struct SuggestOptions {
  std::string target;
  std::vector<std::string> exclude;  // ids, leaks
  enum class For {
    kTrees,
    kLinear
  } model = For::kTrees;  // trees keep numbers raw; linear models get imputation, scaling, one-hot
};
// A recipe that a careful person would begin with: casts, missing flags, encodings by cardinality,
// date parts, text n-grams.
Result<Spec> Suggest(const table::Frame& sample, const SuggestOptions& options);

}  // namespace gyre::recipes
