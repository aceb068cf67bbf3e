// Trains real LightGBM models on generated data, for tests and benchmarks.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "ml/predictors/lightgbm_api.h"

namespace gyre::predictors {

struct Generated {
  std::size_t rows = 0, columns = 0;
  std::vector<double> x;  // row-major
  std::vector<float> label;
  const double* row(std::size_t i) const { return x.data() + i * columns; }
};

struct GenerateOptions {
  std::size_t rows = 2000, columns = 12;
  double nan_share = 0, zero_share = 0;
  std::size_t categorical = 0;  // the first columns hold whole numbers from 0 to 39
  int classes = 0;              // 0 = a number, 2 = 0/1, more = 0..classes-1
  std::uint64_t seed = 1;
};

inline Generated Generate(const GenerateOptions& options) {
  Random random(options.seed);
  Generated data{.rows = options.rows, .columns = options.columns, .x = {}, .label = {}};
  data.x.resize(data.rows * data.columns);
  data.label.resize(data.rows);
  for (std::size_t i = 0; i < data.rows; ++i) {
    double signal = 0.3 * random.Normal();
    for (std::size_t j = 0; j < data.columns; ++j) {
      double& value = data.x[i * data.columns + j];
      value = j < options.categorical ? static_cast<double>(random.Below(40)) : random.Normal();
      signal += std::sin(value * (1.0 + 0.3 * static_cast<double>(j)));
      const double draw = random.Uniform();
      if (draw < options.nan_share)
        value = std::numeric_limits<double>::quiet_NaN();
      else if (draw < options.nan_share + options.zero_share)
        value = 0.0;
    }
    if (options.classes == 0) {
      data.label[i] = static_cast<float>(signal);
    } else {
      const double place = 1.0 / (1.0 + std::exp(-signal)) * options.classes;
      data.label[i] = static_cast<float>(std::min(options.classes - 1, static_cast<int>(place)));
    }
  }
  return data;
}

// The model's text; empty when LightGBM refused (LastError says why).
inline std::string TrainText(const LightGbmApi& api, const Generated& data,
                             const std::string& parameters, int iterations) {
  const std::string all =
      parameters + " verbosity=-1 num_threads=1 deterministic=true force_row_wise=true seed=7";
  LgbmDataset dataset = nullptr;
  LgbmBooster booster = nullptr;
  std::string text;
  if (api.DatasetCreateFromMat(data.x.data(), kLgbmFloat64, static_cast<std::int32_t>(data.rows),
                               static_cast<std::int32_t>(data.columns), 1, all.c_str(), nullptr,
                               &dataset) == 0 &&
      api.DatasetSetField(dataset, "label", data.label.data(), static_cast<int>(data.rows),
                          kLgbmFloat32) == 0 &&
      api.BoosterCreate(dataset, all.c_str(), &booster) == 0) {
    int finished = 0;
    for (int i = 0; i < iterations && finished == 0; ++i) {
      if (api.BoosterUpdateOneIter(booster, &finished) != 0) break;
    }
    std::int64_t length = 0;
    if (api.BoosterSaveModelToString(booster, 0, -1, 0, 0, &length, nullptr) == 0) {
      text.resize(static_cast<std::size_t>(length));
      if (api.BoosterSaveModelToString(booster, 0, -1, 0, length, &length, text.data()) != 0)
        text.clear();
      if (!text.empty()) text.pop_back();  // the final NUL
    }
  }
  if (booster != nullptr) api.BoosterFree(booster);
  if (dataset != nullptr) api.DatasetFree(dataset);
  return text;
}

}  // namespace gyre::predictors
