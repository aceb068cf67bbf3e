// What MLflow calls things of runs: status words, ids, names that keys may have, and its sentences
// for our errors. Pure functions. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/tracking/logged_models.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

inline constexpr std::int64_t kMicrosPerMilli = 1'000;
inline constexpr std::string_view kRunNameTag = "mlflow.runName";
inline constexpr std::string_view kParentRunTag = "mlflow.parentRunId";

std::string_view StatusWord(tracking::RunStatus status);             // "FINISHED"
std::optional<tracking::RunStatus> StatusOf(std::string_view word);  // or its number: "3"

// "12"; "" and "0" are the default experiment. Error: MLflow's for what is no number.
Result<std::int64_t> ExperimentNumber(std::string_view id);
// The view of "ACTIVE_ONLY", "DELETED_ONLY", "ALL"; "" = active.
Result<tracking::View> ViewOf(std::string_view word);

// Microseconds of a client's milliseconds. Error: GY5100 for what is not between 0 and the year
// 290,000.
Result<std::int64_t> MicrosOf(std::string_view path, std::int64_t millis);

// Where clients send files: the root that was given, or a path of our artifact proxy.
std::string ArtifactUri(const tracking::Experiment& experiment);
std::string ArtifactUri(const tracking::Run& run);
std::string ArtifactUri(const tracking::LoggedModel& model);

// A root for files that a client gives. The server only gives it back, and what it says is nobody's
// to read otherwise: no fragment, query or parameters, no "..", however it is escaped.
Result<> CheckArtifactRoot(std::string_view root);

// A name of a metric, param or tag at `path` ("metrics[3].name").
Result<> CheckKeyName(std::string_view path, std::string_view key);
// At most `characters_max` code points. Error: "'key' exceeds the maximum length of 250
// characters".
Result<> CheckLength(std::string_view what, std::string_view text, std::size_t characters_max);
// The first `characters_max` code points.
std::string_view Truncated(std::string_view text, std::size_t characters_max);

// "placid-heron-417", of the bytes of an id.
std::string MadeUpName(std::string_view id);

// As Python's repr() writes it: 'a', "it's".
std::string PythonText(std::string_view text);

// Infinities as the greatest numbers, which is what MLflow's store makes of them.
double Clamped(double value);

Error InRunWords(const Error& error, std::string_view run_id);
Error InExperimentWords(const Error& error, std::string_view experiment_id);

}  // namespace gyre::mlflow
