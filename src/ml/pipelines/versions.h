// Pipelines and components as versions. A version means one graph for ever: what it uses and runs
// is fixed to exact versions when it is added. Private.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/engine.h"
#include "ml/pipelines/version_store.h"

namespace gyre::pipelines {

inline constexpr std::string_view kPipelineKind = "pipeline";
inline constexpr std::string_view kPipelineKey = "pipeline";  // of a step of that kind

class Versions {
 public:
  Versions(db::Database& database, const Kinds& kinds, const Clock& clock)
      : store_(database), kinds_(kinds), clock_(clock) {}

  Result<> Start();  // fixes what a server before did not
  Result<PipelineVersion> Add(std::string_view project, std::string_view source,
                              std::string_view source_name, std::string_view by);
  Result<PipelineVersion> Resolve(std::string_view project, std::string_view reference);
  Result<> Remove(std::string_view project, std::string_view reference);
  VersionStore& store() { return store_; }

  // A source as it would run now: components are in it, pipelines that it runs have their numbers.
  Result<Spec> Fix(std::string_view project, std::string_view source, std::string_view name,
                   std::set<Reference>* parts = nullptr);
  // The same of a version, as it was when that was added.
  Result<Spec> SpecOf(const PipelineVersion& version);
  // What a fixed graph and all that it runs must be allowed.
  Result<std::vector<std::string>> PermissionsOf(const Spec& spec, std::string_view project);

 private:
  Result<> CheckPart(const PipelineVersion& version, const Json& params);
  Result<> AddPermissions(const Spec& spec, std::string_view project, std::set<std::string>* seen,
                          std::set<std::string>* permissions);

  VersionStore store_;
  const Kinds& kinds_;
  const Clock& clock_;
};

}  // namespace gyre::pipelines
