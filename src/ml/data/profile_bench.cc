// CPU seconds of a profile of 1M rows x 15 columns of all kinds. Prints one line.
#include <fmt/core.h>

#include <ctime>

#include "base/random.h"
#include "ml/data/profile.h"

int main() {
  using gyre::table::Type;
  gyre::Random random(5);
  gyre::table::Frame frame;
  constexpr std::size_t kRows = 1'000'000;
  for (std::size_t c = 0; c < 15; ++c) {
    gyre::table::Column column;
    column.name = "c" + std::to_string(c);
    column.type = c < 6 ? Type::kDouble : c < 11 ? Type::kInt : Type::kText;
    for (std::size_t row = 0; row < kRows; ++row) {
      if (c % 3 == 0 && random.Below(20) == 0) {
        column.PushNull();
      } else if (column.type == Type::kDouble) {
        column.PushDouble(c < 3 ? random.Normal() : static_cast<double>(random.Below(1000)) / 10);
      } else if (column.type == Type::kInt) {
        column.PushInt(
            static_cast<std::int64_t>(c == 6 ? row : random.Below(c == 7 ? 100'000 : 90)));
      } else {
        column.PushText("value " + std::to_string(random.Below(c == 11 ? 200'000 : 30)));
      }
    }
    frame.columns.push_back(std::move(column));
  }
  for (int round = 0; round < 3; ++round) {
    const std::clock_t start = std::clock();
    const gyre::data::Profile profile = gyre::data::ProfileFrame(frame);
    fmt::print("profile of {} rows x {} columns: {:.3f} CPU-s\n", profile.rows,
               profile.columns.size(), static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return 0;
}
