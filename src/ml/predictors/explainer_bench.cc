// Explaining every row: our quadrature against LightGBM's pred_contrib of the same model (which is
// what the `shap` package calls for one) and XGBoost's contributions of a model of the same shape.
// One thread, CPU time, best of some rounds.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "ml/predictors/explainer.h"
#include "ml/predictors/testing/lightgbm_training.h"
#include "ml/predictors/testing/xgboost_library.h"

#ifndef GYRE_BENCH_LIBS
#define GYRE_BENCH_LIBS "."
#endif

namespace gyre::predictors {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Rows a second, best of `rounds`.
double Measure(std::size_t rows, int rounds, const std::function<void()>& call) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const double start = CpuSeconds();
    call();
    best = std::min(best, CpuSeconds() - start);
  }
  return static_cast<double>(rows) / best;
}

struct Shape {
  const char* name;
  const char* parameters;
  const char* depth;
  int trees;
  std::size_t rows, peer_rows;
};

// LightGBM's contributions of the first rows: rows x (columns + 1).
double MeasureLightGbm(const LightGbmApi& api, const std::string& text, const Generated& data,
                       std::size_t rows, std::vector<double>* out) {
  LgbmBooster booster = nullptr;
  int iterations = 0;
  api.BoosterLoadModelFromString(text.c_str(), &iterations, &booster);
  out->resize(rows * (data.columns + 1));
  const double speed = Measure(rows, 3, [&] {
    std::int64_t count = 0;
    api.BoosterPredictForMat(booster, data.x.data(), kLgbmFloat64, static_cast<std::int32_t>(rows),
                             static_cast<std::int32_t>(data.columns), 1, kLgbmPredictContribution,
                             0, -1, "num_threads=1", &count, out->data());
  });
  api.BoosterFree(booster);
  return speed;
}

// Negative when the library is not there.
double MeasureXgboost(const Generated& data, const Shape& shape) {
  const auto api = LoadXgboost(GYRE_BENCH_LIBS);
  if (!api) {
    fmt::print("XGBoost skipped: {} (make bench fetches it)\n", api.error().message());
    return -1;
  }
  const std::vector<float> x(data.x.begin(), data.x.end());
  XgboostModel model = TrainXgboost(*api, data, x, shape.trees, shape.depth);
  void* few = nullptr;
  model.bad |= api->MatrixFromMat(x.data(), shape.peer_rows, data.columns,
                                  std::numeric_limits<float>::quiet_NaN(), &few);
  const double speed = Measure(shape.peer_rows, 3, [&] {
    const std::uint64_t* dimensions = nullptr;
    std::uint64_t count = 0;
    const float* out = nullptr;
    model.bad |= api->PredictFromMatrix(
        model.booster, few,
        R"({"type":2,"iteration_begin":0,"iteration_end":0,"strict_shape":true,"training":false})",
        &dimensions, &count, &out);
  });
  return model.bad == 0 ? speed : -1;
}

Result<int> Run() {
  GYRE_TRY(const LightGbmApi* api, LoadLightGbm());
  api->RegisterLogCallback([](const char*) {});
  for (const Shape& shape :
       {Shape{"depth 6", "num_leaves=64 max_depth=6 min_data_in_leaf=5", "6", 200, 8192, 256},
        Shape{"depth 8", "num_leaves=256 max_depth=8 min_data_in_leaf=5", "8", 100, 4096, 96},
        Shape{"31 leaves, any depth", "num_leaves=31 min_data_in_leaf=5", "6", 200, 8192, 256}}) {
    const Generated data = Generate({.rows = 20'000, .columns = 30, .classes = 2});
    const std::string text =
        TrainText(*api, data, std::string("objective=binary ") + shape.parameters, shape.trees);
    GYRE_TRY(const auto explainer, LoadExplainer("lightgbm.text", text));
    std::vector<double> ours(shape.rows * explainer->used().size()), theirs;
    const double speed =
        Measure(shape.rows, 3, [&] { explainer->Explain(data.x.data(), shape.rows, ours.data()); });
    const double lightgbm = MeasureLightGbm(*api, text, data, shape.peer_rows, &theirs);
    double apart = 0;
    for (std::size_t row = 0; row < shape.peer_rows; ++row) {
      for (std::size_t i = 0; i < explainer->used().size(); ++i)
        apart = std::max(apart, std::fabs(ours[row * explainer->used().size() + i] -
                                          theirs[row * (data.columns + 1) + explainer->used()[i]]));
    }
    fmt::print(
        "explanations, {} trees, {}, 30 features, one thread: gyre {:.0f} rows/s, LightGBM (and "
        "shap) {:.0f} = {:.1f}x, largest difference {:.1e}\n",
        shape.trees, shape.name, speed, lightgbm, speed / lightgbm, apart);
    if (const double xgboost = MeasureXgboost(data, shape); xgboost > 0)
      fmt::print("explanations, a shape like it trained by XGBoost: {:.0f} rows/s = {:.1f}x\n",
                 xgboost, speed / xgboost);
  }
  return 0;
}

}  // namespace
}  // namespace gyre::predictors

int main() {
  const auto done = gyre::predictors::Run();
  if (!done) fmt::print("{}\n", done.error().ToString());
  return done ? 0 : 1;
}
