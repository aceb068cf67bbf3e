// gyre import: what people already have, with the dates and ids that the source has, and a report
// of what was not taken. Sources are read here and sent to the API: no server opens a path.
#include <algorithm>
#include <optional>

#include "base/shell.h"
#include "base/text.h"
#include "cli/datasets_text.h"
#include "cli/imports/importer.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr Importer kImporters[] = {
    {"dvc", "a DVC repository: datasets with their versions", IsDvc, BringDvc},
    {"neptune", "neptune's Parquet exports: runs with their metrics, params, tags and files",
     IsNeptune, BringNeptune},
    {"mlflow",
     "MLflow's store in SQLite or PostgreSQL, `mlruns` folder or live server: experiments, runs, "
     "logged and registered models, "
     "files",
     IsMlflow, BringMlflow},
    {"tensorboard", "runs with their metrics, hyperparameters and texts", IsTensorBoard,
     BringTensorBoard},
    {"model", "model files of LightGBM, XGBoost, ONNX and scikit-learn", IsModel, BringModel},
    {"folder", "tables (CSV, JSON, Parquet) as datasets, model files as models", IsFolder,
     BringFolder},
};

struct ScratchFolder {
  std::string path;
  ~ScratchFolder() {
    if (!path.empty()) (void)exec::RemoveTree(path).has_value();
  }
};

std::string KnownKinds() {
  std::string text;
  for (const Importer& importer : kImporters)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", importer.name);
  return text;
}

Result<const Importer*> ImporterOf(const std::string& kind, const std::string& path) {
  for (const Importer& importer : kImporters) {
    if (kind.empty() ? importer.detects(path) : importer.name == kind) return &importer;
  }
  if (!kind.empty())
    return InvalidArgument("GY4951", "`{}` is nothing that gyre imports", kind)
        .Fix("one of " + KnownKinds());
  return InvalidArgument("GY4952", "{} holds nothing that gyre knows how to import", path)
      .Why("it was looked at for " + KnownKinds())
      .Fix(fmt::format("gyre import KIND {}    (says what it should be)", ShellWord(path)));
}

std::string Summary(const Report& report) {
  std::string text;
  for (const std::string_view state : {"taken", "would take", "there", "not taken", "failed"}) {
    const int count = report.Count(state);
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        state == "there" ? "there already" : state);
  }
  return text.empty() ? "nothing to take" : text;
}

Result<std::map<std::string, std::string>> RenamedBy(const std::vector<std::string>& as) {
  std::map<std::string, std::string> renamed;
  for (const std::string& item : as) {
    const std::size_t equals = item.rfind('=');
    if (equals == std::string::npos || equals == 0)
      return InvalidArgument("GY4954", "`--as {}` names no dataset", item)
          .Fix("--as sales.csv=sales-2024    (a table as the report calls it, its dataset)");
    std::string dataset = item.substr(equals + 1);
    GYRE_DO(CheckName("dataset", dataset));
    renamed[item.substr(0, equals)] = std::move(dataset);
  }
  return renamed;
}

Result<int> ImportFrom(Invocation& in, const std::string& kind, const std::string& path) {
  if (!exec::FolderExists(path) && !exec::FileExists(path) && path.find("://") == path.npos)
    return NotFound("GY4061", "there is no file or folder {}", path);
  GYRE_TRY(const Importer* const importer, ImporterOf(kind, path));
  GYRE_TRY(auto renamed, RenamedBy(in.List("as")));
  GYRE_TRY(Session* const session, in.session());
  ScratchFolder scratch;
  GYRE_TRY(scratch.path, exec::MakeTemporaryDirectory());
  Work work{in, *session, in.out(), path, scratch.path, {}, std::move(renamed)};
  const auto brought = importer->bring(work);
  for (const auto& [thing, name] : work.renamed) {
    if (brought && !work.met.contains(thing))
      work.report.Refused(thing,
                          fmt::format("--as {}={}: the source has no such table", thing, name));
  }
  // What was taken until then is there, whatever came afterwards.
  if (brought || work.report.rows().size() > 0)
    in.out().Table({{"STATE", "state"}, {"WHAT", "name"}, {"", "detail"}}, work.report.rows(),
                   "name");
  if (!brought) return brought.error();
  in.out().Note(fmt::format("{}: {}", importer->name, Summary(work.report)));
  return work.report.all_well() ? 0 : 1;
}

std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<int> Import(Invocation& in) {
  const bool has_kind = in.Has("PATH");
  std::string path = WithoutSlashes(in.Get(has_kind ? "PATH" : "SOURCE"));
  constexpr std::string_view kSqlite = "sqlite:///";  // a fourth slash begins the path
  if (path.starts_with(kSqlite)) path.erase(0, kSqlite.size());
  return ImportFrom(in, has_kind ? in.Get("SOURCE") : "", path);
}

