#include "api/mlflow/version_files.h"

#include "api/mlflow/artifact_target.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"
#include "platform/blob/blob_store.h"

namespace gyre::mlflow {
namespace {

constexpr std::size_t kFlavorsMax = 50, kFlavorBytesMax = 100;
constexpr std::int64_t kMlmodelBytesMax = 1'000'000;

Result<std::string> RunRoot(tracking::Tracking& tracking, const std::string& project,
                            const std::string& run_id) {
  const auto run = tracking.GetRunById(run_id);
  if (!run && run.error().code() == Code::kNotFound) return std::string();
  if (!run) return run.error();
  return run->project == project ? ArtifactUri(*run) : std::string();
}

// What is said of a logged model; empty where there is none.
Result<std::string> OfModel(tracking::LoggedModels& models, const std::string& project,
                            const std::string& id,
                            std::string (*say)(const tracking::LoggedModel&)) {
  const auto model = models.Get(project, id);
  if (!model && model.error().code() == Code::kNotFound) return std::string();
  if (!model) return model.error();
  return say(*model);
}

Result<std::string> ReadMlmodel(tracking::Files& files, blob::Store& blobs,
                                const std::string& project, const std::string& source) {
  GYRE_TRY(const auto target, TargetOfSource(project, source));
  if (!target) return std::string();
  const std::string path = target->path.empty() ? "MLmodel" : target->path + "/MLmodel";
  const auto file = files.Get(target->owner, path);
  if (!file && file.error().code() == Code::kNotFound) return std::string();
  if (!file) return file.error();
  if (file->object.size_bytes > kMlmodelBytesMax) return std::string();
  return blobs.Get(file->object.digest);
}

}  // namespace

VersionFiles FilesOfRuns(tracking::Tracking& tracking, tracking::LoggedModels& models,
                         tracking::Files& files, blob::Store& blobs) {
  VersionFiles made;
  made.run_root = [&tracking](const std::string& project, const std::string& id) {
    return RunRoot(tracking, project, id);
  };
  made.model_root = [&models](const std::string& project, const std::string& id) {
    return OfModel(models, project, id,
                   [](const tracking::LoggedModel& m) { return ArtifactUri(m); });
  };
  made.model_run = [&models](const std::string& project, const std::string& id) {
    return OfModel(models, project, id, [](const tracking::LoggedModel& m) { return m.run_id; });
  };
  made.mlmodel = [&files, &blobs](const std::string& project, const std::string& source) {
    return ReadMlmodel(files, blobs, project, source);
  };
  return made;
}

std::vector<std::string> FlavorsOf(std::string_view mlmodel) {
  std::vector<std::string> flavors;
  bool inside = false;
  std::size_t indent = 0;
  for (const std::string_view line : Split(mlmodel, '\n')) {
    const std::size_t spaces = line.find_first_not_of(' ');
    if (spaces == std::string_view::npos) continue;
    if (spaces == 0) {
      inside = line.starts_with("flavors:");
      continue;
    }
    if (!inside) continue;
    if (indent == 0) indent = spaces;
    const std::size_t colon = line.find(':');
    if (spaces != indent || colon == std::string_view::npos) continue;
    const std::string_view name = Trim(line.substr(0, colon));
    if (name.size() <= kFlavorBytesMax && IsValidUtf8(name) && flavors.size() < kFlavorsMax)
      flavors.emplace_back(name);
  }
  return flavors;
}

}  // namespace gyre::mlflow
