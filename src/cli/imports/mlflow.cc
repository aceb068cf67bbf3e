// MLflow: experiments, runs and registered models with their ids, dates and files.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "cli/imports/importer.h"
#include "cli/imports/mlflow_store.h"
#include "cli/imports/runs.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::size_t kFilesMax = 1'000'000;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return !folder.empty() && path.starts_with(folder + "/");
}

class Importing {
 public:
  Importing(Work& work, const std::string& path, MlflowStore& store) : work_(work), store_(store) {
    here_ = exec::FolderExists(path) ? path : FolderOf(path);
    served_ =
        work.in.Has("files") ? config::AbsolutePath(work.in.Get("files")) : here_ + "/mlartifacts";
  }

  Result<> All() {
    GYRE_TRY(const auto experiments, store_.Experiments());
    for (const StoredExperiment& experiment : experiments) GYRE_DO(Bring(experiment));
    GYRE_TRY(const auto models, store_.Models());
    for (const StoredModel& model : models) GYRE_DO(Bring(model));
    GYRE_TRY(const auto others, store_.Others());
    for (const auto& [name, count] : others) {
      if (count > 0)
        work_.report.NotTaken(name, fmt::format("{} of them: the import knows none", count));
    }
    return {};
  }

 private:
  // --- experiments and runs ----------------------------------------------------------------------
  Result<> Bring(const StoredExperiment& experiment) {
    const std::string name = "experiment " + experiment.title;
    Json here;
    if (work_.in.dry_run()) {
      work_.report.WouldTake(name, "");
    } else {
      GYRE_TRY(here, work_.session.Post(work_.project_path() + "/history/experiments",
                                        BodyOf(experiment)));
      const std::int64_t number = here["number"].AsInt();
      if (number != experiment.number && experiment.number != 0)
        work_.report.There(
            name, fmt::format("its number is {}: {} was another's", number, experiment.number));
    }
    GYRE_TRY(const auto ids, store_.RunsOf(experiment));
    for (const std::string& id : ids) GYRE_DO(BringRunOf(experiment, id, here));
    if (experiment.deleted && here.is_object() && here["deleted_at"].is_null())
      return TellAsMlflow(
          work_, "experiments/delete",
          Json::Obj({{"experiment_id", fmt::format("{}", here["number"].AsInt())}}));
    return {};
  }

  static Json BodyOf(const StoredExperiment& experiment) {
    Json body = Json::Obj({{"title", experiment.title}, {"number", experiment.number}});
    Json tags = Json::Obj();
    for (const auto& [key, value] : experiment.tags) tags.Set(key, value);
    body.Set("tags", std::move(tags));
    if (experiment.created_us > 0) body.Set("created_at", FormatTime(experiment.created_us));
    return body;
  }

  Result<> BringRunOf(const StoredExperiment& experiment, const std::string& id, const Json& here) {
    GYRE_TRY(StoredRun stored, store_.ReadRun(experiment, id));
    RunSource& run = stored.run;
    run.key = "mlflow:" + id;
    run.id = id;
    run.importer = "mlflow";
    run.origin = id;
    run.experiment = experiment.title;
    if (here.is_object()) run.experiment_number = here["number"].AsInt();
    if (run.name.empty()) run.name = id.substr(0, 8);
    GYRE_DO(AddFiles(stored.artifact_root, "", &run));
    std::set<std::string> names;
    for (const StoredLoggedModel& model : stored.models) {
      std::string name = model.name.empty() ? model.id : model.name;
      if (!names.insert(name).second) name += "-" + model.id.substr(0, 8);
      GYRE_DO(AddFiles(model.artifact_root, name + "/", &run));
      sources_[model.id] = fmt::format("runs:/{}/{}", id, name);
    }
    roots_[id] = stored.said_root.empty() ? stored.artifact_root : stored.said_root;
    RememberFlavors(run);
    return BringRun(work_, run);
  }

  // Files of this machine beside the store, or where whoever imports says that they are: the store
  // itself may come from somebody else, and name any folder.
  Result<> AddFiles(const std::string& root, const std::string& prefix, RunSource* run) {
    const std::string folder = LocalPathOf(root, here_, served_);
    const std::string name = fmt::format("files of run {}", run->name);
    if (folder.empty()) {
      if (!root.empty()) work_.report.NotTaken(name, "they lie elsewhere: " + root);
      return {};
    }
    if (!IsBelow(folder, here_) && !IsBelow(folder, served_)) {
      work_.report.NotTaken(
          name,
          fmt::format("{} is not beside the store: --files FOLDER says where they are", folder));
      return {};
    }
    GYRE_TRY(const auto files, exec::ListFiles(folder, kFilesMax));
    for (const exec::FileEntry& file : files)
      run->files[prefix + file.path] = folder + "/" + file.path;
    return {};
  }

  // What an MLmodel says can open the files beside it.
  void RememberFlavors(const RunSource& run) {
    constexpr std::string_view kName = "/MLmodel";
    for (const auto& [path, file] : run.files) {
      if (!path.ends_with(kName)) continue;
      const auto text = exec::ReadFile(file, 1 << 20);
      const auto model = text ? config::ParseYaml(*text, path) : Result<Json>(Json());
      if (!model) continue;
      std::vector<std::string>& flavors =
          flavors_[fmt::format("runs:/{}/{}", run.id, path.substr(0, path.size() - kName.size()))];
      for (const auto& [flavor, about] : (*model)["flavors"].members()) flavors.push_back(flavor);
    }
  }

