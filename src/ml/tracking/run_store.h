// All SQL of runs and what stands with them, but for metric points (metric_store.h). Functions on a
// transaction or a reader; what needs computing is computed by the caller beforehand. Private.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/metric_store.h"
#include "ml/tracking/tracking.h"

namespace gyre::tracking {

inline constexpr std::string_view kRefOwner = "run";             // of blobs
inline constexpr std::string_view kFileOwner = "tracking_file";  // of those that are not of a run
// Whose rows belong to a run by its number.
inline constexpr std::string_view kTablesOfRuns[] = {
    "tracking_run_param",    "tracking_run_tag",          "tracking_metric",
    "tracking_metric_tail",  "tracking_metric_unsettled", "tracking_metric_segment",
    "tracking_metric_block", "tracking_metric_moved",     "tracking_metric_recount",
    "tracking_run_dataset"};
inline constexpr std::size_t kShortIdLength = 8;  // as people see it

// Documents of a run as text, made outside the transaction.
struct RunTexts {
  std::string source, code, inputs, environment;
};
// Params or tags with the numbers of their names.
struct NamedText {
  std::int64_t name = 0;
  std::string_view key, value;
};
using NamedTexts = std::vector<NamedText>;

// The next number of "run", "experiment", "dataset"; never given twice.
Result<std::int64_t> NextNumber(db::Transaction& tx, std::string_view noun);

// `import_key`: of a run that was made elsewhere.
Result<> InsertRun(db::Transaction& tx, const Run& run, const RunTexts& texts,
                   std::string_view import_key);
// The newest active run of that key; empty when there is none.
Result<std::string> FindImportedRun(db::Reader& reader, std::string_view project,
                                    std::string_view import_key);
// Error: GY3404 a param has another value already; `conflicts`, which may be null, get all such.
Result<> PutParams(db::Transaction& tx, const RunKey& run, std::string_view run_id,
                   const NamedTexts& params, std::vector<ParamConflict>* conflicts);
Result<> PutTags(db::Transaction& tx, const RunKey& run, const NamedTexts& tags);
Result<std::string> ReadTag(db::Reader& reader, const RunKey& run, std::int64_t name);
Result<bool> RemoveTag(db::Transaction& tx, const RunKey& run, std::string_view key);
Result<> UpdateInputs(db::Transaction& tx, std::string_view run_id, std::string_view inputs);
Result<> UpdateEnd(db::Transaction& tx, std::string_view run_id, const RunEnd& end,
                   std::string_view resources);
Result<> UpdateRun(db::Transaction& tx, const RunKey& run, const RunChange& change);
Result<> SetRunDeleted(db::Transaction& tx, const RunKey& run, std::int64_t deleted_us);
// Into the trash; its name there. Error: GY3401.
Result<std::string> RemoveRun(db::Transaction& tx, std::string_view run_id, std::string_view by,
                              std::int64_t now_us);

Result<RunKey> FindRun(db::Reader& reader, std::string_view run_id);  // GY3401
// GY3401 (also of another project than `project`, unless that is empty), GY3426.
Result<RunKey> FindActiveRun(db::Reader& reader, std::string_view run_id,
                             std::string_view project = {});
Result<RunKey> ActiveOf(RunKey key, std::string_view run_id, std::string_view project);

// Candidates for a reference, at most two.
Result<std::vector<std::string>> FindRunIds(db::Reader& reader, std::string_view project,
                                            std::string_view reference);
Result<> ReadRun(db::Reader& reader, std::string_view run_id,
                 Run* run);  // with params, tags, metrics; kNotFound GY3401
Result<> ReadRunAlone(db::Reader& reader, std::string_view run_id, Run* run);  // without them
struct RunIdPage {
  std::vector<std::string> ids;
  std::string next_page_token;
};
Result<RunIdPage> FindRuns(db::Reader& reader, const RunQuery& query);
// That a program of this server works on; runs of clients go on without it.
Result<std::vector<std::string>> RunningRuns(db::Reader& reader);

// Files of a run or of another owner.
Result<> PutFile(db::Transaction& tx, std::string_view owner, const Artifact& file);
Result<std::vector<Artifact>> ReadFiles(db::Reader& reader, std::string_view owner,
                                        std::string_view prefix);
Result<> PutOutput(db::Transaction& tx, std::string_view run_id, const Output& output);
Result<std::vector<Output>> ReadOutputs(db::Reader& reader, std::string_view run_id);

Result<> PutDataset(db::Transaction& tx, const RunKey& run, const DatasetInput& dataset,
                    std::string_view tags);
Result<std::vector<DatasetInput>> ReadDatasets(db::Reader& reader, std::int64_t run);

}  // namespace gyre::tracking
