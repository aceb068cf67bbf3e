// Reads the YAML of a pipeline or of a component: each complaint names file, line, key and remedy.
// Private.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/spec.h"

namespace gyre::pipelines {

class SpecReader {
 public:
  SpecReader(std::string_view text, std::string_view source, std::span<const KindFacts> kinds,
             const FindComponent& find)
      : text_(text), source_(source), kinds_(kinds), find_(find) {}
  Result<Spec> Read();

 private:
  using Path = std::vector<std::string>;
  Error At(const Path& path, Error error) const;
  Error Bad(const Path& path, std::string_view rule) const;
  std::vector<std::string> KeysOfAnyKind() const;
  Result<> CheckKeys(const Path& path, const Json& json, std::span<const std::string> known) const;

  Result<> ReadParams(const Path& path, const Json& json, std::vector<Param>* params);
  Result<Param> ReadParam(const Path& path, const std::string& name, const Json& json);
  Result<> ReadSteps(const Json& json);
  Result<Step> ReadStep(const Path& path, const std::string& name, const Json& json);
  Result<Step> ReadBody(const Path& path, const Json& json);
  Result<Step> UseComponent(const Path& path, const Json& json);
  Result<> ReadShared(const Path& path, const Json& json, Step* step);
  Result<> ReadOutputs(const Path& path, const Json& json, Step* step);
  Result<> ReadRetries(const Path& path, const Json& json, Retries* retries);
  Result<> ReadResources(const Path& path, const Json& json, Resources* resources);
  Result<> ReadCache(const Path& path, const Json& json, Step* step);
  Result<> ReadNeeds(const Path& path, const Json& json, Step* step);
  Result<std::int64_t> Time(const Path& path, const Json& json) const;
  Result<int> Count(const Path& path, const Json& json, std::int64_t max) const;

  Result<> ReadInputs(const Path& path, const Json& json, Step* step);
  Result<> CheckTypes() const;
  Result<> CheckType(const Path& path, const Json& value, ValueType wanted,
                     const Step& reader) const;
  std::optional<ValueType> TypeOf(std::string_view path, const Step& reader) const;
  Result<> CheckReferences();
  Result<> CheckStepReferences(Step* step);
  Result<> CheckPath(const Path& where, const std::string& path, const Step* reader,
                     std::set<std::string>* needs) const;
  Result<> CheckCircles() const;
  const KindFacts* FindKind(std::string_view name) const;
  const Step* FindStep(std::string_view name) const;

  const std::string_view text_, source_;
  const std::span<const KindFacts> kinds_;
  const FindComponent& find_;
  Spec spec_;
};

}  // namespace gyre::pipelines
