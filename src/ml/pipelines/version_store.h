// All SQL of versions. Private.
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/pipelines.h"

namespace gyre::pipelines {

// "nightly:v3"; version 0 = the newest.
struct Reference {
  std::string name;
  std::int64_t version = 0;
  auto operator<=>(const Reference&) const = default;
};

class VersionStore {
 public:
  explicit VersionStore(db::Database& database) : database_(database) {}

  // Gives it the next number, which none had before. Errors: kAlreadyExists when its bytes have
  // one; kAborted when one of its parts was removed meanwhile.
  Result<> Insert(PipelineVersion* version, std::string_view plan,
                  const std::set<Reference>& parts);
  Result<std::optional<PipelineVersion>> FindVersion(std::string_view project,
                                                     std::string_view name,
                                                     std::int64_t version);  // 0 = the newest
  Result<std::optional<PipelineVersion>> FindDigest(std::string_view project, std::string_view name,
                                                    std::string_view digest);
  Result<std::vector<PipelineVersion>> ListNewest(std::string_view project,
                                                  std::string_view after_name, int limit);
  Result<std::vector<PipelineVersion>> ListVersions(std::string_view project,
                                                    std::string_view name);
  // Of one version; empty when it was added before there were plans.
  Result<std::string> PlanOf(const PipelineVersion& version);
  Result<std::vector<PipelineVersion>> WithoutPlan();  // the oldest first
  Result<> SetPlan(const PipelineVersion& version, std::string_view plan,
                   const std::set<Reference>& parts);
  // One version, or (0) all. Error: GY4715 when another's graph has it.
  // Into the trash.
  Result<> Remove(std::string_view project, const Reference& removed, std::string_view by,
                  std::int64_t now_us);

 private:
  db::Database& database_;
};

}  // namespace gyre::pipelines
