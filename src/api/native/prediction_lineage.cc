#include "api/native/prediction_lineage.h"

#include <map>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/trash/trash.h"
#include "ml/data/datasets.h"
#include "ml/inference_log/inference_log.h"
#include "ml/pipelines/pipelines.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

constexpr int kListed = 1000;
constexpr std::size_t kIdDigits = 32;

Json TimeOrNull(std::int64_t time_us) { return time_us == 0 ? Json() : Json(FormatTime(time_us)); }

void Unknown(Json* document, std::string what) {
  Json list = (*document)["unknown"];
  list.Push(std::move(what));
  document->Set("unknown", std::move(list));
}

// Why a row may be missing, by endpoint.
std::string WhyMissing(const inference_log::CaptureStatus& status) {
  std::string why;
  const auto add = [&](std::int64_t rows, std::string_view what) {
    if (rows > 0) why += fmt::format("{}{} {}", why.empty() ? "" : ", ", GroupDigits(rows), what);
  };
  add(status.left_out, "rows left out by sampling");
  add(status.dropped, "dropped");
  add(status.expired, "removed by retention");
  if (!status.policy.on) why += fmt::format("{}capture is off", why.empty() ? "" : ", ");
  return why.empty() ? why : fmt::format("{}: {}", status.endpoint, why);
}

Error NotKnown(const std::string& project, const std::string& id, std::string_view because,
               const std::string& missing) {
  return NotFound("GY4113", "no answer with the id `{}` is known in project {}", id, project)
      .Why(fmt::format("it is not captured, and {}{}{}", because,
                       missing.empty() ? "" : "; rows that are not here: ", missing))
      .Fix("gyre captures ENDPOINT    (shows what is kept, and what was left out)");
}

Json CodeOf(const tracking::Run& run, bool has_diff) {
  if (run.code["commit"].is_null()) return {};
  Json code = run.code;
  code.Set("diff", has_diff ? Json("code/changes.diff") : Json());
  return code;
}

}  // namespace

Result<PredictionLineage::Answer> PredictionLineage::Find(const std::string& project,
                                                          const std::string& id) {
  GYRE_TRY(const inference_log::Trace trace, log_.Find(project, id));
  Answer answer;
  answer.document = Json::Obj({{"id", id},
                               {"captured", trace.captured},
                               {"matches", trace.matches},
                               {"unknown", Json::Arr()}});
  if (trace.captured) {
    GYRE_DO(TellCaptured(project, trace, &answer));
  } else {
    GYRE_DO(TellUncaptured(project, trace, &answer));
  }
  for (const std::string& problem : trace.problems) Unknown(&answer.document, problem);
  if (!answer.model_version_id.empty()) TellModel(project, &answer);
  return answer;
}

Result<> PredictionLineage::TellCaptured(const std::string& project,
                                         const inference_log::Trace& trace, Answer* answer) {
  Json& document = answer->document;
  document.Set("endpoint", trace.endpoint)
      .Set("role", trace.role)
      .Set("prediction", trace.prediction)
      .Set("label", trace.label)
      .Set("label_time", trace.label_time)
      .Set("event_time", FormatTime(trace.event_us))
      .Set("received_at", FormatTime(trace.received_us))
      .Set("latency_us", trace.latency_us);
  answer->model_version_id = trace.model_version_id;
  document.Set("model_name", trace.model);
  document.Set("deployment", DeploymentOf(project, trace.endpoint, trace.deployment_id));
  if (document["deployment"].is_null())
    Unknown(&document, fmt::format("who deployed {}: endpoint {} has been removed or made anew",
                                   trace.model, trace.endpoint));
  if (trace.matches > 1)
    Unknown(&document, fmt::format("which of {} answers with that id is meant: the newest is shown",
                                   trace.matches));
  return {};
}

Json PredictionLineage::DeploymentOf(const std::string& project, const std::string& endpoint,
                                     const std::string& deployment_id) {
  const auto history = serving_.History(project, endpoint, kListed);
  if (!history) return {};
  for (const serving::Deployment& one : *history) {
    if (one.id == deployment_id) return serving::DeploymentToJson(one);
  }
  return {};
}

