// Inside of a fitted recipe: kernels, and how blocks of rows run through them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ml/recipes/spec.h"

namespace gyre::recipes {

struct FittedStep {
  Json state;
  std::unique_ptr<Kernel> kernel;
  std::size_t width = 1;
  std::size_t offset = kNotOutput;  // of its first column in the vector
  bool read_by_step = false;
  static constexpr std::size_t kNotOutput = static_cast<std::size_t>(-1);
};

struct Fitted::Body {
  explicit Body(Spec s) : spec(std::move(s)) {}
  Spec spec;
  std::vector<FittedStep> steps;
  std::vector<std::string> names;
  Json golden;
  std::int64_t trained_rows = 0;
  std::uint64_t id = 0;  // of this object in this process: scratches know by it whether they fit
};
constexpr std::size_t kWidthMax = 65'536;
constexpr std::size_t kBlockRows = 2048;

// Fills widths, offsets, names and id. Errors: GY3112 when the vector would be too wide.
Result<> FinishBody(Fitted::Body& body);

// Storage of one scalar step, or of one converted column.
struct Register {
  std::vector<double> numbers;
  std::vector<std::int64_t> integers;
  std::vector<unsigned char> valid;
  std::vector<std::string_view> texts;
  std::vector<char> chars;
  void Prepare(table::Type type, std::size_t rows, bool makes_text);
  Lane lane(table::Type type) const;
  Sink sink();
};

struct RowScratch::State {
  std::uint64_t body_id = 0;
  std::vector<Register> columns, steps;
  std::vector<Lane> lanes;  // of the raw columns
  Workspace work;
};
void PrepareScratch(const Fitted::Body& body, std::size_t rows, RowScratch::State& state);

// Out-of-fold values that stand for what a step would give, by step; empty = run the step.
using Overrides = std::vector<std::vector<double>>;
// `matrix` points at the first row of the block; `first_row` only says where the block begins in
// the overrides.
void RunBlock(const Fitted::Body& body, std::span<const Lane> columns, std::size_t rows,
              double* matrix, RowScratch::State& state, const Overrides* overrides = nullptr,
              std::size_t first_row = 0);

// Whether a column of one type can stand for another without loss: the same column of another file
// may have been read so (12 for 12.0).
bool Serves(table::Type given, table::Type wanted);
Error NoSuchColumn(std::string_view name, std::span<const std::string> names);  // GY3111
Error OtherType(const table::Field& wanted, table::Type given);                 // GY3111

// Columns of a frame in the order and types that a recipe wants. Errors: GY3111.
Result<std::vector<const table::Column*>> BindColumns(const table::Schema& wanted,
                                                      const table::Frame& frame);
Lane ReadColumn(const table::Column& column, table::Type wanted, std::size_t begin,
                std::size_t rows, Register& storage);
Matrix RunAll(const Fitted::Body& body, const std::vector<const table::Column*>& columns,
              std::size_t rows, const Overrides* overrides);

// Rows that every loader computes again: sampled values and edge values, with a hash of the bits of
// each output step.
Json MakeGolden(const Fitted& fitted, const std::vector<const table::Column*>& columns,
                std::size_t rows);
Result<> ReplayGolden(const Fitted& fitted);

}  // namespace gyre::recipes
