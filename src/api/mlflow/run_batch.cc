#include "api/mlflow/run_batch.h"

#include "api/mlflow/errors.h"
#include "api/mlflow/run_words.h"

namespace gyre::mlflow {
namespace {

constexpr std::size_t kKeyMax = 250, kParamMax = 6'000, kTagMax = 8'000;
constexpr std::size_t kMetricsMax = 1'000, kParamsMax = 100, kTagsMax = 100, kAllMax = 1'000;
constexpr std::size_t kModelsMax = 1'000;
constexpr std::size_t kDatasetNameMax = 500, kDigestMax = 36, kSourceMax = 65'535,
                      kSchemaMax = 1'048'575, kProfileMax = 16'777'215;

// What a check says of a value at that place, which is written out only when it says no.
template <class Check>
auto CheckedAt(const Place& place, std::string_view member, const Check& check) {
  auto result = check(std::string_view());
  return result ? result : check(place.At(member));
}

// 1.0 and 0.25, as Python prints them.
std::string PythonNumber(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

Result<> CheckCount(std::string_view what, std::size_t count, std::size_t most) {
  if (count <= most) return {};
  return InvalidParameter(
      fmt::format("A batch logging request can contain at most {} {}. Got {} {}. Please split up "
                  "{} across multiple requests and try again.",
                  most, what, count, what, what));
}

Result<> CheckCounts(const Arguments& arguments) {
  const std::size_t metrics = arguments.Value("metrics").size(),
                    params = arguments.Value("params").size(),
                    tags = arguments.Value("tags").size();
  GYRE_DO(CheckCount("metrics", metrics, kMetricsMax));
  GYRE_DO(CheckCount("params", params, kParamsMax));
  GYRE_DO(CheckCount("tags", tags, kTagsMax));
  return CheckCount("metrics, params, and tags", metrics + params + tags, kAllMax);
}

// Every member that an item must have, before anything else is read.
Result<> CheckMembers(const Arguments& arguments, std::string_view list,
                      std::initializer_list<std::string_view> members) {
  std::size_t index = 0;
  for (const JsonValue item : arguments.Objects(list)) {
    for (const std::string_view member : members) {
      const JsonValue value = item[member];
      const bool empty = value.is_text() && value.text().empty();
      if (!value.there() || empty)
        return MissingValue(fmt::format("{}[{}].{}", list, index, member));
    }
    ++index;
  }
  return {};
}

Result<std::string> TextAt(const Place& place, std::string_view member, const JsonValue& value) {
  if (!value.there()) return std::string();
  if (value.is_text()) return std::string(value.text());
  return WrongType(place.At(member), value);
}

Result<> AddParam(tracking::Batch* batch, std::vector<std::string>* twice,
                  std::pair<std::string, std::string> param) {
  if (batch->params.contains(param.first)) {
    twice->push_back(PythonText(param.first));
    return {};
  }
  batch->params.insert(std::move(param));
  return {};
}

Result<> ReadParams(const Arguments& arguments, tracking::Batch* batch) {
  std::vector<std::string> twice;
  std::size_t index = 0;
  for (const JsonValue item : arguments.Objects("params")) {
    const Place place("params", index++);
    GYRE_TRY(const std::string key, TextAt(place, "key", item["key"]));
    GYRE_TRY(const std::string value, TextAt(place, "value", item["value"]));
    GYRE_TRY(auto param, ReadParam(place, key, value));
    GYRE_DO(AddParam(batch, &twice, std::move(param)));
  }
  if (twice.empty()) return {};
  std::string list;
  for (const std::string& key : twice) list += (list.empty() ? "" : ", ") + key;
  return InvalidParameter(
      fmt::format("Duplicate parameter keys have been submitted: [{}]. Please ensure the request "
                  "contains only one param value per param key.",
                  list));
}

}  // namespace

std::string Place::At(std::string_view member) const {
  return list_.empty() ? std::string(member) : fmt::format("{}[{}].{}", list_, index_, member);
}

Result<tracking::MetricPoint> ReadMetric(const Place& place, const JsonValue& key,
                                         const JsonValue& value, const JsonValue& timestamp,
                                         const JsonValue& step) {
  GYRE_TRY(std::string name, TextAt(place, "key", key));
  GYRE_DO(CheckedAt(place, "name", [&](std::string_view at) { return CheckKeyName(at, name); }));
  GYRE_DO(CheckLength("Metric name", name, kKeyMax));
  const auto number = NumberOf(value);
  if (!number) return WrongType(place.At("value"), value);
  const auto millis = WholeOf(timestamp);
  if (!millis) return WrongType(place.At("timestamp"), timestamp);
  const auto at_step = step.there() ? WholeOf(step) : std::optional<std::int64_t>(0);
  if (!at_step) return WrongType(place.At("step"), step);
  if (*millis < 0) {
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter '{}' supplied: metric '{}' (value={}). Timestamp must be a "
        "nonnegative long (64-bit integer) ",
        *millis, place.At("timestamp"), name, PythonNumber(*number)));
  }
  GYRE_TRY(const std::int64_t time_us, CheckedAt(place, "timestamp", [&](std::string_view at) {
             return MicrosOf(at, *millis);
           }));
  return tracking::MetricPoint{std::move(name), *number, *at_step, time_us};
}

