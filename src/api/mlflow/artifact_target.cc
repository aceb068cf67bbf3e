#include "api/mlflow/artifact_target.h"

#include "api/mlflow/artifact_path.h"
#include "ml/registry/source_rule.h"

namespace gyre::mlflow {
namespace {

using Kind = tracking::FileOwner::Kind;

constexpr std::string_view kOwnRoot = "mlflow-artifacts:/", kRuns = "runs:/";

}  // namespace

ArtifactTarget TargetOf(const std::string& project, std::string_view clean_path) {
  ArtifactPlace place = PlaceOf(clean_path);
  const Kind kind = place.kind == ArtifactPlace::Kind::kRun     ? Kind::kRun
                    : place.kind == ArtifactPlace::Kind::kModel ? Kind::kLoggedModel
                                                                : Kind::kProject;
  return {{kind, project, std::move(place.owner)}, std::move(place.path)};
}

Result<std::optional<ArtifactTarget>> TargetOfSource(const std::string& project,
                                                     std::string_view source) {
  std::optional<ArtifactTarget> target;
  if (const std::string id = registry::LoggedModelOf(source); !id.empty()) {
    target = ArtifactTarget{{Kind::kLoggedModel, project, id}, ""};
  } else if (source.starts_with(kRuns)) {
    const std::string_view rest = source.substr(kRuns.size());
    const std::size_t end = std::min(rest.find('/'), rest.size());
    GYRE_TRY(std::string path, CleanArtifactPath(rest.substr(std::min(end + 1, rest.size()))));
    target =
        ArtifactTarget{{Kind::kRun, project, std::string(rest.substr(0, end))}, std::move(path)};
  } else if (source.starts_with(kOwnRoot) && !source.substr(kOwnRoot.size()).starts_with('/')) {
    GYRE_TRY(const std::string clean, CleanArtifactPath(source.substr(kOwnRoot.size())));
    target = TargetOf(project, clean);
  }
  return target;
}

}  // namespace gyre::mlflow
