// Inside of recipes: lanes, kernels and the table of operations. A kernel runs over a block of
// rows; the row path is a block of one row, so there is no second implementation that could differ.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/recipes/dictionary.h"
#include "ml/recipes/lane.h"
#include "platform/table/frame.h"

namespace gyre::recipes {

// Reusable buffers of kernels; grown on first use, then stable.
struct Workspace {
  std::vector<std::int32_t> codes;
  std::string text;                                             // normalised text of one row
  std::vector<std::pair<std::uint32_t, std::uint32_t>> tokens;  // [begin, end) in text
  std::vector<std::uint32_t> touched;
  std::vector<std::uint32_t> stamps;  // last row number that touched an entry
  std::uint32_t stamp = 0;
};

// Where a kernel writes: one of the lanes, or `numbers` with `stride` between rows for vectors.
struct Sink {
  double* numbers = nullptr;
  std::size_t stride = 1;
  std::int64_t* integers = nullptr;
  unsigned char* valid = nullptr;
  std::string_view* texts = nullptr;
  char* chars = nullptr;  // kTextSlotBytes per row, for texts that are made here
};
constexpr std::size_t kTextSlotBytes = 32;

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const = 0;
  virtual std::size_t width() const { return 1; }
  // What follows the name of the raw column in the names of the outputs: "", "_missing", "=Paris";
  // width() of them.
  virtual std::vector<std::string> Suffixes() const { return {""}; }
};

// What a step gives: a scalar of a type, or a vector of numbers (only an output can take that).
struct ValueType {
  table::Type type = table::Type::kDouble;
  bool vector = false;
};

// The label, as encoders that learn from it want it. rows x outputs; NaN = missing label.
struct Target {
  std::size_t outputs = 1;
  std::vector<std::string> classes;  // empty: one number (binary 0/1 or a regression target)
  bool is_indicator = false;         // every value is 0 or 1
  std::vector<double> values;        // row-major
  std::vector<std::int32_t>
      bins;  // class of each row for counting (regression: below/above the median); -1 missing
  std::size_t bin_count = 0;
};

struct FitInput {
  const Lane& in;
  std::size_t rows;
  table::Type type;
  const Json& args;                // complete: defaults filled in
  const Distinct& distinct;        // only for operations with needs_distinct
  const Target* target = nullptr;  // null when no label was given
  const std::vector<std::uint8_t>* folds =
      nullptr;  // fold of each row; null unless out-of-fold values are wanted
  int fold_count = 0;
};

enum class ArgumentKind : unsigned char { kNumber, kInteger, kText, kBool, kList, kAny };
struct Argument {
  std::string_view name;
  ArgumentKind kind;
  std::string_view fallback = {};  // JSON text; empty = must be given
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::string_view choices = {};  // "a|b|c" for text, and for the items of a list
};

constexpr unsigned Accepts(table::Type type) { return 1u << static_cast<unsigned>(type); }
constexpr unsigned kNumeric =
    Accepts(table::Type::kDouble) | Accepts(table::Type::kInt) | Accepts(table::Type::kBool);
constexpr unsigned kCategorical =
    kNumeric | Accepts(table::Type::kText) | Accepts(table::Type::kDate);
constexpr unsigned kTemporal = Accepts(table::Type::kDate) | Accepts(table::Type::kTimestamp);
constexpr unsigned kAnyType = kCategorical | kTemporal;

// One operation: how its arguments look, what it gives, how it is fitted (to a state document) and
// how a kernel is made of that state. `fit` may fill *out_of_fold (rows x width) when
// FitInput::folds is set.
struct Operation {
  std::string_view name;
  unsigned accepts;
  std::span<const Argument> arguments;
  Result<ValueType> (*result)(table::Type in, const Json& args);
  Result<Json> (*fit)(const FitInput& input, std::vector<double>* out_of_fold);
  Result<std::unique_ptr<Kernel>> (*load)(table::Type in, const Json& args, const Json& state);
  bool needs_distinct = false;
  bool needs_target = false;
  int version = 1;
};

std::span<const Operation> NumberOperations();
std::span<const Operation> CategoryOperations();
std::span<const Operation> TargetOperations();
std::span<const Operation> TimeOperations();
std::span<const Operation> TextOperations();
std::span<const Operation> CastOperations();
const Operation* FindOperation(std::string_view name);
std::vector<std::string> OperationNames();

// Doubles in artefacts are their bits: 16 hexadecimal digits.
Json DoubleToJson(double value);
Result<double> DoubleFromJson(const Json& json);
Json DoublesToJson(std::span<const double> values);
Result<std::vector<double>> DoublesFromJson(const Json& json);
Error BrokenState(std::string_view what);  // GY3101

// The usual shapes of Operation::result.
Result<ValueType> GivesNumber(table::Type in, const Json& args);
Result<ValueType> GivesVector(table::Type in, const Json& args);
Result<ValueType> GivesSame(table::Type in, const Json& args);
Result<Json> FitsNothing(const FitInput& input, std::vector<double>* out_of_fold);

// An operation of one number to one number is a struct with `double Eval(double) const`.
template <class Op>
class NumberKernel final : public Kernel {
 public:
  explicit NumberKernel(Op op, std::string suffix = "")
      : op_(std::move(op)), suffix_(std::move(suffix)) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    ForNumbers(in, rows,
               [&](std::size_t i, double x) { out.numbers[i * out.stride] = op_.Eval(x); });
  }
  std::vector<std::string> Suffixes() const override { return {suffix_}; }

 private:
  Op op_;
  std::string suffix_;
};

}  // namespace gyre::recipes
