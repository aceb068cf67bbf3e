// 1,000 resamples of 20,000 rows, all metrics of the task at once.
#include <fmt/core.h>

#include "base/time.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/reference_data.h"

namespace {

double Seconds(const gyre::statistics::Scored& scored, int resamples) {
  const std::int64_t start = gyre::SystemClock().MonotonicMicros();
  const auto set = gyre::statistics::Bootstrap(scored, {.resamples = resamples});
  GYRE_CHECK(set);
  return static_cast<double>(gyre::SystemClock().MonotonicMicros() - start) / 1e6;
}

}  // namespace

int main() {
  using gyre::statistics::BinaryRows, gyre::statistics::MulticlassRows,
      gyre::statistics::RegressionRows, gyre::statistics::Scored;
  constexpr std::size_t kRows = 20'000;
  const BinaryRows binary = gyre::statistics::MakeBinaryRows(kRows);
  const MulticlassRows multiclass = gyre::statistics::MakeMulticlassRows(kRows);
  const RegressionRows regression = gyre::statistics::MakeRegressionRows(kRows);
  fmt::print(
      "bootstrap 1,000 x 20,000 rows, all metrics: binary {:.2f} s, 3 classes {:.2f} s, regression "
      "{:.2f} s\n",
      Seconds(*Scored::Binary(binary.labels, binary.p), 1000),
      Seconds(*Scored::Multiclass(multiclass.labels, multiclass.p, 3), 1000),
      Seconds(*Scored::Regression(regression.truth, regression.predicted), 1000));
  return 0;
}
