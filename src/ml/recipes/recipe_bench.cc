// Fit, Apply and one row at a time over 50,000 rows x 20 columns.
#include <fmt/core.h>

#include "base/random.h"
#include "base/time.h"
#include "ml/recipes/recipe.h"

namespace gyre::recipes {
namespace {

table::Frame Customers(std::size_t rows) {
  Random random(1);
  table::Frame frame;
  for (int c = 0; c < 20; ++c) {
    table::Column column;
    column.name = fmt::format("c{}", c);
    column.type = c < 10   ? table::Type::kDouble
                  : c < 14 ? table::Type::kInt
                  : c < 19 ? table::Type::kText
                           : table::Type::kDate;
    for (std::size_t row = 0; row < rows; ++row) {
      if (random.Below(20) == 0) {
        column.PushNull();
      } else if (column.type == table::Type::kDouble) {
        column.PushDouble(random.Normal());
      } else if (column.type == table::Type::kText) {
        column.PushText(fmt::format("value {}", random.Below(c == 18 ? 5000 : 10)));
      } else {
        column.PushInt(static_cast<std::int64_t>(random.Below(20'000)));
      }
    }
    frame.columns.push_back(std::move(column));
  }
  table::Column label{"y", table::Type::kInt, {}, {}, {}, {}};
  for (std::size_t row = 0; row < rows; ++row) label.PushInt(random.Below(4) == 0 ? 1 : 0);
  frame.columns.push_back(std::move(label));
  return frame;
}

double Seconds(std::int64_t since_us) {
  return static_cast<double>(SystemClock().MonotonicMicros() - since_us) / 1e6;
}

void Measure(SuggestOptions::For model, const char* name) {
  const table::Frame frame = Customers(50'000);
  const Clock& clock = SystemClock();
  auto at = clock.MonotonicMicros();
  const auto spec = Suggest(frame, {.target = "y", .exclude = {}, .model = model});
  fmt::print("{}: suggest {:.0f} ms", name, Seconds(at) * 1e3);
  at = clock.MonotonicMicros();
  const auto fitted = FitTransform(*spec, frame, {.target = frame.Find("y")});
  fmt::print(", fit and transform {:.0f} ms", Seconds(at) * 1e3);
  at = clock.MonotonicMicros();
  const auto matrix = fitted->fitted.Apply(frame);
  fmt::print(", apply {:.0f} ms", Seconds(at) * 1e3);
  const std::string bytes = fitted->fitted.Save();
  at = clock.MonotonicMicros();
  const auto loaded = Fitted::Load(bytes);
  fmt::print(", load {:.1f} ms ({} kB)", Seconds(at) * 1e3, bytes.size() / 1000);
  std::vector<table::Cell> cells;
  for (const auto& field : loaded->input())
    cells.push_back(table::CellAt(*frame.Find(field.name), 7));
  std::vector<double> out(loaded->width());
  RowScratch scratch;
  at = clock.MonotonicMicros();
  constexpr int kRows = 200'000;
  double sum = 0;
  for (int i = 0; i < kRows; ++i) {
    loaded->ApplyRow(cells, out, scratch);
    sum += out[0];
  }
  fmt::print(", one row {:.2f} us into {} columns ({})\n", Seconds(at) / kRows * 1e6, out.size(),
             sum == 0 ? "-" : "+");
}

}  // namespace
}  // namespace gyre::recipes

int main() {
  gyre::recipes::Measure(gyre::recipes::SuggestOptions::For::kTrees, "trees");
  gyre::recipes::Measure(gyre::recipes::SuggestOptions::For::kLinear, "linear");
}
