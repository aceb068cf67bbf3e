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

// LightGBM's text and XGBoost's JSON have endings that say nothing.
bool BeginsLikeOne(const std::string& path) {
  const auto begin = exec::ReadFilePart(path, 0, 64);
  return begin && (begin->starts_with("tree\n") || begin->starts_with("{\"learner\""));
}

std::string ModelNameOf(const Work& work) {
  if (work.in.Has("name")) return work.in.Get("name");
  std::string name = work.path.substr(work.path.rfind('/') + 1);
  name.resize(name.size() - EndingOf(name).size());
  return DatasetNameOf(name);
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

}  // namespace

bool IsModel(const std::string& path) {
  return exec::FileExists(path) && !exec::FolderExists(path) &&
         (!EndingOf(path).empty() || BeginsLikeOne(path));
}

Result<> BringModel(Work& work) {
  const std::string name = work.path.substr(work.path.rfind('/') + 1), model = ModelNameOf(work);
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
                               work.path, work.out));
  if (answer["unchanged"].AsBool()) {
    work.report.There(name, answer["reference"].AsString());
  } else {
    work.report.Taken(name, DetailOf(answer));
  }
  ReportNames(work, name, answer["facts"]);
  return {};
}

}  // namespace gyre::cli::imports