// What may have answered in that time: each endpoint's deployments that stood then.
Result<Json> PredictionLineage::Candidates(const std::string& project, std::int64_t from_us,
                                           std::int64_t to_us) {
  Json candidates = Json::Arr();
  GYRE_TRY(const auto endpoints, serving_.List(project, kListed, ""));
  for (const serving::Endpoint& endpoint : endpoints) {
    GYRE_TRY(const auto history, serving_.History(project, endpoint.name, kListed));
    std::map<std::string, std::int64_t> until;  // variant -> when the next one took its place
    for (const serving::Deployment& one : history) {
      const auto next = until.find(one.variant);
      const bool stood =
          one.created_us <= to_us && (next == until.end() || next->second >= from_us);
      until[one.variant] = one.created_us;
      if (stood) candidates.Push(serving::DeploymentToJson(one).Set("endpoint", endpoint.name));
    }
  }
  return candidates;
}

Result<> PredictionLineage::TellUncaptured(const std::string& project,
                                           const inference_log::Trace& trace, Answer* answer) {
  Json& document = answer->document;
  const std::string& id = document["id"].AsString();
  std::string why;
  GYRE_TRY(const auto kept, log_.List(project));
  for (const inference_log::CaptureStatus& status : kept) {
    const std::string one = WhyMissing(status);
    if (!one.empty()) why += (why.empty() ? "" : "; ") + one;
  }
  if (!LooksLikeId(std::string_view(id).substr(0, kIdDigits)))
    return NotKnown(project, id, "it is not of the kind that gyre gives", why);
  if (trace.after_us == 0 && trace.before_us == 0)
    return NotKnown(project, id, "no answer of the thread that would have given it is kept", why);
  const std::int64_t to_us = trace.before_us == 0 ? INT64_MAX : trace.before_us;
  GYRE_TRY(Json candidates, Candidates(project, trace.after_us, to_us));
  if (candidates.size() == 0)
    return NotKnown(project, id, "no endpoint that stood then is left", why);
  Unknown(&document, "what was asked and answered: the row is not captured" +
                         (why.empty() ? std::string() : " (" + why + ")"));
  document.Set("after", TimeOrNull(trace.after_us)).Set("before", TimeOrNull(trace.before_us));
  if (candidates.size() == 1) {
    const Json& only = candidates.items()[0];
    answer->model_version_id = only["model_version_id"].AsString();
    document.Set("endpoint", only["endpoint"])
        .Set("model_name", only["model"])
        .Set("deployment", only);
    Unknown(&document, "whether it was this project at all: it had only this deployment then");
  } else {
    Unknown(&document,
            fmt::format("which of {} deployments that stood then answered", candidates.size()));
  }
  document.Set("candidates", std::move(candidates));
  return {};
}

// The trash holds a version by its own name, or its whole model.
std::optional<trash::Item> PredictionLineage::ModelInTrash(const std::string& project,
                                                           const std::string& model) {
  for (const std::string& name : {model, model.substr(0, model.find_first_of(":@"))}) {
    if (auto item = trash_.Newest(project, "model", name)) return *std::move(item);
  }
  return std::nullopt;
}

void PredictionLineage::TellModel(const std::string& project, Answer* answer) {
  Json& document = answer->document;
  const auto version = registry_.GetVersion(answer->model_version_id);
  if (!version) {
    const std::string& model = document["model_name"].AsString();
    const auto gone = ModelInTrash(project, model);
    Unknown(&document,
            fmt::format("how {} was made: {}", model,
                        gone ? fmt::format("it lies in the trash until {}: gyre undelete model {}",
                                           FormatTime(gone->until_us), gone->name)
                             : std::string("it has been removed")));
    return;
  }
  const Json whole = registry::VersionToJson(*version);
  Json model = Json::Obj();
  for (const char* key : {"id", "name", "task", "target", "learner", "recipe_hash", "package",
                          "created_by", "created_at"})
    model.Set(key, whole[key]);
  document.Set("model", std::move(model));
  TellGate(*version, &document);
  TellRun(*version, &document);
  TellData(*version, &document);
}