void AddModelPoint(const std::string& run_id, const tracking::MetricPoint& point,
                   const JsonValue& model_id, const JsonValue& dataset_name,
                   const JsonValue& dataset_digest, tracking::ModelPoints* of_models) {
  if (!model_id.is_text() || model_id.text().empty()) return;
  (*of_models)[std::string(model_id.text())].push_back(
      {point.key, point.value, point.step, point.time_us, run_id, std::string(dataset_name.text()),
       std::string(dataset_digest.text())});
}

Result<std::pair<std::string, std::string>> ReadParam(const Place& place, std::string_view key,
                                                      std::string_view value) {
  GYRE_DO(CheckedAt(place, "key", [&](std::string_view at) { return CheckKeyName(at, key); }));
  GYRE_DO(CheckLength("Param key", key, kKeyMax));
  return std::pair(std::string(key), std::string(Truncated(value, kParamMax)));
}

Result<std::pair<std::string, std::string>> ReadTag(const Place& place, std::string_view key,
                                                    std::string_view value) {
  GYRE_DO(CheckedAt(place, "key", [&](std::string_view at) { return CheckKeyName(at, key); }));
  GYRE_DO(
      CheckedAt(place, "key", [&](std::string_view at) { return CheckLength(at, key, kKeyMax); }));
  return std::pair(std::string(key), std::string(Truncated(value, kTagMax)));
}

Result<tracking::Batch> ReadBatch(const Arguments& arguments) {
  tracking::Batch batch;
  GYRE_DO(CheckMembers(arguments, "metrics", {"key", "value", "timestamp"}));
  GYRE_DO(CheckMembers(arguments, "params", {"key"}));
  GYRE_DO(CheckMembers(arguments, "tags", {"key"}));
  GYRE_DO(CheckCounts(arguments));
  const std::string run_id = arguments.Text("run_id");
  batch.metrics.reserve(arguments.Value("metrics").size());
  std::size_t index = 0;
  for (const JsonValue item : arguments.Objects("metrics")) {
    GYRE_TRY(auto point, ReadMetric(Place("metrics", index++), item["key"], item["value"],
                                    item["timestamp"], item["step"]));
    AddModelPoint(run_id, point, item["model_id"], item["dataset_name"], item["dataset_digest"],
                  &batch.of_models);
    batch.metrics.push_back(std::move(point));
  }
  GYRE_DO(ReadParams(arguments, &batch));
  index = 0;
  for (const JsonValue item : arguments.Objects("tags")) {
    const Place place("tags", index++);
    GYRE_TRY(const std::string key, TextAt(place, "key", item["key"]));
    GYRE_TRY(const std::string value, TextAt(place, "value", item["value"]));
    GYRE_TRY(auto tag, ReadTag(place, key, value));
    batch.tags.insert_or_assign(std::move(tag.first), std::move(tag.second));
  }
  return batch;
}

Result<std::vector<tracking::DatasetInput>> ReadDatasets(const Arguments& arguments) {
  constexpr std::string_view kContextTag = "mlflow.data.context";
  std::vector<tracking::DatasetInput> datasets;
  for (const JsonValue item : arguments.Objects("datasets")) {
    const JsonValue dataset = item["dataset"];
    tracking::DatasetInput input;
    struct Member {
      std::string_view name;
      std::string* to;
      std::size_t most;
      bool required;
    };
    const Member members[] = {{"name", &input.name, kDatasetNameMax, true},
                              {"digest", &input.digest, kDigestMax, true},
                              {"source_type", &input.source_type, kDatasetNameMax, true},
                              {"source", &input.source, kSourceMax, true},
                              {"schema", &input.schema, kSchemaMax, false},
                              {"profile", &input.profile, kProfileMax, false}};
    for (const Member& member : members) {
      GYRE_TRY(*member.to, TextAt({}, member.name, dataset[member.name]));
      if (member.required && !dataset[member.name].there())
        return InvalidParameter(fmt::format("Dataset {} cannot be None", member.name));
      if (member.to == &input.name || member.to == &input.digest) {
        if (member.to->empty())
          return InvalidParameter(fmt::format("Dataset {} cannot be empty", member.name));
      }
      GYRE_DO(CheckLength(member.name, *member.to, member.most));
    }
    for (const JsonValue tag : item["tags"].items())
      input.tags.insert_or_assign(std::string(tag["key"].text()), std::string(tag["value"].text()));
    if (const auto context = input.tags.find(std::string(kContextTag)); context != input.tags.end())
      input.context = context->second;
    datasets.push_back(std::move(input));
  }
  return datasets;
}

Result<> CheckModelCount(std::size_t count) { return CheckCount("models", count, kModelsMax); }

}  // namespace gyre::mlflow
