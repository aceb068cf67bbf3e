#include "ml/monitoring/signals.h"

#include <algorithm>

namespace gyre::monitoring {
namespace {

constexpr std::string_view kLevelNames[] = {"calm", "between", "bad", "unknown"};

}  // namespace

Json SignalToJson(const Signal& signal) {
  Json columns = Json::Arr();
  for (const std::string& column : signal.columns) columns.Push(column);
  Json json = Json::Obj({{"signal", signal.name},
                         {"level", kLevelNames[static_cast<std::size_t>(signal.level)]},
                         {"score", signal.score},
                         {"raise", signal.raise},
                         {"clear", signal.clear},
                         {"what", signal.what},
                         {"columns", std::move(columns)},
                         {"model_version_id", signal.model_version_id}});
  if (signal.bad_versions.size() > 1) {
    Json versions = Json::Arr();
    for (const std::string& id : signal.bad_versions) versions.Push(id);
    json.Set("bad_versions", std::move(versions));
  }
  if (signal.broken_input) json.Set("broken_input", true);
  return json;
}

Signal SignalFromJson(const Json& json) {
  Signal signal;
  signal.name = json["signal"].AsString();
  const auto level = std::ranges::find(kLevelNames, json["level"].AsString());
  signal.level = level == std::end(kLevelNames)
                     ? Level::kUnknown
                     : static_cast<Level>(level - std::begin(kLevelNames));
  signal.score = json["score"].AsDouble();
  signal.raise = json["raise"].AsDouble();
  signal.clear = json["clear"].AsDouble();
  signal.what = json["what"].AsString();
  for (const Json& column : json["columns"].items()) signal.columns.push_back(column.AsString());
  signal.model_version_id = json["model_version_id"].AsString();
  for (const Json& id : json["bad_versions"].items()) signal.bad_versions.push_back(id.AsString());
  if (signal.bad_versions.empty() && signal.level == Level::kBad)
    signal.bad_versions = {signal.model_version_id};
  signal.broken_input = json["broken_input"].AsBool();
  return signal;
}

}  // namespace gyre::monitoring
