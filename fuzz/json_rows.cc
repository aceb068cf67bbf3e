// Rows as callers send them: an answer or an error with a place, never a crash; the same bytes give
// the same cells again.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "ml/serving/rows.h"
#include "ml/serving/testing/package.h"

namespace gyre::serving {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

class Cells final : public RowSink {
 public:
  void Row(std::span<const table::Cell> cells) override {
    for (const table::Cell& cell : cells) {
      if (!cell.valid) continue;
      if (cell.type == table::Type::kText) sum += cell.text.size();
      if (cell.type == table::Type::kBool) Require(cell.i == 0 || cell.i == 1);
      if (cell.type == table::Type::kDouble)
        Require(cell.d - cell.d == 0);  // JSON has no infinities
      ++valid;
    }
  }
  std::size_t sum = 0, valid = 0;
};

const Snapshot& TestSnapshot() {
  static const std::shared_ptr<const Snapshot> snapshot = [] {
    auto scorer = predictors::Scorer::FromPackage(TestPackage(0));
    Require(scorer.has_value());
    return MakeSnapshot({.endpoint = "e",
                         .project = "p",
                         .deployment_id = "d",
                         .model = "m:v1",
                         .model_name = "m",
                         .model_version = 1,
                         .scorer = *std::move(scorer)},
                        {});
  }();
  return *snapshot;
}

void TryBody(std::string_view body) {
  static RowReader reader;
  Cells first, second;
  const auto facts = reader.Read(body, TestSnapshot(), 1000, first);
  const auto again = reader.Read(body, TestSnapshot(), 1000, second);
  Require(facts.has_value() == again.has_value());
  if (facts)
    Require(facts->rows == again->rows && first.sum == second.sum && first.valid == second.valid);
  else
    Require(facts.error().gy() == again.error().gy());
}

}  // namespace
}  // namespace gyre::serving

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  gyre::serving::TryBody({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
