#include "ml/recipes/fitted.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <set>

#include "base/text.h"
#include "base/time.h"

namespace gyre::recipes {

using table::Type;

// --- registers -----------------------------------------------------------------------------------
void Register::Prepare(Type type, std::size_t rows, bool makes_text) {
  if (type == Type::kDouble) {
    numbers.resize(rows);
  } else if (type == Type::kText) {
    texts.resize(rows);
    if (makes_text) chars.resize(rows * kTextSlotBytes);
  } else {
    integers.resize(rows);
    valid.resize(rows);
  }
}

Lane Register::lane(Type type) const {
  if (type == Type::kDouble) return {numbers.data(), nullptr, nullptr, nullptr};
  if (type == Type::kText) return {nullptr, nullptr, nullptr, texts.data()};
  return {nullptr, integers.data(), valid.data(), nullptr};
}

Sink Register::sink() {
  return {numbers.data(), 1, integers.data(), valid.data(), texts.data(), chars.data()};
}

RowScratch::RowScratch() : state(std::make_unique<State>()) {}
RowScratch::~RowScratch() = default;
RowScratch::RowScratch(RowScratch&&) noexcept = default;

void PrepareScratch(const Fitted::Body& body, std::size_t rows, RowScratch::State& state) {
  const Spec::Body& spec = body.spec.body();
  state.body_id = body.id;
  state.columns.assign(spec.input.size(), {});
  state.steps.assign(spec.steps.size(), {});
  state.lanes.clear();
  for (std::size_t c = 0; c < spec.input.size(); ++c) {
    state.columns[c].Prepare(spec.input[c].type, rows, true);
    state.lanes.push_back(state.columns[c].lane(spec.input[c].type));
  }
  for (std::size_t s = 0; s < spec.steps.size(); ++s) {
    if (!spec.steps[s].gives.vector) state.steps[s].Prepare(spec.steps[s].gives.type, rows, true);
  }
}

// --- blocks --------------------------------------------------------------------------------------
void RunBlock(const Fitted::Body& body, std::span<const Lane> columns, std::size_t rows,
              double* matrix, RowScratch::State& state, const Overrides* overrides,
              std::size_t first_row) {
  const Spec::Body& spec = body.spec.body();
  const std::size_t stride = body.names.size();
  for (std::size_t s = 0; s < spec.steps.size(); ++s) {
    const Step& step = spec.steps[s];
    const FittedStep& fitted = body.steps[s];
    const bool is_output = fitted.offset != FittedStep::kNotOutput;
    double* out = is_output ? matrix + fitted.offset : nullptr;
    if (overrides != nullptr && !(*overrides)[s].empty()) {
      // Only vectors learn from the label, so nothing reads them further on.
      const double* from = (*overrides)[s].data() + first_row * fitted.width;
      for (std::size_t i = 0; i < rows; ++i)
        std::copy(from + i * fitted.width, from + (i + 1) * fitted.width, out + i * stride);
      continue;
    }
    const Lane in = step.from.is_column ? columns[step.from.index]
                                        : state.steps[step.from.index].lane(step.input_type);
    const bool is_number = step.gives.type == Type::kDouble;
    if (step.gives.vector || (is_number && is_output && !fitted.read_by_step)) {
      fitted.kernel->Run(in, rows, Sink{out, stride, nullptr, nullptr, nullptr, nullptr},
                         state.work);
      continue;
    }
    fitted.kernel->Run(in, rows, state.steps[s].sink(), state.work);
    if (is_output)
      ForNumbers(state.steps[s].lane(step.gives.type), rows,
                 [&](std::size_t i, double x) { out[i * stride] = x; });
  }
}

// --- columns -------------------------------------------------------------------------------------
namespace {

bool AllMissing(const table::Column& column) {
  return column.size() == 0 ||
         (!column.valid.empty() && std::all_of(column.valid.begin(), column.valid.end(),
                                               [](unsigned char v) { return v == 0; }));
}

constexpr std::int64_t kDayLimit = 106'751'991;  // beyond it, microseconds do not fit in 64 bits

std::string_view NumberText(const table::Column& column, std::size_t row, char* slot) {
  if (column.type == Type::kBool) return column.ints[row] != 0 ? "true" : "false";
  const auto end = column.type == Type::kInt
                       ? std::to_chars(slot, slot + kTextSlotBytes, column.ints[row]).ptr
                       : std::to_chars(slot, slot + kTextSlotBytes, column.doubles[row]).ptr;
  return {slot, static_cast<std::size_t>(end - slot)};
}

}  // namespace

Result<std::vector<const table::Column*>> BindColumns(const table::Schema& wanted,
                                                      const table::Frame& frame) {
  std::vector<const table::Column*> columns;
  for (const auto& field : wanted) {
    const table::Column* column = frame.Find(field.name);
    if (column == nullptr) {
      std::vector<std::string> names;
      for (const auto& c : frame.columns) names.push_back(c.name);
      return NoSuchColumn(field.name, names);
    }
    if (!Serves(column->type, field.type) && !AllMissing(*column))
      return OtherType(field, column->type);
    columns.push_back(column);
  }
  return columns;
}

Lane ReadColumn(const table::Column& column, Type wanted, std::size_t begin, std::size_t rows,
                Register& storage) {
  const bool nothing = !Serves(column.type, wanted);  // bound because every value is missing
  const auto missing = [&](std::size_t i) { return nothing || !column.IsValid(begin + i); };
  if (wanted == Type::kDouble) {
    if (column.type == Type::kDouble && column.valid.empty())
      return {column.doubles.data() + begin, nullptr, nullptr, nullptr};
    for (std::size_t i = 0; i < rows; ++i) {
      storage.numbers[i] = missing(i) ? kNaN
                           : column.type == Type::kDouble
                               ? column.doubles[begin + i]
                               : static_cast<double>(column.ints[begin + i]);
    }
    return storage.lane(wanted);
  }
  if (wanted == Type::kText) {
    for (std::size_t i = 0; i < rows; ++i) {
      if (missing(i)) {
        storage.texts[i] = {};
      } else if (column.type == Type::kText) {
        storage.texts[i] = column.text[begin + i];
      } else {
        storage.texts[i] = NumberText(column, begin + i, storage.chars.data() + i * kTextSlotBytes);
      }
    }
    return storage.lane(wanted);
  }
  if (!nothing && (column.type == wanted || wanted == Type::kInt)) {
    return {nullptr, column.ints.data() + begin,
            column.valid.empty() ? nullptr : column.valid.data() + begin, nullptr};
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const std::int64_t days = missing(i) ? 0 : column.ints[begin + i];
    storage.valid[i] = !missing(i) && days >= -kDayLimit && days <= kDayLimit ? 1 : 0;
    storage.integers[i] = storage.valid[i] != 0 ? days * kMicrosPerDay : 0;
  }
  return storage.lane(wanted);
}

Matrix RunAll(const Fitted::Body& body, const std::vector<const table::Column*>& columns,
              std::size_t rows, const Overrides* overrides) {
  const table::Schema& input = body.spec.input();
  Matrix matrix;
  matrix.rows = rows;
  matrix.columns = body.names.size();
  matrix.values.resize(rows * matrix.columns);
  RowScratch::State state;
  PrepareScratch(body, std::min(rows, kBlockRows), state);
  for (std::size_t begin = 0; begin < rows; begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows - begin);
    for (std::size_t c = 0; c < columns.size(); ++c)
      state.lanes[c] = ReadColumn(*columns[c], input[c].type, begin, count, state.columns[c]);
    RunBlock(body, state.lanes, count, matrix.row(begin), state, overrides, begin);
  }
  return matrix;
}

