#include "ml/pipelines/versions.h"

#include "base/hash.h"
#include "base/text.h"
#include "ml/pipelines/programs.h"
#include "platform/config/yaml.h"
#include "platform/telemetry/log.h"

namespace gyre::pipelines {
namespace {

constexpr telemetry::Logger kLog{"pipelines"};
constexpr std::string_view kProgramPermission = "pipeline.program";

Result<Reference> ParseReference(std::string_view text) {
  const std::size_t colon = text.find(':');
  Reference reference{std::string(text.substr(0, colon)), 0};
  if (colon == std::string_view::npos) return reference;
  const std::string_view version = text.substr(colon + 1);
  const auto number = version.starts_with('v') ? ParseInt(version.substr(1)) : std::nullopt;
  if (!number || *number < 1)
    return InvalidArgument("GY4711", "`{}` is no version of a pipeline", text)
        .Fix(reference.name + ":v1");
  reference.version = *number;
  return reference;
}

Error WrongNoun(const PipelineVersion& found) {
  const bool component = found.noun == "component";
  return InvalidArgument("GY4711", "`{}` is a {}", found.reference(), found.noun)
      .Fix(component ? "use: " + found.name : "kind: pipeline, pipeline: " + found.name);
}

// The same bytes with other parts mean another graph.
std::string DigestOf(std::string_view source, const std::set<Reference>& parts) {
  std::string all(source);
  for (const Reference& part : parts) all += fmt::format("\n{}:v{}", part.name, part.version);
  return Sha256Hex(all);
}

Json AnyOf(ValueType type) {
  switch (type) {
    case ValueType::kText:
    case ValueType::kFile:
      return "";
    case ValueType::kInt:
    case ValueType::kNumber:
      return 0;
    case ValueType::kBool:
      return false;
    case ValueType::kList:
      return Json::Arr();
    case ValueType::kJson:
      break;
  }
  return {};
}

// Names and types of what another pipeline is given; a reference may bring anything.
Result<> CheckGiven(const Spec& inner, const Json& params) {
  Json given = params.is_object() ? params : Json::Obj();
  for (const Param& param : inner.params) {
    const Json* value = given.Find(param.name);
    if (value != nullptr && value->AsString().find("${") != std::string::npos)
      given.Set(param.name, AnyOf(param.type));
  }
  GYRE_TRY([[maybe_unused]] const Json bound, BindParams(inner, given));
  return {};
}

}  // namespace

Result<Spec> Versions::Fix(std::string_view project, std::string_view source, std::string_view name,
                           std::set<Reference>* parts) {
  std::vector<KindFacts> kinds(ProgramKinds().begin(), ProgramKinds().end());
  for (const auto& [kind, implementation] : kinds_) kinds.push_back(implementation->facts());
  const auto exact = [&](std::string_view reference,
                         std::string_view noun) -> Result<PipelineVersion> {
    GYRE_TRY(PipelineVersion found, Resolve(project, reference));
    if (found.noun != noun) return WrongNoun(found);
    if (parts != nullptr) parts->insert({found.name, found.version});
    return found;
  };
  const FindComponent find = [&](std::string_view reference) -> Result<Spec> {
    GYRE_TRY(const PipelineVersion found, exact(reference, "component"));
    return SpecOf(found);
  };
  GYRE_TRY(Spec spec, ParseSpec(source, name, kinds, find));
  for (Step& step : spec.steps) {
    if (step.kind != kPipelineKind) continue;
    const auto found = exact(step.with[kPipelineKey].AsString(), "pipeline");
    const Result<> given = found ? CheckPart(*found, step.with["params"]) : Result<>(found.error());
    if (!given) {
      const std::string path[] = {"steps", step.name, std::string(kPipelineKey)};
      const int line = config::YamlLineAt(source, path);
      Error error = given.error();
      return Error(
          std::move(error).Where(line > 0 ? fmt::format("{}:{}", name, line) : std::string(name)));
    }
    step.with.Set(std::string(kPipelineKey), found->reference());
  }
  return spec;
}

Result<> Versions::CheckPart(const PipelineVersion& version, const Json& params) {
  GYRE_TRY(const Spec inner, SpecOf(version));
  return CheckGiven(inner, params);
}

Result<Spec> Versions::SpecOf(const PipelineVersion& version) {
  GYRE_TRY(const std::string plan, store_.PlanOf(version));
  if (plan.empty())
    return FailedPrecondition("GY4716", "what `{}` refers to is not there", version.reference())
        .Fix("gyre pipelines add FILE, which makes a new version");
  GYRE_TRY(const Json json, Json::Parse(plan, 128));
  return SpecFromJson(json);
}

Result<> Versions::Start() {
  GYRE_TRY(const auto versions, store_.WithoutPlan());
  for (const PipelineVersion& version : versions) {
    std::set<Reference> parts;
    const auto spec = Fix(version.project, version.source, version.reference(), &parts);
    const Result<> fixed =
        spec ? store_.SetPlan(version, SpecToJson(*spec).Dump(), parts) : Result<>(spec.error());
    if (!fixed)
      kLog.Warn("a version cannot be run any more",
                {{"version", version.reference()}, {"error", fixed.error().ToString()}});
  }
  return {};
}

Result<PipelineVersion> Versions::Add(std::string_view project, std::string_view source,
                                      std::string_view source_name, std::string_view by) {
  constexpr int kAttemptsMax = 5;  // two who add at once
  for (int attempt = 1;; ++attempt) {
    std::set<Reference> parts;
    GYRE_TRY(const Spec spec, Fix(project, source, source_name, &parts));
    PipelineVersion version;
    version.project = project;
    version.name = spec.name;
    version.noun = spec.is_component ? "component" : "pipeline";
    version.digest = DigestOf(source, parts);
    version.source = source;
    version.description = spec.description;
    version.steps = static_cast<std::int64_t>(spec.steps.size());
    version.created_by = by;
    version.created_us = clock_.NowMicros();
    GYRE_TRY(auto same, store_.FindDigest(project, version.name, version.digest));
    if (same) return *std::move(same);
    GYRE_TRY(const auto newest, store_.FindVersion(project, version.name, 0));
    if (newest && newest->noun != version.noun)
      return FailedPrecondition("GY4714", "`{}` is a {} already", version.name, newest->noun)
          .Fix("give it another name");
    const Result<> written = store_.Insert(&version, SpecToJson(spec).Dump(), parts);
    if (written) return version;
    const Code code = written.error().code();
    const bool raced = code == Code::kAlreadyExists || code == Code::kAborted;
    if (!raced || attempt == kAttemptsMax) return written.error();
  }
}

Result<PipelineVersion> Versions::Resolve(std::string_view project, std::string_view reference) {
  GYRE_TRY(const Reference wanted, ParseReference(reference));
  GYRE_TRY(auto found, store_.FindVersion(project, wanted.name, wanted.version));
  if (found) return *std::move(found);
  GYRE_TRY(const auto known, store_.ListNewest(project, "", 1000));
  std::vector<std::string> names;
  for (const PipelineVersion& one : known) names.push_back(one.name);
  Error error = NotFound("GY4711", "there is no pipeline `{}`", reference);
  const auto close = ClosestMatch(wanted.name, names);
  return Error(std::move(error).Fix(close && *close != wanted.name
                                        ? fmt::format("did you mean `{}`?", *close)
                                        : "gyre pipelines"));
}

Result<> Versions::Remove(std::string_view project, std::string_view reference) {
  GYRE_TRY([[maybe_unused]] const PipelineVersion found, Resolve(project, reference));
  GYRE_TRY(const Reference removed, ParseReference(reference));
  return store_.Remove(project, removed, "gyre", clock_.NowMicros());
}

Result<std::vector<std::string>> Versions::PermissionsOf(const Spec& spec,
                                                         std::string_view project) {
  std::set<std::string> seen, permissions;
  GYRE_DO(AddPermissions(spec, project, &seen, &permissions));
  return std::vector<std::string>(permissions.begin(), permissions.end());
}

// A graph has only parts that were there before it, so this comes to an end.
Result<> Versions::AddPermissions(const Spec& spec, std::string_view project,
                                  std::set<std::string>* seen, std::set<std::string>* permissions) {
  for (const Step& step : spec.steps) {
    if (IsProgram(step.kind)) permissions->emplace(kProgramPermission);
    const auto kind = kinds_.find(step.kind);
    if (kind != kinds_.end() && !kind->second->permission().empty())
      permissions->emplace(kind->second->permission());
    if (step.kind != kPipelineKind) continue;
    const std::string& reference = step.with[kPipelineKey].AsString();
    if (!seen->insert(reference).second) continue;
    GYRE_TRY(const PipelineVersion inner, Resolve(project, reference));
    GYRE_TRY(const Spec inner_spec, SpecOf(inner));
    GYRE_DO(AddPermissions(inner_spec, project, seen, permissions));
  }
  return {};
}

}  // namespace gyre::pipelines