// What MLflow's client has logged while no server was there.
Result<int> Sync(Invocation& in) {
  const std::string folder = WithoutSlashes(in.Has("DIR") ? in.Get("DIR") : ".");
  std::optional<int> code;
  for (const std::string& path : {folder, folder + "/mlflow.db", folder + "/mlruns"}) {
    if (!IsMlflow(path)) continue;
    GYRE_TRY(const int ended, ImportFrom(in, "mlflow", path));
    code = std::max(code.value_or(0), ended);
  }
  if (code) return *code;
  return NotFound("GY4959", "{} is no folder that MLflow logs into", folder)
      .Why("it is no mlruns folder, and holds neither mlruns nor mlflow.db");
}

constexpr Positional kSource[] = {
    {"SOURCE", "a folder, a file, a server or database of MLflow; before it, its kind if you like",
     true, false, "file"},
    {"PATH", "when a kind was given: the folder or file", false, false, "file"}};
constexpr Option kOptions[] = {
    {"--name", "NAME", "of the experiment or dataset; default: that of the folder or file"},
    {"--one", "NAME", "folder: all its files are one dataset"},
    {"--as",
     "TABLE=DATASET",
     "a table of a folder or DVC repository, or a model file of a folder, under another name; "
     "repeat "
     "it",
     {},
     true},
    {"--join",
     "DATASET",
     "tables may become its next version though their columns differ; repeat it",
     {},
     true,
     "datasets"},
    {"--bad", "HOW", "tables: cells that are not of their column's type: error, null, quarantine"},
    {"--type", "COLUMN=TYPE", "tables: as in gyre add; repeat it for more", {}, true},
    {"--files",
     "FOLDER",
     "neptune: the files of the export (default: `files` beside its data); mlflow: those that a "
     "server keeps (default: `mlartifacts` beside its store)",
     {},
     false,
     "file"},
    {"--target", "COLUMN", "model: what it predicts; most files do not say it"},
    {"--class", "NAME", "model: of its classes, in the order of its labels; repeat it", {}, true},
    {"--dataset", "DATASET", "model: whose columns it reads", {}, false, "datasets"},
};

constexpr Positional kDir[] = {
    {"DIR", "a folder mlruns, a file mlflow.db, or where they lie (default: here)", false, false,
     "file"}};
constexpr Option kSyncOptions[] = {
    {"--files",
     "FOLDER",
     "what a server kept (default: `mlartifacts` beside its store)",
     {},
     false,
     "file"},
};

constexpr Command kCommands[] = {
    {"sync", "Bring what MLflow's client logged into a folder; again takes only news",
     "gyre sync\ngyre sync ../study/mlruns\ngyre sync mlflow.db", kDir, kSyncOptions, Sync, false,
     true},
    {"import", "Bring datasets, runs and models that other tools made; again takes only news",
     "gyre import exports/\ngyre import exports/ --one sales\ngyre import tensorboard runs/ --name "
     "vision\ngyre import dvc ../forecasts\ngyre import neptune exports/\ngyre import mlflow "
     "sqlite:///mlflow.db\ngyre import mlflow postgresql://reader@db.example.org/mlflow --files "
     "/srv/mlartifacts\ngyre import model "
     "churn.ubj --name churn --target "
     "churned",
     kSource, kOptions, Import, false, true},
};

}  // namespace

std::span<const Importer> Importers() { return kImporters; }

void Report::Failed(std::string_view name, const Error& error) {
  std::string detail = fmt::format("{} {}", error.gy(), error.message());
  if (!error.fixes().empty()) detail += "; fix: " + error.fixes()[0];
  Add("failed", name, detail);
}

int Report::Count(std::string_view state) const {
  int count = 0;
  for (const Json& row : rows_.items()) count += row["state"].AsString() == state ? 1 : 0;
  return count;
}

std::string Work::project_path() const { return "/api/v1/projects/" + PercentEncode(in.project()); }

std::string Work::name() const {
  if (in.Has("name")) return in.Get("name");
  const std::string last = path.substr(path.rfind('/') + 1);
  return DatasetNameOf(last == "." || last == ".." ? "imported" : last);
}

std::string Work::NameHere(const std::string& thing, std::string name) {
  met.insert(thing);
  const auto found = renamed.find(thing);
  return found == renamed.end() ? std::move(name) : found->second;
}

Result<> TellAsMlflow(Work& work, std::string_view what, const Json& body) {
  const std::string path =
      fmt::format("/p/{}/api/2.0/mlflow/{}", PercentEncode(work.in.project()), what);
  GYRE_TRY([[maybe_unused]] const Json told, work.session.Post(path, body));
  return {};
}

Result<Json> GetOrNull(Session& session, const std::string& path) {
  auto answer = session.Get(path);
  if (!answer && answer.error().code() == Code::kNotFound) return Json();
  return answer;
}

}  // namespace gyre::cli::imports

namespace gyre::cli {

std::span<const Command> ImportCommands() { return imports::kCommands; }

}  // namespace gyre::cli
