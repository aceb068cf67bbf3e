// Traces and assessments as MLflow writes them, both ways, in its third version and in its second,
// and its sentences for our errors. Pure functions. Private.
#pragma once

#include <string>
#include <string_view>

#include "api/mlflow/answer.h"
#include "api/mlflow/request_document.h"
#include "base/error.h"
#include "base/json.h"
#include "ml/traces/traces.h"
#include "ml/tracking/experiments.h"

namespace gyre::mlflow {

inline constexpr std::string_view kArtifactLocationTag = "mlflow.artifactLocation";
inline constexpr std::string_view kSpansLocationTag = "mlflow.trace.spansLocation";
inline constexpr std::string_view kSpansHere = "TRACKING_STORE";
inline constexpr std::size_t kTraceTagCharactersMax = 8'000;

// Tags that say where a trace lies are the server's.
bool IsServersTag(std::string_view key);
std::string TraceArtifactUri(const tracking::Experiment& experiment, std::string_view trace_id);

// The JSON of a request as a tree, for what has members of any name. Error: GY5100.
Result<Json> TreeOf(std::string_view path, const JsonValue& value);

// `trace_info` of the third version; without project and experiment. Error: GY5100.
Result<traces::Trace> ReadTraceInfo(const Json& info);
std::string ExperimentOfInfo(const Json& info);
// {"key": ..., "value": ...} of the second.
Result<traces::Texts> ReadPairs(std::string_view path, const JsonValue& list, bool tags);
Result<std::pair<std::string, std::string>> ReadTraceTag(std::string_view key,
                                                         std::string_view value);
Result<traces::State> ReadState(std::string_view word);

Result<traces::Assessment> ReadAssessment(const Json& json);  // GY5100

Json InfoOf(const traces::Trace& trace);
Json InfoOfV2(const traces::Trace& trace);
Json AssessmentJson(std::string_view trace_id, const traces::Assessment& assessment);

Error InTraceWords(const Error& error, std::string_view trace_id, std::string_view other = {});

}  // namespace gyre::mlflow
