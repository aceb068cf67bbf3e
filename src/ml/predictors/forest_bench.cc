// One row at a time through a forest of 100 trees of depth 6, rows cycled, one thread: our engine
// against LightGBM's fast single-row call and XGBoost's in-place prediction of a model of the same
// shape trained on the same data. CPU time, best of several rounds.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "ml/predictors/forest.h"
#include "ml/predictors/testing/lightgbm_training.h"
#include "ml/predictors/testing/xgboost_library.h"

#ifndef GYRE_BENCH_LIBS
#define GYRE_BENCH_LIBS "."
#endif

namespace gyre::predictors {
namespace {

constexpr int kTrees = 100;
constexpr std::size_t kRowsCycled = 4096;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Nanoseconds of one call, best of 15 rounds of about 5 ms.
double Measure(const std::function<void(std::size_t row)>& call) {
  std::size_t row = 0;
  const auto round = [&](int calls) {
    const double start = CpuSeconds();
    for (int i = 0; i < calls; ++i) call(row++ % kRowsCycled);
    return (CpuSeconds() - start) / calls;
  };
  const double guess = round(200);
  const int calls = std::max(200, static_cast<int>(0.005 / guess));
  double best = 1e9;
  for (int i = 0; i < 15; ++i) best = std::min(best, round(calls));
  return best * 1e9;
}

// Negative when the library is not there.
double MeasureXgboost(const Generated& data) {
  const auto api = LoadXgboost(GYRE_BENCH_LIBS);
  if (!api) {
    fmt::print("XGBoost skipped: {} (make bench fetches it)\n", api.error().message());
    return -1;
  }
  const std::vector<float> x(data.x.begin(), data.x.end());
  XgboostModel model = TrainXgboost(*api, data, x, kTrees, "6");
  const char* config =
      R"({"type":0,"iteration_begin":0,"iteration_end":0,"strict_shape":true,"training":false,"missing":NaN,"cache_id":0})";
  double sink = 0;
  const double ns = Measure([&](std::size_t row) {
    char array[160];
    const auto end = fmt::format_to_n(
        array, sizeof array - 1,
        R"({{"data":[{},true],"shape":[1,{}],"typestr":"<f4","version":3}})",
        std::bit_cast<std::uintptr_t>(x.data() + row * data.columns), data.columns);
    *end.out = '\0';
    const std::uint64_t* shape = nullptr;
    std::uint64_t dimensions = 0;
    const float* out = nullptr;
    model.bad |=
        api->PredictFromDense(model.booster, array, config, nullptr, &shape, &dimensions, &out);
    if (model.bad == 0) sink += static_cast<double>(*out);
  });
  if (model.bad != 0 || sink == 0) {
    fmt::print("XGBoost skipped: a call failed\n");
    return -1;
  }
  return ns;
}

double MeasureLightGbmFast(const LightGbmApi& api, const std::string& text, const Generated& data,
                           double* sum) {
  LgbmBooster booster = nullptr;
  LgbmFastConfig fast = nullptr;
  int iterations = 0;
  api.BoosterLoadModelFromString(text.c_str(), &iterations, &booster);
  api.BoosterPredictForMatSingleRowFastInit(booster, kLgbmPredictNormal, 0, -1, kLgbmFloat64,
                                            static_cast<std::int32_t>(data.columns),
                                            "num_threads=1", &fast);
  const double ns = Measure([&](std::size_t row) {
    std::int64_t count = 0;
    double out = 0;
    api.BoosterPredictForMatSingleRowFast(fast, data.row(row), &count, &out);
    *sum += out;
  });
  api.FastConfigFree(fast);
  api.BoosterFree(booster);
  return ns;
}

Result<double> MeasureOurs(const std::string& text, const Generated& data, Mode mode) {
  GYRE_TRY(const auto predictor, LoadPredictor("lightgbm.text", text, mode));
  double sink = 0;
  const double ns = Measure([&](std::size_t row) {
    double out = 0;
    predictor->Predict(data.row(row), &out);
    sink += out;
  });
  if (sink == 0) return Internal("GY3210", "the forest answered nothing");
  return ns;
}

struct Shape {
  const char* name;
  const char* parameters;
  double nan_share;
};

Result<int> Run() {
  GYRE_TRY(const LightGbmApi* api, LoadLightGbm());
  api->RegisterLogCallback([](const char*) {});
  for (const Shape& shape :
       {Shape{"depth 6", "num_leaves=64 max_depth=6 min_data_in_leaf=5", 0.0},
        Shape{"depth 6, 10 % missing", "num_leaves=64 max_depth=6 min_data_in_leaf=5", 0.1},
        Shape{"31 leaves, any depth", "num_leaves=31 min_data_in_leaf=5", 0.0}}) {
    const Generated data =
        Generate({.rows = 20'000, .columns = 30, .nan_share = shape.nan_share, .classes = 2});
    const std::string text =
        TrainText(*api, data, std::string("objective=binary ") + shape.parameters, kTrees);
    GYRE_TRY(const double fast, MeasureOurs(text, data, Mode::kFast));
    GYRE_TRY(const double exact, MeasureOurs(text, data, Mode::kExact));
    double sum = 0;
    const double lightgbm = MeasureLightGbmFast(*api, text, data, &sum);
    fmt::print(
        "forest, {} trees, {}, 30 features, one row: gyre {:.0f} ns (exact {:.0f}), LightGBM fast "
        "{:.0f} ns = {:.1f}x\n",
        kTrees, shape.name, fast, exact, lightgbm, lightgbm / fast);
    if (shape.nan_share != 0 || std::string_view(shape.name) != "depth 6") continue;
    const double xgboost = MeasureXgboost(data);
    if (xgboost > 0)
      fmt::print("forest, the same shape trained by XGBoost: in place {:.0f} ns = {:.0f}x\n",
                 xgboost, xgboost / fast);
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
