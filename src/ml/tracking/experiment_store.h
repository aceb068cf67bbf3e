// All SQL of experiments. Private.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/tracking/experiments.h"

namespace gyre::tracking {

inline constexpr std::string_view kDefaultProject = "default";

// The one of that name or title, without its tags; made when there is none. Error: GY3423 it is
// deleted.
Result<Experiment> EnsureExperiment(db::Transaction& tx, std::string_view project,
                                    std::string_view title, std::int64_t now_us);
Result<Experiment> InsertExperiment(db::Transaction& tx, const NewExperiment& from,
                                    std::int64_t now_us);  // GY3420
Result<std::optional<Experiment>> FindExperiment(db::Reader& reader, std::string_view project,
                                                 std::string_view title);
// By title, else by name.
Result<std::optional<Experiment>> FindByTitleOrName(db::Reader& reader, std::string_view project,
                                                    std::string_view text);
Result<Experiment> ReadExperiment(db::Reader& reader, std::string_view project,
                                  std::int64_t number);  // GY3422
// Without its tags. Errors: GY3422, GY3423.
Result<Experiment> ReadActiveExperiment(db::Reader& reader, std::string_view project,
                                        std::int64_t number);
// Newest first, from beyond (created_us, number) when given; ends when `take` says false.
struct ExperimentPlace {
  std::int64_t created_us = 0, number = 0;
};
Result<> WalkExperiments(db::Reader& reader, std::string_view project, View view,
                         const std::optional<ExperimentPlace>& after,
                         const std::function<bool(Experiment&&)>& take);

Result<std::vector<DatasetUse>> ReadDatasetUses(db::Reader& reader, std::string_view project,
                                                std::int64_t number, int limit);

Result<> RenameExperiment(db::Transaction& tx, const Experiment& experiment, std::string_view title,
                          std::int64_t now_us);
Result<> PutExperimentTag(db::Transaction& tx, std::int64_t number, std::string_view key,
                          std::string_view value);
Result<bool> RemoveExperimentTag(db::Transaction& tx, std::int64_t number, std::string_view key);
Result<> TouchExperiment(db::Transaction& tx, std::int64_t number, std::int64_t now_us);
// With its runs; unmarking brings back all of them, also those that were deleted one by one.
Result<> MarkExperiment(db::Transaction& tx, std::int64_t number, std::int64_t deleted_us);
Result<> UnmarkExperiment(db::Transaction& tx, const Experiment& experiment);

// "team-ana-churn" of "/team/ana/churn".
std::string NameOfTitle(std::string_view title);

}  // namespace gyre::tracking
