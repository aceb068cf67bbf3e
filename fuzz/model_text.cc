// LightGBM model text: what the parser accepts, the engine walks to the same bits as the plain
// walk, whatever the row.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "ml/predictors/forest.h"

namespace gyre::predictors {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Compare(TreeModel model) {
  constexpr std::size_t kFeaturesMax = 4096, kOutputsMax = 64;
  if (model.features > kFeaturesMax || model.outputs > kOutputsMax) return;
  const double values[] = {0.0,
                           -0.0,
                           1.0,
                           -1.5,
                           3.0,
                           31.0,
                           1e-36,
                           -1e-36,
                           1e300,
                           -1e300,
                           5e9,
                           std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};
  std::vector<double> x(model.features), out(model.outputs), expected(model.outputs);
  const auto predictor = CompileForest(model);
  for (std::size_t row = 0; row < std::size(values); ++row) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = values[(row + i * 5) % std::size(values)];
    predictor->Predict(x.data(), out.data());
    std::fill(expected.begin(), expected.end(), 0.0);
    for (std::size_t i = 0; i < model.trees.size(); ++i)
      expected[i % model.outputs] += WalkTree(model.trees[i], x.data());
    if (model.average && !model.trees.empty()) {
      for (double& value : expected)
        value /= static_cast<double>(model.trees.size() / model.outputs);
    }
    ApplyLink(model.link, model.sigmoid, expected.data(), expected.size());
    for (std::size_t k = 0; k < out.size(); ++k) {
      Require(std::bit_cast<std::uint64_t>(out[k]) == std::bit_cast<std::uint64_t>(expected[k]) ||
              (std::isnan(out[k]) && std::isnan(expected[k])));
    }
  }
}

}  // namespace
}  // namespace gyre::predictors

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  auto model = gyre::predictors::ParseLightGbmText({reinterpret_cast<const char*>(bytes), size});
  if (model) gyre::predictors::Compare(*std::move(model));
  return 0;
}
