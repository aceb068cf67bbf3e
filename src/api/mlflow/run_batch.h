// What clients log to a run, read from a request and checked as MLflow checks it. Private.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/mlflow/arguments.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

// Of log-batch: at most 1,000 metrics, 100 params, 100 tags, 1,000 in all. Errors: GY5100.
Result<tracking::Batch> ReadBatch(const Arguments& arguments);
// Where an item stands in a request: "metrics[3]"; nowhere in a call of its own.
class Place {
 public:
  Place() = default;
  Place(std::string_view list, std::size_t index) : list_(list), index_(index) {}
  std::string At(std::string_view member) const;  // "metrics[3].name"

 private:
  std::string_view list_;
  std::size_t index_ = 0;
};
// One metric, param or tag.
Result<tracking::MetricPoint> ReadMetric(const Place& place, const JsonValue& key,
                                         const JsonValue& value, const JsonValue& timestamp,
                                         const JsonValue& step);
// Adds a point of a run to those of a logged model, when it is of one.
void AddModelPoint(const std::string& run_id, const tracking::MetricPoint& point,
                   const JsonValue& model_id, const JsonValue& dataset_name,
                   const JsonValue& dataset_digest, tracking::ModelPoints* of_models);
Result<std::pair<std::string, std::string>> ReadParam(const Place& place, std::string_view key,
                                                      std::string_view value);
Result<std::pair<std::string, std::string>> ReadTag(const Place& place, std::string_view key,
                                                    std::string_view value);
Result<std::vector<tracking::DatasetInput>> ReadDatasets(const Arguments& arguments);

// Of the models that a request names: each is a row or two, in one go.
Result<> CheckModelCount(std::size_t count);

}  // namespace gyre::mlflow
