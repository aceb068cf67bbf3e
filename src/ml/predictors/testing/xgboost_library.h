// XGBoost's C functions, loaded from where `make bench` puts them, and a model of a given shape.
// Benchmarks only.
#pragma once

#include <fmt/core.h>

#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "ml/predictors/testing/lightgbm_training.h"
#include "platform/exec/library.h"

namespace gyre::predictors {

struct XgboostApi {
  int (*MatrixFromMat)(const float* data, std::uint64_t rows, std::uint64_t columns, float missing,
                       void** out);
  int (*SetFloatInfo)(void* matrix, const char* field, const float* values, std::uint64_t count);
  int (*Create)(void* const matrices[], std::uint64_t count, void** out);
  int (*SetParam)(void* booster, const char* name, const char* value);
  int (*Update)(void* booster, int iteration, void* matrix);
  int (*PredictFromDense)(void* booster, const char* array, const char* config, void* matrix,
                          const std::uint64_t** shape, std::uint64_t* dimensions,
                          const float** out);
  int (*PredictFromMatrix)(void* booster, void* matrix, const char* config,
                           const std::uint64_t** shape, std::uint64_t* dimensions,
                           const float** out);
};

inline Result<XgboostApi> LoadXgboost(const std::string& libraries) {
  GYRE_TRY(const exec::Library library,
           exec::Library::Open(libraries + "/xgboost/xgboost/lib/libxgboost.so"));
  XgboostApi api{};
  const auto bind = [&]<class F>(const char* name, F** out) -> Result<> {
    GYRE_TRY(void* symbol, library.Symbol(name));
    *out = std::bit_cast<F*>(symbol);
    return {};
  };
  GYRE_DO(bind("XGDMatrixCreateFromMat", &api.MatrixFromMat));
  GYRE_DO(bind("XGDMatrixSetFloatInfo", &api.SetFloatInfo));
  GYRE_DO(bind("XGBoosterCreate", &api.Create));
  GYRE_DO(bind("XGBoosterSetParam", &api.SetParam));
  GYRE_DO(bind("XGBoosterUpdateOneIter", &api.Update));
  GYRE_DO(bind("XGBoosterPredictFromDense", &api.PredictFromDense));
  GYRE_DO(bind("XGBoosterPredictFromDMatrix", &api.PredictFromMatrix));
  return api;
}

struct XgboostModel {
  void* booster = nullptr;
  int bad = 0;  // some call did not answer 0
};
inline XgboostModel TrainXgboost(const XgboostApi& api, const Generated& data,
                                 const std::vector<float>& x, int trees, const char* depth) {
  void* matrix = nullptr;
  XgboostModel model;
  model.bad = api.MatrixFromMat(x.data(), data.rows, data.columns,
                                std::numeric_limits<float>::quiet_NaN(), &matrix);
  model.bad |= api.SetFloatInfo(matrix, "label", data.label.data(), data.rows);
  model.bad |= api.Create(&matrix, 1, &model.booster);
  for (const auto& [name, value] : {std::pair{"objective", "binary:logistic"},
                                    {"max_depth", depth},
                                    {"nthread", "1"},
                                    {"tree_method", "hist"},
                                    {"min_child_weight", "0"}}) {
    model.bad |= api.SetParam(model.booster, name, value);
  }
  for (int i = 0; i < trees; ++i) model.bad |= api.Update(model.booster, i, matrix);
  return model;
}

}  // namespace gyre::predictors