// --- Fitted --------------------------------------------------------------------------------------
Result<> FinishBody(Fitted::Body& body) {
  static std::atomic<std::uint64_t> next_id{1};
  const Spec::Body& spec = body.spec.body();
  std::size_t width = 0;
  std::set<std::string, std::less<>> taken;
  for (std::size_t s = 0; s < spec.steps.size(); ++s) {
    body.steps[s].width = body.steps[s].kernel->width();
    if (!spec.steps[s].from.is_column) body.steps[spec.steps[s].from.index].read_by_step = true;
  }
  for (std::size_t s : spec.outputs) {
    FittedStep& step = body.steps[s];
    if (width + step.width > kWidthMax) {
      return InvalidArgument("GY3112", "step `{}` would make the vector wider than {} columns",
                             spec.steps[s].id, kWidthMax)
          .Fix(
              "use fewer columns per step (`max`, `columns`, `buckets`), or encode.target for text "
              "with many values");
    }
    step.offset = width;
    width += step.width;
    for (const std::string& suffix : step.kernel->Suffixes()) {
      std::string name = spec.input[spec.steps[s].column].name + suffix;
      if (taken.contains(name)) name += " #" + spec.steps[s].id;
      while (taken.contains(name)) name += "'";
      taken.insert(name);
      body.names.push_back(std::move(name));
    }
  }
  body.id = next_id.fetch_add(1);
  return {};
}

const table::Schema& Fitted::input() const { return body_->spec.input(); }
const std::vector<std::string>& Fitted::output_names() const { return body_->names; }
std::size_t Fitted::width() const { return body_->names.size(); }
std::vector<int> Fitted::code_columns() const {
  std::vector<int> columns;
  const Spec::Body& spec = body_->spec.body();
  for (const std::size_t s : spec.outputs) {
    if (spec.steps[s].operation->name == "encode.ordinal" &&
        spec.steps[s].args["order"].size() == 0)
      columns.push_back(static_cast<int>(body_->steps[s].offset));
  }
  return columns;
}
std::vector<std::size_t> Fitted::source_columns() const {
  std::vector<std::size_t> columns;
  const Spec::Body& spec = body_->spec.body();
  for (const std::size_t s : spec.outputs)
    columns.insert(columns.end(), body_->steps[s].width, spec.steps[s].column);
  return columns;
}
const Spec& Fitted::spec() const { return body_->spec; }

Result<Matrix> Fitted::Apply(const table::Frame& frame) const {
  GYRE_TRY(const auto columns, BindColumns(input(), frame));
  return RunAll(*body_, columns, frame.rows(), nullptr);
}

void Fitted::ApplyRow(std::span<const table::Cell> cells, std::span<double> out,
                      RowScratch& scratch) const {
  RowScratch::State& state = *scratch.state;
  if (state.body_id != body_->id) PrepareScratch(*body_, 1, state);
  const table::Schema& schema = input();
  GYRE_CHECK(cells.size() == schema.size() && out.size() == width());
  for (std::size_t c = 0; c < schema.size(); ++c) {
    const table::Cell& cell = cells[c];
    Register& column = state.columns[c];
    if (schema[c].type == Type::kDouble) {
      column.numbers[0] = cell.valid ? cell.d : kNaN;
    } else if (schema[c].type == Type::kText) {
      // A present empty text may come without an address; a null one means missing here.
      column.texts[0] = !cell.valid                   ? std::string_view()
                        : cell.text.data() == nullptr ? std::string_view("")
                                                      : cell.text;
    } else {
      column.integers[0] = cell.i;
      column.valid[0] = cell.valid ? 1 : 0;
    }
  }
  RunBlock(*body_, state.lanes, 1, out.data(), state);
}

}  // namespace gyre::recipes
