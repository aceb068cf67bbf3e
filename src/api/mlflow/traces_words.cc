#include "api/mlflow/traces_words.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "api/mlflow/arguments.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"
#include "base/time.h"

namespace gyre::mlflow {
namespace {

constexpr std::size_t kKeyCharactersMax = 250, kPreviewCharactersMax = 1'000;
constexpr std::size_t kLabelsMax = 1'000;
constexpr std::array<std::string_view, 5> kSourceTypes = {"HUMAN", "LLM_JUDGE", "AI_JUDGE", "CODE",
                                                          "SOURCE_TYPE_UNSPECIFIED"};

// "2026-01-02T03:04:05.006Z": three digits where they do.
std::string TimeText(std::int64_t time_us) {
  std::string text = FormatTime(time_us);
  if (text.ends_with("000Z") && text.contains('.')) text.replace(text.size() - 4, 4, "Z");
  return text;
}

std::string DurationText(std::int64_t duration_us) {
  const std::int64_t millis = duration_us / kMicrosPerMilli;
  const std::int64_t seconds = millis / 1'000, rest = millis % 1'000;
  return rest == 0 ? fmt::format("{}s", seconds) : fmt::format("{}.{:03d}s", seconds, rest);
}

Error NotA(std::string_view path, const Json& value, std::string_view what) {
  return InvalidParameter(fmt::format("Invalid value {} for parameter '{}' supplied: it is no {}",
                                      value.Dump().substr(0, 200), path, what));
}

Result<std::int64_t> ReadTime(std::string_view path, const Json& value) {
  if (value.is_null()) return 0;
  const auto time = ParseTime(value.AsString());
  if (!value.is_string() || !time) return NotA(path, value, "time of RFC 3339");
  return *time;
}

Result<std::optional<std::int64_t>> ReadDuration(const Json& value) {
  constexpr double kSecondsMax = 315'576'000'000;
  if (value.is_null()) return std::nullopt;
  const std::string& text = value.AsString();
  const auto seconds = text.ends_with('s')
                           ? ParseDouble(std::string_view(text).substr(0, text.size() - 1))
                           : std::nullopt;
  if (!seconds || !(std::abs(*seconds) <= kSecondsMax))
    return NotA("execution_duration", value, "duration in seconds: \"1.5s\"");
  return std::max<std::int64_t>(std::llround(*seconds * kMicrosPerSecond), 0);
}

Result<std::string> ReadText(std::string_view path, const Json& value) {
  if (value.is_null() || value.is_string()) return value.AsString();
  return NotA(path, value, "text");
}

Result<std::optional<std::string>> ReadTextIfAny(std::string_view path, const Json& value,
                                                 std::size_t characters_max) {
  if (value.is_null()) return std::nullopt;
  GYRE_TRY(const std::string text, ReadText(path, value));
  return std::string(Truncated(text, characters_max));
}

Result<traces::Texts> ReadMap(std::string_view path, const Json& map, bool tags) {
  if (!map.is_null() && !map.is_object()) return NotA(path, map, "object of texts");
  if (map.size() > kLabelsMax)
    return InvalidParameter(fmt::format("'{}' has more than {} entries", path, kLabelsMax));
  traces::Texts texts;
  for (const auto& [key, value] : map.members()) {
    if (tags && IsServersTag(key)) continue;
    GYRE_TRY(const std::string text, ReadText(path, value));
    GYRE_TRY(auto tag, ReadTraceTag(key, text));
    texts.insert_or_assign(std::move(tag.first), std::move(tag.second));
  }
  return texts;
}

Json TextsJson(const traces::Texts& texts) {
  Json::Object members;
  for (const auto& [key, value] : texts) members.emplace_back(key, value);
  return Json(std::move(members));
}

Json PairsJson(const traces::Texts& texts) {
  Json::Array pairs;
  for (const auto& [key, value] : texts)
    pairs.push_back(Json::Obj({{"key", key}, {"value", value}}));
  return Json(std::move(pairs));
}

// What stands under "feedback", "expectation" or "issue".
Result<> ReadAssessed(const Json& json, traces::Assessment* assessment) {
  int kinds = 0;
  for (const std::string_view kind : {"feedback", "expectation", "issue"}) {
    const Json& said = json[kind];
    if (said.is_null()) continue;
    if (!said.is_object()) return NotA(kind, said, "object");
    ++kinds;
    assessment->kind = kind;
    const Json& serialized = said["serialized_value"];
    if (kind == "expectation" && serialized.is_object()) {
      const auto value = Json::Parse(serialized["value"].AsString());
      if (!value) return NotA("expectation.serialized_value.value", serialized["value"], "JSON");
      assessment->value = value->Dump();
    } else {
      assessment->value = said[kind == "issue" ? "issue_name" : "value"].Dump();
    }
    if (kind == "feedback" && !said["error"].is_null()) assessment->error = said["error"].Dump();
  }
  if (kinds == 1) return {};
  return InvalidParameter(
      "Exactly one of `expectation`, `feedback`, or `issue` should be specified.");
}

Json ParsedOr(const std::string& text) {
  auto value = Json::Parse(text);
  return value ? *std::move(value) : Json();
}

void SetAssessed(const traces::Assessment& a, Json* json) {
  const Json value = ParsedOr(a.value);
  Json said = Json::Obj();
  if (a.kind == "issue") {
    said.Set("issue_name", value);
  } else if (a.kind == "expectation" && (value.is_object() || value.is_array())) {
    said.Set("serialized_value",
             Json::Obj({{"value", a.value}, {"serialization_format", "JSON_FORMAT"}}));
  } else {
    said.Set("value", value);
  }
  if (!a.error.empty()) said.Set("error", ParsedOr(a.error));
  json->Set(a.kind, std::move(said));
}

}  // namespace

bool IsServersTag(std::string_view key) {
  return key == kArtifactLocationTag || key == kSpansLocationTag ||
         key == "mlflow.trace.archiveLocation" || key == "mlflow.trace.archivalFailure";
}

std::string TraceArtifactUri(const tracking::Experiment& experiment, std::string_view trace_id) {
  return fmt::format("{}/traces/{}/artifacts", ArtifactUri(experiment), trace_id);
}

Result<Json> TreeOf(std::string_view path, const JsonValue& value) {
  std::string text;
  value.PrintTo(&text);
  auto tree = Json::Parse(text);
  if (tree) return *std::move(tree);
  return InvalidParameter(
      fmt::format("Invalid value for parameter '{}' supplied: {}", path, tree.error().message()));
}

Result<std::pair<std::string, std::string>> ReadTraceTag(std::string_view key,
                                                         std::string_view value) {
  GYRE_DO(CheckKeyName("key", key));
  GYRE_DO(CheckLength("key", key, kKeyCharactersMax));
  return std::pair(std::string(key), std::string(Truncated(value, kTraceTagCharactersMax)));
}

Result<traces::Texts> ReadPairs(std::string_view path, const JsonValue& list, bool tags) {
  if (list.size() > kLabelsMax)
    return InvalidParameter(fmt::format("'{}' has more than {} entries", path, kLabelsMax));
  traces::Texts texts;
  for (const JsonValue item : list.items()) {
    if (!item["key"].is_text()) return MissingValue(fmt::format("{}.key", path));
    if (tags && IsServersTag(item["key"].text())) continue;
    GYRE_TRY(auto pair, ReadTraceTag(item["key"].text(), item["value"].text()));
    texts.insert_or_assign(std::move(pair.first), std::move(pair.second));
  }
  return texts;
}

Result<traces::State> ReadState(std::string_view word) {
  if (word.empty() || word == "TRACE_STATUS_UNSPECIFIED") return traces::State::kUnknown;
  if (const auto state = traces::StateOf(word)) return *state;
  return InvalidParameter(fmt::format("Invalid status '{}' of a trace", word.substr(0, 100)));
}

std::string ExperimentOfInfo(const Json& info) {
  const Json& id = info["trace_location"]["mlflow_experiment"]["experiment_id"];
  return id.is_int() ? std::to_string(id.AsInt()) : id.AsString();
}

Result<traces::Trace> ReadTraceInfo(const Json& info) {
  constexpr std::size_t kRequestIdCharactersMax = 250;
  traces::Trace trace;
  GYRE_TRY(trace.id, ReadText("trace_id", info["trace_id"]));
  GYRE_TRY(trace.started_us, ReadTime("request_time", info["request_time"]));
  GYRE_TRY(trace.duration_us, ReadDuration(info["execution_duration"]));
  GYRE_TRY(const std::string state, ReadText("state", info["state"]));
  GYRE_TRY(trace.state, ReadState(state));
  GYRE_TRY(trace.client_request,
           ReadTextIfAny("client_request_id", info["client_request_id"], kRequestIdCharactersMax));
  GYRE_TRY(trace.request_preview,
           ReadTextIfAny("request_preview", info["request_preview"], kPreviewCharactersMax));
  GYRE_TRY(trace.response_preview,
           ReadTextIfAny("response_preview", info["response_preview"], kPreviewCharactersMax));
  GYRE_TRY(trace.tags, ReadMap("tags", info["tags"], true));
  GYRE_TRY(trace.metadata, ReadMap("trace_metadata", info["trace_metadata"], false));
  for (const Json& item : info["assessments"].items()) {
    GYRE_TRY(traces::Assessment assessment, ReadAssessment(item));
    trace.assessments.push_back(std::move(assessment));
  }
  return trace;
}

Result<traces::Assessment> ReadAssessment(const Json& json) {
  if (!json.is_object()) return NotA("assessment", json, "object");
  constexpr std::size_t kRationaleCharactersMax = 65'535;
  traces::Assessment a;
  GYRE_TRY(a.id, ReadText("assessment_id", json["assessment_id"]));
  GYRE_TRY(a.name, ReadText("assessment_name", json["assessment_name"]));
  GYRE_DO(CheckLength("assessment_name", a.name, kKeyCharactersMax));
  GYRE_DO(CheckLength("assessment_id", a.id, kKeyCharactersMax));
  GYRE_DO(ReadAssessed(json, &a));
  GYRE_TRY(a.source_type, ReadText("source.source_type", json["source"]["source_type"]));
  if (a.source_type.empty()) a.source_type = "CODE";
  if (std::ranges::find(kSourceTypes, a.source_type) == kSourceTypes.end())
    return InvalidParameter(
        fmt::format("Invalid assessment source type: {}", a.source_type.substr(0, 100)));
  GYRE_TRY(a.source_id, ReadText("source.source_id", json["source"]["source_id"]));
  GYRE_DO(CheckLength("source_id", a.source_id, kKeyCharactersMax));
  GYRE_TRY(a.span, ReadText("span_id", json["span_id"]));
  GYRE_TRY(a.rationale, ReadTextIfAny("rationale", json["rationale"], kRationaleCharactersMax));
  GYRE_TRY(a.overrides, ReadText("overrides", json["overrides"]));
  GYRE_TRY(a.metadata, ReadMap("metadata", json["metadata"], false));
  GYRE_TRY(a.created_us, ReadTime("create_time", json["create_time"]));
  GYRE_TRY(a.updated_us, ReadTime("last_update_time", json["last_update_time"]));
  a.valid = json["valid"].AsBool(true);
  return a;
}

Json AssessmentJson(std::string_view trace_id, const traces::Assessment& a) {
  Json json = Json::Obj(
      {{"assessment_id", a.id},
       {"assessment_name", a.name},
       {"trace_id", trace_id},
       {"source", Json::Obj({{"source_type", a.source_type}, {"source_id", a.source_id}})},
       {"create_time", TimeText(a.created_us)},
       {"last_update_time", TimeText(a.updated_us)}});
  if (!a.span.empty()) json.Set("span_id", a.span);
  SetAssessed(a, &json);
  if (a.rationale) json.Set("rationale", *a.rationale);
  if (!a.metadata.empty()) json.Set("metadata", TextsJson(a.metadata));
  if (!a.overrides.empty()) json.Set("overrides", a.overrides);
  json.Set("valid", a.valid);
  return json;
}

Json InfoOf(const traces::Trace& trace) {
  Json info =
      Json::Obj({{"trace_id", trace.id},
                 {"trace_location",
                  Json::Obj({{"type", "MLFLOW_EXPERIMENT"},
                             {"mlflow_experiment",
                              Json::Obj({{"experiment_id", std::to_string(trace.experiment)}})}})},
                 {"request_time", TimeText(trace.started_us)},
                 {"state", traces::StateWord(trace.state)}});
  if (trace.client_request) info.Set("client_request_id", *trace.client_request);
  if (trace.request_preview) info.Set("request_preview", *trace.request_preview);
  if (trace.response_preview) info.Set("response_preview", *trace.response_preview);
  if (trace.duration_us) info.Set("execution_duration", DurationText(*trace.duration_us));
  if (!trace.metadata.empty()) info.Set("trace_metadata", TextsJson(trace.metadata));
  if (!trace.tags.empty()) info.Set("tags", TextsJson(trace.tags));
  if (!trace.assessments.empty()) {
    Json::Array assessments;
    for (const traces::Assessment& a : trace.assessments)
      assessments.push_back(AssessmentJson(trace.id, a));
    info.Set("assessments", Json(std::move(assessments)));
  }
  return info;
}

Json InfoOfV2(const traces::Trace& trace) {
  const bool unknown = trace.state == traces::State::kUnknown;
  return Json::Obj(
      {{"request_id", trace.id},
       {"experiment_id", std::to_string(trace.experiment)},
       {"timestamp_ms", trace.started_us / kMicrosPerMilli},
       {"execution_time_ms", trace.duration_us.value_or(0) / kMicrosPerMilli},
       {"status", unknown ? "TRACE_STATUS_UNSPECIFIED" : traces::StateWord(trace.state)},
       {"request_metadata", PairsJson(trace.metadata)},
       {"tags", PairsJson(trace.tags)}});
}

Error InTraceWords(const Error& error, std::string_view trace_id, std::string_view other) {
  const auto said = [&](std::string message) {
    return Error(error.code(), error.gy(), std::move(message));
  };
  const std::string_view id = trace_id.substr(0, 250), what = other.substr(0, 250);
  if (error.gy() == "GY3452") return said(fmt::format("Trace with ID '{}' not found.", id));
  if (error.gy() == "GY3451")
    return said(fmt::format("Trace with ID '{}' already exists in another experiment.", id));
  if (error.gy() == "GY3456")
    return said(fmt::format("No trace tag with key '{}' for trace with ID '{}'", what, id));
  if (error.gy() == "GY3458")
    return said(fmt::format("Assessment with ID '{}' not found for trace '{}'", what, id));
  return error;
}

}  // namespace gyre::mlflow
