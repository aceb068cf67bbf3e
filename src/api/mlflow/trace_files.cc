#include "api/mlflow/trace_files.h"

#include "api/mlflow/artifact_target.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/traces_words.h"

namespace gyre::mlflow {
namespace {

// Files of runs and logged models have owners of their own.
std::string FolderOf(const std::string& project, const std::string& place) {
  const auto target = TargetOfSource(project, place);
  if (!target || !*target || (*target)->owner.kind != tracking::FileOwner::Kind::kProject)
    return "";
  return (*target)->path;
}

}  // namespace

std::string TraceFolder(const tracking::Experiment& experiment, std::string_view trace_id) {
  return FolderOf(experiment.project, TraceArtifactUri(experiment, trace_id));
}

Result<> RemoveFilesOf(traces::Traces& traces, tracking::Files& files,
                       const tracking::Experiment& experiment) {
  traces::TraceDeletion all{.project = experiment.project, .experiment = experiment.number};
  all.folder = [&](std::string_view id) { return TraceFolder(experiment, id); };
  GYRE_DO(traces.Delete(all));
  const std::string folder = FolderOf(experiment.project, ArtifactUri(experiment));
  if (!experiment.artifact_root.empty() || folder.empty()) return {};
  GYRE_DO(files.Remove({tracking::FileOwner::Kind::kProject, experiment.project}, folder));
  return {};
}

}  // namespace gyre::mlflow
