// Evaluations and comparisons as JSON documents: what is stored, shown and drawn.
#include <cmath>

#include "ml/evaluation/evaluate.h"

namespace gyre::evaluation {
namespace {

Json IntervalJson(const statistics::MetricInterval& metric) {
  Json json = Json::Obj({{"estimate", metric.estimate}});
  if (!std::isnan(metric.lower)) json.Set("lower", metric.lower);
  if (!std::isnan(metric.upper)) json.Set("upper", metric.upper);
  return json;
}

Json BootstrapJson(std::string_view method, int resamples, double confidence) {
  return Json::Obj({{"method", method}, {"resamples", resamples}, {"confidence", confidence}});
}

Json PairedJson(const statistics::PairedResult& paired) {
  Json metrics = Json::Obj();
  for (const statistics::MetricGain& gain : paired.metrics) {
    Json one = Json::Obj({{"a", gain.a}, {"b", gain.b}, {"gain", gain.gain}});
    if (!std::isnan(gain.lower)) one.Set("lower", gain.lower);
    if (!std::isnan(gain.upper)) one.Set("upper", gain.upper);
    metrics.Set(gain.info->name, std::move(one));
  }
  return Json::Obj(
      {{"metrics", std::move(metrics)},
       {"intervals", BootstrapJson(paired.method, paired.resamples, paired.confidence)}});
}

Json ConfusionJson(const statistics::Confusion& confusion) {
  Json rows = Json::Arr();
  for (std::size_t truth = 0; truth < confusion.classes; ++truth) {
    Json row = Json::Arr();
    for (std::size_t decided = 0; decided < confusion.classes; ++decided)
      row.Push(confusion.At(truth, decided));
    rows.Push(std::move(row));
  }
  return rows;
}

Json SlicesJson(const std::vector<Slice>& slices) {
  Json list = Json::Arr();
  for (const Slice& slice : slices) {
    Json one = Json::Obj({{"column", slice.column}, {"value", slice.value}, {"rows", slice.rows}});
    one.Set("metric", slice.metric.info->name);
    const Json interval = IntervalJson(slice.metric);
    for (const auto& [key, value] : interval.members()) one.Set(key, value);
    one.Set("gap", slice.gap);
    one.Set("surely_worse", slice.surely_worse);
    list.Push(std::move(one));
  }
  return list;
}

Json TextList(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

}  // namespace

Json Evaluation::ToJson() const {
  Json values = Json::Obj(), methods = Json::Obj(), ranked = Json::Arr();
  for (const statistics::MetricInterval& metric : metrics.metrics) {
    values.Set(metric.info->name, IntervalJson(metric));
    methods.Set(metric.info->name, metric.info->method);
  }
  for (const Importance& one : importance) {
    ranked.Push(
        Json::Obj({{"column", one.column}, {"mean", one.mean}, {"deviation", one.deviation}}));
  }
  Json json =
      Json::Obj({{"task", predictors::TaskName(task)}, {"primary", primary}, {"rows", rows}});
  json.Set("rows_without_target", rows_without_target);
  json.Set("rows_of_unknown_class", rows_of_unknown_class);
  json.Set("metrics", std::move(values));
  json.Set("methods", std::move(methods));
  json.Set("intervals", BootstrapJson(metrics.method, metrics.resamples, metrics.confidence));
  json.Set("over_baseline", PairedJson(over_baseline));
  json.Set("classes", TextList(classes));
  json.Set("positive", task == predictors::Task::kBinary ? Json(classes[1]) : Json());
  if (confusion.classes > 0) json.Set("confusion", ConfusionJson(confusion));
  json.Set("curves", curves);
  json.Set("slices", SlicesJson(slices));
  json.Set("slices_examined", slices_examined);
  json.Set("importance", std::move(ranked));
  json.Set("warnings", TextList(warnings));
  return json;
}

Json Comparison::ToJson() const {
  Json json =
      Json::Obj({{"task", predictors::TaskName(task)}, {"primary", primary}, {"rows", rows}});
  const Json pairs = PairedJson(paired);
  for (const auto& [key, value] : pairs.members()) json.Set(key, value);
  if (task != predictors::Task::kRegression) json.Set("agreement", agreement);
  return json;
}

}  // namespace gyre::evaluation
