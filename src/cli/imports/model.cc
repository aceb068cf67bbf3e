// Model files: what gyre runs becomes a version that can be deployed, the rest is kept and named.
#include <algorithm>

#include "base/text.h"
#include "cli/datasets_text.h"
#include "cli/imports/importer.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::string_view kEndings[] = {".ubj",    ".xgb", ".onnx", ".joblib",
                                         ".pickle", ".pkl", ".lgb",  ".model"};

std::string_view EndingOf(const std::string& path) {
  for (const std::string_view ending : kEndings) {
    if (path.size() > ending.size() && path.ends_with(ending)) return ending;
  }
  return {};
}

// LightGBM's text and XGBoost's JSON have endings that say nothing; a table may have a column
// `tree` or `learner`.
bool BeginsLikeOne(const std::string& path) {
  const auto begin = exec::ReadFilePart(path, 0, 64);
  if (!begin) return false;
  if (begin->starts_with("tree\nversion=") || begin->starts_with("tree\nnum_class=")) return true;
  std::string dense = *begin;
  std::erase_if(dense, [](char c) { return c == ' ' || c == '\n'; });
  return dense.starts_with(R"({"learner":{)");
}

std::string DetailOf(const Json& answer) {
  const std::string& learner = answer["learner"].AsString();
  std::string detail = fmt::format("{}: {}", answer["reference"].AsString(), learner);
  const Json& facts = answer["facts"];
  if (const std::string& made = facts["class"].AsString(); !made.empty())
    detail += fmt::format(", {}", made.substr(made.rfind('.') + 1));
  if (const std::string& version = facts["sklearn_version"].AsString(); !version.empty())
    detail += ", scikit-learn " + version;
  for (const Json& opset : facts["opsets"].items())
    detail += fmt::format(", {} {}", opset["domain"].AsString(), opset["version"].AsInt());
  if (answer["kept"].AsBool()) detail += "; kept, not run";
  return detail;
}

void ReportNames(Work& work, const std::string& name, const Json& facts) {
  for (const Json& unknown : facts["unknown_names"].items())
    work.report.NotTaken(fmt::format("{}, `{}`", name, unknown.AsString()),
                         "a name of no library of such models: opening the file would load it");
  if (facts["external_data"].AsBool())
    work.report.NotTaken(name + ", its weights", "they lie in files beside it, which it names");
}

Result<> TakeModel(Work& work, const std::string& file, const std::string& name,
                   const std::string& model) {
  GYRE_DO(CheckName("model", model));
  if (work.in.dry_run()) {
    work.report.WouldTake(name, "model " + model);
    return {};
  }
  std::string query = "?note=" + PercentEncode("imported from " + name);
  for (const std::string_view option : {"target", "dataset"}) {
    if (work.in.Has(option))
      query += fmt::format("&{}={}", option, PercentEncode(work.in.Get(option)));
  }
  for (const std::string& one : work.in.List("class")) query += "&class=" + PercentEncode(one);
  GYRE_TRY(const Json answer,
           work.session.Upload(fmt::format("{}/models/{}/versions{}", work.project_path(),
                                           PercentEncode(model), query),
                               file, work.out));
  if (answer["unchanged"].AsBool()) {
    work.report.There(name, answer["reference"].AsString());
  } else {
    work.report.Taken(name, DetailOf(answer));
  }
  ReportNames(work, name, answer["facts"]);
  return {};
}

// All that a folder holds, and only models of it.
Result<> BringModelsOf(Work& work) {
  GYRE_TRY(const auto entries, exec::ListFiles(work.path, 1'000'000));
  std::vector<std::string> models;
  for (const exec::FileEntry& entry : entries) {
    if (LooksLikeModel(work.path + "/" + entry.path))
      models.push_back(entry.path);
    else
      work.report.NotTaken(entry.path, "no model by its name");
  }
  GYRE_DO(BringModelFiles(work, models));
  return ReportLinks(work);
}

}  // namespace

bool LooksLikeModel(const std::string& path) {
  if (path[path.rfind('/') + 1] == '.') return false;  // hidden, like "._churn.onnx"
  return !EndingOf(path).empty() || BeginsLikeOne(path);
}

bool IsModel(const std::string& path) {
  return exec::FileExists(path) && !exec::FolderExists(path) && LooksLikeModel(path);
}

Result<> BringModel(Work& work) {
  if (exec::FolderExists(work.path)) return BringModelsOf(work);
  const std::string name = work.path.substr(work.path.rfind('/') + 1);
  const std::string stem = name.substr(0, name.size() - EndingOf(name).size());
  return TakeModel(work, work.path, name,
                   work.in.Has("name") ? work.in.Get("name") : DatasetNameOf(stem));
}

Result<> BringModelFiles(Work& work, const std::vector<std::string>& names) {
  std::set<std::string> used;
  for (const std::string& name : names) {
    const std::string model = work.NameHere(name, NameOfPath(name, EndingOf(name).size(), &used));
    auto taken = TakeModel(work, work.path + "/" + name, name, model);
    if (taken) continue;
    const Code code = taken.error().code();
    if (code != Code::kInvalidArgument && code != Code::kUnimplemented) return taken;
    work.report.Failed(name, taken.error());
  }
  return {};
}

}  // namespace gyre::cli::imports
