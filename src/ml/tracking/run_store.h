// All SQL of tracking. Functions on a transaction or a reader; what needs computing is computed by
// the caller beforehand.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

inline constexpr std::string_view kRefOwner = "run";  // of blobs
inline constexpr std::size_t kShortIdLength = 8;      // as people see it

// Documents of a run as text, made outside the transaction.
struct RunTexts {
  std::string source, code, inputs, environment;
};

Result<std::string> EnsureExperimentIn(db::Transaction& tx, std::string_view project,
                                       std::string_view name, std::string_view new_id,
                                       std::int64_t now_us);
Result<std::vector<Experiment>> ReadExperiments(db::Reader& reader, std::string_view project);

Result<> InsertRun(db::Transaction& tx, const Run& run, const RunTexts& texts);
Result<> PutParams(db::Transaction& tx, std::string_view run_id,
                   const std::map<std::string, std::string>& params);
Result<> PutTags(db::Transaction& tx, std::string_view run_id,
                 const std::map<std::string, std::string>& tags);
Result<> PutMetrics(db::Transaction& tx, std::string_view run_id,
                    const std::map<std::string, LatestMetric>& latest,
                    std::string_view encoded_points);
Result<> UpdateInputs(db::Transaction& tx, std::string_view run_id, std::string_view inputs);
Result<> UpdateEnd(db::Transaction& tx, std::string_view run_id, const RunEnd& end,
                   std::string_view resources);
// Into the trash; its name there. Error: GY3401.
Result<std::string> RemoveRun(db::Transaction& tx, std::string_view run_id, std::string_view by,
                              std::int64_t now_us);
Result<> CheckRunExists(db::Reader& reader, std::string_view run_id);

// Candidates for a reference, at most two.
Result<std::vector<std::string>> FindRunIds(db::Reader& reader, std::string_view project,
                                            std::string_view reference);
Result<> ReadRun(db::Reader& reader, std::string_view run_id,
                 Run* run);  // with params, tags, metrics; kNotFound GY3401
struct RunIdPage {
  std::vector<std::string> ids;
  std::string next_page_token;
};
Result<RunIdPage> FindRuns(db::Reader& reader, const RunQuery& query);
Result<std::vector<std::string>> RunningRuns(db::Reader& reader);

Result<std::vector<std::string>> ReadBatches(db::Reader& reader, std::string_view run_id,
                                             std::vector<std::int64_t>* numbers);
// Puts one batch in place of those with the given numbers; false when they are no longer all there.
Result<bool> ReplaceBatches(db::Transaction& tx, std::string_view run_id,
                            const std::vector<std::int64_t>& numbers,
                            std::string_view encoded_points);

Result<> PutArtifact(db::Transaction& tx, std::string_view run_id, const Artifact& artifact);
Result<std::vector<Artifact>> ReadArtifacts(db::Reader& reader, std::string_view run_id,
                                            std::string_view prefix);
Result<> PutOutput(db::Transaction& tx, std::string_view run_id, const Output& output);
Result<std::vector<Output>> ReadOutputs(db::Reader& reader, std::string_view run_id);

}  // namespace gyre::tracking
