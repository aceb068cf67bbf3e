// LightGBM's C functions (4.7.0), loaded at run time: own declarations, no header of LightGBM. For
// training, tests and benchmarks; serving never loads the library.
//
// Every function answers 0 or -1; LastError() is thread-local. Parameters are "key=value
// key=value". OMP_WAIT_POLICY=passive must stand in the environment before the first load: libgomp
// spins otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace gyre::predictors {

using LgbmDataset = void*;
using LgbmBooster = void*;
using LgbmFastConfig = void*;

// data_type and predict_type of the calls below.
enum LgbmType : int { kLgbmFloat32 = 0, kLgbmFloat64 = 1, kLgbmInt32 = 2, kLgbmInt64 = 3 };
enum LgbmPredict : int {
  kLgbmPredictNormal = 0,
  kLgbmPredictRaw = 1,
  kLgbmPredictLeaf = 2,
  kLgbmPredictContribution = 3
};

struct LightGbmApi {
  const char* (*LastError)();
  int (*RegisterLogCallback)(void (*line)(const char*));  // for the whole process
  int (*SetMaxThreads)(int threads);

  int (*DatasetCreateFromMat)(const void* data, int data_type, std::int32_t rows,
                              std::int32_t columns, int row_major, const char* parameters,
                              LgbmDataset reference, LgbmDataset* out);
  // field: "label" and "weight" (float32), "init_score" (float64), "group" (int32).
  int (*DatasetSetField)(LgbmDataset dataset, const char* field, const void* data, int count,
                         int data_type);
  int (*DatasetSetFeatureNames)(LgbmDataset dataset, const char** names, int count);
  int (*DatasetFree)(LgbmDataset dataset);

  int (*BoosterCreate)(LgbmDataset train, const char* parameters, LgbmBooster* out);
  int (*BoosterLoadModelFromString)(const char* text, int* iterations, LgbmBooster* out);
  int (*BoosterFree)(LgbmBooster booster);
  int (*BoosterAddValidData)(LgbmBooster booster, LgbmDataset valid);
  int (*BoosterResetParameter)(LgbmBooster booster, const char* parameters);
  int (*BoosterUpdateOneIter)(LgbmBooster booster,
                              int* finished);  // finished = 1: no tree can be split any more
  int (*BoosterUpdateOneIterCustom)(LgbmBooster booster, const float* gradient,
                                    const float* hessian, int* finished);
  int (*BoosterRollbackOneIter)(LgbmBooster booster);
  int (*BoosterGetCurrentIteration)(LgbmBooster booster, int* out);
  int (*BoosterNumModelPerIteration)(LgbmBooster booster, int* out);
  int (*BoosterNumberOfTotalModel)(LgbmBooster booster, int* out);
  int (*BoosterGetNumClasses)(LgbmBooster booster, int* out);
  int (*BoosterGetNumFeature)(LgbmBooster booster, int* out);
  int (*BoosterGetEvalCounts)(LgbmBooster booster, int* out);
  int (*BoosterGetEvalNames)(LgbmBooster booster, int count, int* out_count,
                             std::size_t buffer_bytes, std::size_t* out_buffer_bytes, char** out);
  int (*BoosterGetEval)(LgbmBooster booster, int data_index, int* out_count,
                        double* out);  // 0 = training data, 1 = first valid data
  int (*BoosterGetNumPredict)(LgbmBooster booster, int data_index, std::int64_t* out);
  int (*BoosterGetPredict)(LgbmBooster booster, int data_index, std::int64_t* out_count,
                           double* out);  // class-major, transformed
  int (*BoosterFeatureImportance)(LgbmBooster booster, int iterations, int type,
                                  double* out);  // type 0 = splits, 1 = gain
  // Call with length 0 to learn the size (which counts the final NUL). importance_type 0 or 1.
  int (*BoosterSaveModelToString)(LgbmBooster booster, int start_iteration, int iterations,
                                  int importance_type, std::int64_t length,
                                  std::int64_t* out_length, char* out);

  int (*BoosterPredictForMat)(LgbmBooster booster, const void* data, int data_type,
                              std::int32_t rows, std::int32_t columns, int row_major,
                              int predict_type, int start_iteration, int iterations,
                              const char* parameters, std::int64_t* out_count, double* out);
  int (*BoosterPredictForMatSingleRowFastInit)(LgbmBooster booster, int predict_type,
                                               int start_iteration, int iterations, int data_type,
                                               std::int32_t columns, const char* parameters,
                                               LgbmFastConfig* out);
  int (*BoosterPredictForMatSingleRowFast)(LgbmFastConfig config, const void* row,
                                           std::int64_t* out_count, double* out);
  int (*FastConfigFree)(LgbmFastConfig config);

  // Error for a call that did not answer 0: kInternal GY3210 with LightGBM's own words.
  Error ErrorOf(std::string_view doing) const;
};

// Loads it once; thread-safe. Errors: kNotFound GY1320 not installed, kFailedPrecondition GY1321,
// GY1322.
Result<const LightGbmApi*> LoadLightGbm();

}  // namespace gyre::predictors