  // --- models ------------------------------------------------------------------------------------
  Result<> Bring(const StoredModel& model) {
    const std::string name = "model " + model.title;
    if (work_.in.dry_run()) {
      work_.report.WouldTake(name, fmt::format("{} versions", model.versions.size()));
      return {};
    }
    Json tags = Json::Obj();
    for (const auto& [key, value] : model.tags) tags.Set(key, value);
    const auto made = work_.session.Post(
        work_.project_path() + "/models",
        Json::Obj({{"title", model.title}, {"description", model.description}, {"tags", tags}}));
    if (!made && made.error().code() == Code::kInvalidArgument) {
      work_.report.Failed(name, made.error());
      return {};
    }
    if (!made && made.error().code() != Code::kAlreadyExists) return made.error();
    if (made) work_.report.Taken(name, "");
    for (const StoredVersion& version : model.versions) GYRE_DO(Bring(model, version));
    return {};
  }

  Result<> Bring(const StoredModel& model, const StoredVersion& version) {
    const std::string name = fmt::format("model {} version {}", model.title, version.number);
    const std::string source = SourceOf(version);
    const auto before = work_.session.Get(PathOf(model, version));
    if (before) {
      work_.report.There(name, source);
      return {};
    }
    auto brought = work_.session.Post(work_.project_path() + "/history/model-versions",
                                      BodyOf(model, version, source));
    if (brought) brought = Place(model, version);
    if (brought) {
      work_.report.Taken(name, source);
      return {};
    }
    const Code code = brought.error().code();
    if (code == Code::kUnavailable || code == Code::kPermissionDenied) return brought.error();
    work_.report.Failed(name, brought.error());
    return {};
  }

  std::string PathOf(const StoredModel& model, const StoredVersion& version) const {
    return fmt::format("/p/{}/api/2.0/mlflow/model-versions/get?name={}&version={}",
                       PercentEncode(work_.in.project()), PercentEncode(model.title),
                       version.number);
  }

  // In our words where the files are: those of its run, where they were copied to.
  std::string SourceOf(const StoredVersion& version) const {
    constexpr std::string_view kModels = "models:/";
    if (version.source.starts_with(kModels)) {
      const auto logged = sources_.find(version.source.substr(kModels.size()));
      if (logged != sources_.end()) return logged->second;
    }
    const auto root = roots_.find(version.run_id);
    if (root != roots_.end() && IsBelow(version.source, root->second))
      return fmt::format("runs:/{}/{}", version.run_id,
                         version.source.substr(root->second.size() + 1));
    if (root != roots_.end()) {
      const std::string folder = LocalPathOf(root->second, here_, served_);
      const std::string place = LocalPathOf(version.source, here_, served_);
      if (IsBelow(place, folder))
        return fmt::format("runs:/{}/{}", version.run_id, place.substr(folder.size() + 1));
    }
    return version.source;
  }

  Json BodyOf(const StoredModel& model, const StoredVersion& version,
              const std::string& source) const {
    Json tags = Json::Obj(), flavors = Json::Arr();
    for (const auto& [key, value] : version.tags) tags.Set(key, value);
    if (const auto found = flavors_.find(source); found != flavors_.end()) {
      for (const std::string& flavor : found->second) flavors.Push(flavor);
    }
    Json body = Json::Obj({{"title", model.title},
                           {"number", version.number},
                           {"source", source},
                           {"run", version.run_id},
                           {"run_link", version.run_link},
                           {"description", version.description},
                           {"flavors", std::move(flavors)},
                           {"tags", std::move(tags)}});
    if (version.created_us > 0) body.Set("created_at", FormatTime(version.created_us));
    if (!version.created_by.empty()) body.Set("created_by", version.created_by);
    return body;
  }

  // Its stage, and the aliases that name it.
  Result<Json> Place(const StoredModel& model, const StoredVersion& version) {
    if (!version.stage.empty() && version.stage != "None")
      GYRE_DO(TellAsMlflow(work_, "model-versions/transition-stage",
                           Json::Obj({{"name", model.title},
                                      {"version", fmt::format("{}", version.number)},
                                      {"stage", version.stage},
                                      {"archive_existing_versions", false}})));
    for (const auto& [alias, number] : model.aliases) {
      if (number != version.number) continue;
      GYRE_DO(TellAsMlflow(work_, "registered-models/alias",
                           Json::Obj({{"name", model.title},
                                      {"alias", alias},
                                      {"version", fmt::format("{}", version.number)}})));
    }
    return Json::Obj();
  }

  Work& work_;
  MlflowStore& store_;
  std::string here_, served_;
  std::map<std::string, std::string> sources_;  // logged model -> where its files are now
  std::map<std::string, std::string> roots_;    // run -> where its files were
  std::map<std::string, std::vector<std::string>> flavors_;  // source -> what opens it
};

}  // namespace

bool IsMlflow(const std::string& path) {
  if (IsMlflowServer(path)) return true;
  return exec::FolderExists(path) ? IsMlflowFolder(path) : IsMlflowDatabase(path);
}

Result<> BringMlflow(Work& work) {
  if (IsMlflowServer(work.path)) {
    const std::string files = work.scratch + "/files";
    GYRE_TRY(const auto server, OpenMlflowServer(work.path, files));
    return Importing(work, files, *server).All();
  }
  const std::string path = config::AbsolutePath(work.path);
  GYRE_TRY(const auto store,
           exec::FolderExists(path) ? OpenMlflowFolder(path) : OpenMlflowDatabase(path));
  return Importing(work, path, *store).All();
}

}  // namespace gyre::cli::imports
