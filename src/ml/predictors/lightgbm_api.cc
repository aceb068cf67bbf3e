#include "ml/predictors/lightgbm_api.h"

#include <bit>
#include <memory>

#include "platform/exec/library.h"

namespace gyre::predictors {

namespace {

template <class Function>
Result<> Bind(const exec::Library& library, const char* name, Function** out) {
  GYRE_TRY(void* symbol, library.Symbol(name));
  *out = std::bit_cast<Function*>(symbol);
  return {};
}

Result<> BindDatasets(const exec::Library& library, LightGbmApi* api) {
  GYRE_DO(Bind(library, "LGBM_GetLastError", &api->LastError));
  GYRE_DO(Bind(library, "LGBM_RegisterLogCallback", &api->RegisterLogCallback));
  GYRE_DO(Bind(library, "LGBM_SetMaxThreads", &api->SetMaxThreads));
  GYRE_DO(Bind(library, "LGBM_DatasetCreateFromMat", &api->DatasetCreateFromMat));
  GYRE_DO(Bind(library, "LGBM_DatasetSetField", &api->DatasetSetField));
  GYRE_DO(Bind(library, "LGBM_DatasetSetFeatureNames", &api->DatasetSetFeatureNames));
  GYRE_DO(Bind(library, "LGBM_DatasetFree", &api->DatasetFree));
  return {};
}

Result<> BindBoosters(const exec::Library& library, LightGbmApi* api) {
  GYRE_DO(Bind(library, "LGBM_BoosterCreate", &api->BoosterCreate));
  GYRE_DO(Bind(library, "LGBM_BoosterLoadModelFromString", &api->BoosterLoadModelFromString));
  GYRE_DO(Bind(library, "LGBM_BoosterFree", &api->BoosterFree));
  GYRE_DO(Bind(library, "LGBM_BoosterAddValidData", &api->BoosterAddValidData));
  GYRE_DO(Bind(library, "LGBM_BoosterResetParameter", &api->BoosterResetParameter));
  GYRE_DO(Bind(library, "LGBM_BoosterUpdateOneIter", &api->BoosterUpdateOneIter));
  GYRE_DO(Bind(library, "LGBM_BoosterUpdateOneIterCustom", &api->BoosterUpdateOneIterCustom));
  GYRE_DO(Bind(library, "LGBM_BoosterRollbackOneIter", &api->BoosterRollbackOneIter));
  GYRE_DO(Bind(library, "LGBM_BoosterGetCurrentIteration", &api->BoosterGetCurrentIteration));
  GYRE_DO(Bind(library, "LGBM_BoosterNumModelPerIteration", &api->BoosterNumModelPerIteration));
  GYRE_DO(Bind(library, "LGBM_BoosterNumberOfTotalModel", &api->BoosterNumberOfTotalModel));
  GYRE_DO(Bind(library, "LGBM_BoosterGetNumClasses", &api->BoosterGetNumClasses));
  GYRE_DO(Bind(library, "LGBM_BoosterGetNumFeature", &api->BoosterGetNumFeature));
  GYRE_DO(Bind(library, "LGBM_BoosterGetEvalCounts", &api->BoosterGetEvalCounts));
  GYRE_DO(Bind(library, "LGBM_BoosterGetEvalNames", &api->BoosterGetEvalNames));
  GYRE_DO(Bind(library, "LGBM_BoosterGetEval", &api->BoosterGetEval));
  GYRE_DO(Bind(library, "LGBM_BoosterGetNumPredict", &api->BoosterGetNumPredict));
  GYRE_DO(Bind(library, "LGBM_BoosterGetPredict", &api->BoosterGetPredict));
  GYRE_DO(Bind(library, "LGBM_BoosterFeatureImportance", &api->BoosterFeatureImportance));
  GYRE_DO(Bind(library, "LGBM_BoosterSaveModelToString", &api->BoosterSaveModelToString));
  GYRE_DO(Bind(library, "LGBM_BoosterPredictForMat", &api->BoosterPredictForMat));
  GYRE_DO(Bind(library, "LGBM_BoosterPredictForMatSingleRowFastInit",
               &api->BoosterPredictForMatSingleRowFastInit));
  GYRE_DO(Bind(library, "LGBM_BoosterPredictForMatSingleRowFast",
               &api->BoosterPredictForMatSingleRowFast));
  GYRE_DO(Bind(library, "LGBM_FastConfigFree", &api->FastConfigFree));
  return {};
}

Result<std::unique_ptr<LightGbmApi>> LoadApi() {
  GYRE_TRY(const std::string path, exec::FindLibrary("lib_lightgbm.so"));
  GYRE_TRY(const exec::Library library, exec::Library::Open(path));
  auto api = std::make_unique<LightGbmApi>();
  GYRE_DO(BindDatasets(library, api.get()));
  GYRE_DO(BindBoosters(library, api.get()));
  return api;
}

}  // namespace

Error LightGbmApi::ErrorOf(std::string_view doing) const {
  return Internal("GY3210", "LightGBM failed while {}: {}", doing, LastError());
}

Result<const LightGbmApi*> LoadLightGbm() {
  static const Result<std::unique_ptr<LightGbmApi>> api = LoadApi();
  if (!api) return api.error();
  return api->get();
}

}  // namespace gyre::predictors
