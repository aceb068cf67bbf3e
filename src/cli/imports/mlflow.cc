// MLflow: experiments, runs and registered models with their ids, dates and files.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "cli/imports/importer.h"
#include "cli/imports/logged_models.h"
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
    // A database elsewhere has no folder beside it.
    if (!path.empty()) here_ = exec::FolderExists(path) ? path : FolderOf(path);
    if (work.in.Has("files")) {
      served_ = config::AbsolutePath(work.in.Get("files"));
    } else if (!here_.empty()) {
      served_ = here_ + "/mlartifacts";
    }
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
    GYRE_TRY(const auto models, store_.LoggedModelsOf(experiment));
    for (const std::string& id : models) GYRE_DO(BringModelOf(experiment, id, here));
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
    GYRE_TRY(run.files, FilesAt(stored.artifact_root, "run " + run.name));
    roots_[id] = stored.said_root.empty() ? stored.artifact_root : stored.said_root;
    RememberFlavors(fmt::format("runs:/{}/", id), run.files);
    return BringRun(work_, run);
  }

  Result<> BringModelOf(const StoredExperiment& experiment, const std::string& id,
                        const Json& here) {
    GYRE_TRY(const StoredLoggedModel model, store_.ReadLoggedModel(experiment, id));
    GYRE_TRY(const auto files, FilesAt(model.artifact_root, "logged model " + model.name));
    const std::string source = "models:/" + model.id;
    for (const std::string& root : {model.artifact_root, model.said_root})
      if (!root.empty()) models_[root] = source;
    RememberFlavors(source + "/", files);
    return BringLoggedModel(work_, model, here["number"].AsInt(experiment.number), files);
  }

  // Files of this machine beside the store, or where whoever imports says that they are: the store
  // itself may come from somebody else, and name any folder.
  Result<std::map<std::string, std::string>> FilesAt(const std::string& root,
                                                     const std::string& owner) {
    std::map<std::string, std::string> found;
    const std::string folder = LocalPathOf(root, here_, served_);
    const std::string name = "files of " + owner;
    if (folder.empty()) {
      if (!root.empty()) work_.report.NotTaken(name, "they lie elsewhere: " + root);
      return found;
    }
    if (!IsBelow(folder, here_) && !IsBelow(folder, served_)) {
      work_.report.NotTaken(
          name,
          fmt::format("{} is not beside the store: --files FOLDER says where they are", folder));
      return found;
    }
    GYRE_TRY(const auto files, exec::ListFiles(folder, kFilesMax));
    for (const exec::FileEntry& file : files) found[file.path] = folder + "/" + file.path;
    return found;
  }

  // What an MLmodel says can open the files beside it.
  void RememberFlavors(const std::string& source, const std::map<std::string, std::string>& files) {
    constexpr std::string_view kName = "MLmodel";
    for (const auto& [path, file] : files) {
      if (path != kName && !path.ends_with(fmt::format("/{}", kName))) continue;
      const auto text = exec::ReadFile(file, 1 << 20);
      const auto model = text ? config::ParseYaml(*text, path) : Result<Json>(Json());
      if (!model) continue;
      std::string place = source + path.substr(0, path.size() - kName.size());
      place.pop_back();
      std::vector<std::string>& flavors = flavors_[place];
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
      // Whoever died after it was made has not said where it stands.
      GYRE_DO(Place(model, version, (*before)["model_version"]["current_stage"].AsString()));
      work_.report.There(name, source);
      return {};
    }
    auto brought = work_.session.Post(work_.project_path() + "/history/model-versions",
                                      BodyOf(model, version, source));
    if (brought) {
      if (const auto placed = Place(model, version, ""); !placed) brought = placed.error();
    }
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
    const auto logged = models_.find(version.source);
    if (logged != models_.end()) return logged->second;
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

  // Its stage, and the aliases that name it, where nobody here has said another.
  Result<> Place(const StoredModel& model, const StoredVersion& version, std::string_view stage) {
    const bool has_none = stage.empty() || stage == "None";
    if (has_none && !version.stage.empty() && version.stage != "None")
      GYRE_DO(TellAsMlflow(work_, "model-versions/transition-stage",
                           Json::Obj({{"name", model.title},
                                      {"version", fmt::format("{}", version.number)},
                                      {"stage", version.stage},
                                      {"archive_existing_versions", false}})));
    for (const auto& [alias, number] : model.aliases) {
      if (number != version.number) continue;
      GYRE_TRY(const bool there, HasAlias(model, alias));
      if (there) continue;
      GYRE_DO(TellAsMlflow(work_, "registered-models/alias",
                           Json::Obj({{"name", model.title},
                                      {"alias", alias},
                                      {"version", fmt::format("{}", version.number)}})));
    }
    return {};
  }

  Result<bool> HasAlias(const StoredModel& model, const std::string& alias) {
    GYRE_TRY(const Json here, work_.session.Get(fmt::format(
                                  "/p/{}/api/2.0/mlflow/registered-models/get?name={}",
                                  PercentEncode(work_.in.project()), PercentEncode(model.title))));
    return std::ranges::any_of(here["registered_model"]["aliases"].items(),
                               [&](const Json& one) { return one["alias"].AsString() == alias; });
  }

  Work& work_;
  MlflowStore& store_;
  std::string here_, served_;
  std::map<std::string, std::string> models_;  // where the files of a logged model were -> which
  std::map<std::string, std::string> roots_;   // run -> where its files were
  std::map<std::string, std::vector<std::string>> flavors_;  // source -> what opens it
};

}  // namespace

bool IsMlflow(const std::string& path) {
  if (IsMlflowServer(path) || IsMlflowPostgres(path)) return true;
  return exec::FolderExists(path) ? IsMlflowFolder(path) : IsMlflowDatabase(path);
}

Result<> BringMlflow(Work& work) {
  if (IsMlflowServer(work.path)) {
    const std::string files = work.scratch + "/files";
    GYRE_TRY(const auto server, OpenMlflowServer(work.path, files));
    return Importing(work, files, *server).All();
  }
  if (IsMlflowPostgres(work.path)) {
    GYRE_TRY(const auto store, OpenMlflowPostgres(work.path));
    return Importing(work, "", *store).All();
  }
  const std::string path = config::AbsolutePath(work.path);
  GYRE_TRY(const auto store,
           exec::FolderExists(path) ? OpenMlflowFolder(path) : OpenMlflowDatabase(path));
  return Importing(work, path, *store).All();
}

}  // namespace gyre::cli::imports