void PredictionLineage::TellGate(const registry::ModelVersion& version, Json* document) {
  constexpr std::string_view kChampion = "champion";
  if (const auto verdict = registry_.LatestVerdict(version.id, kChampion); verdict && *verdict) {
    Json gate = (*verdict)->verdict.ToJson();
    gate.Set("by", (*verdict)->created_by).Set("at", FormatTime((*verdict)->created_us));
    document->Set("gate", std::move(gate));
  } else {
    Unknown(document, "what a gate says of " + version.name() + ": none has judged it");
  }
  const auto moves = registry_.History(version.project, version.model, kChampion, kListed);
  if (!moves) return;
  for (const registry::AliasMove& move : *moves) {
    if (move.version_id != version.id) continue;
    document->Set("promoted", registry::MoveToJson(move));
    return;
  }
}

void PredictionLineage::TellRun(const registry::ModelVersion& version, Json* document) {
  if (version.run_id.empty()) {
    Unknown(document, "which training made " + version.name() + ": it was brought as a file");
    return;
  }
  const auto run = tracking_.GetRun(version.project, version.run_id);
  if (!run) {
    Unknown(document, "which code made " + version.name() + ": its run has been removed");
    return;
  }
  const auto diff = tracking_.GetArtifact(run->id, "code/changes.diff");
  Json facts = tracking::RunToJson(*run);
  Json shown = Json::Obj();
  for (const char* key : {"id", "name", "kind", "parent", "job", "created_by", "started_at", "seed",
                          "source", "environment"})
    shown.Set(key, facts[key]);
  shown.Set("code", CodeOf(*run, diff.has_value()));
  if (shown["code"].is_null() && run->kind == "program")
    Unknown(document, "the code of run " + run->name + ": it ran outside of a git repository");
  document->Set("run", std::move(shown));
}

Json PredictionLineage::PipelineRun(const std::string& id) {
  const auto run = pipelines_.Describe(id, kListed);
  if (!run) return {};
  Json shown = Json::Obj();
  for (const char* key :
       {"id", "pipeline", "version", "state", "triggered_by", "created_by", "created_at"})
    shown.Set(key, (*run)[key]);
  Json code = Json::Arr();
  for (const Json& task : (*run)["tasks"].items()) {
    if (task["kind"].AsString() != "git") continue;
    code.Push(Json::Obj({{"task", task["task"]},
                         {"remote", task["outputs"]["remote"]},
                         {"commit", task["outputs"]["commit"]}}));
  }
  return shown.Set("code", std::move(code));
}

void PredictionLineage::TellData(const registry::ModelVersion& version, Json* document) {
  Json list = Json::Arr();
  for (const registry::DatasetUse& use : version.datasets) {
    const auto data = datasets_.GetVersionById(use.dataset_version_id);
    if (!data) {
      Unknown(document, fmt::format("dataset version {} ({}): it has been removed",
                                    use.dataset_version_id.substr(0, 12), use.role));
      continue;
    }
    list.Push(Json::Obj({{"id", data->id},
                         {"reference", data->reference()},
                         {"role", use.role},
                         {"rows", data->rows},
                         {"content_hash", data->content_hash},
                         {"source_name", data->source_name},
                         {"source_bytes", data->source_bytes},
                         {"source_sha256", data->source_digest},
                         {"created_by", data->created_by},
                         {"created_at", FormatTime(data->created_us)}}));
    if (data->source_digest.empty())
      Unknown(document, fmt::format("the hash of {}: {} was added before it was kept",
                                    data->source_name, data->reference()));
  }
  if (version.datasets.empty())
    Unknown(document, "which data taught " + version.name() + ": nobody has said so");
  document->Set("datasets", std::move(list));
}

}  // namespace gyre::native
