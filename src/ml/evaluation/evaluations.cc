#include "ml/evaluation/evaluations.h"

#include <algorithm>

#include "base/id.h"
#include "ledger/lineage/lineage.h"
#include "ml/evaluation/evaluation_task.h"
#include "ml/evaluation/learned.h"

namespace gyre::evaluation {
namespace {

constexpr std::string_view kJobKind = "evaluation.run", kHoldout = "holdout";
constexpr std::string_view kAllRows = "all", kHeldOutRows = "held out";
constexpr double kLearnedShareMax = 0.1;  // of the rows that a gate judges on
// What may be asked for besides without changing the numbers that a gate judges.
constexpr std::string_view kHarmlessOptions[] = {"slices", "importance", "slice_rows_min"};

StoredEvaluation FromRow(const db::Row& row) {
  StoredEvaluation evaluation;
  evaluation.id = row.Str(0);
  evaluation.project = row.Str(1);
  evaluation.model_version_id = row.Str(2);
  evaluation.other_version_id = row.Str(3);
  evaluation.dataset_version_id = row.Str(4);
  evaluation.rows = row.Str(5);
  evaluation.primary = row.Str(6);
  if (auto metrics = Json::Parse(row.Text(7))) evaluation.metrics = *std::move(metrics);
  evaluation.document = {row.Str(8), row.Int(9)};
  evaluation.created_by = row.Str(10);
  evaluation.created_us = row.Int(11);
  return evaluation;
}

Result<> Insert(db::Transaction& tx, const StoredEvaluation& evaluation, std::string_view metrics) {
  return tx.Execute(
      "INSERT INTO evaluation_record (id, number, project, model_version_id, other_version_id, "
      "dataset_version_id, row_choice, primary_metric, "
      "metrics, document_digest, document_bytes, created_by, created_us) "
      "VALUES (?1, (SELECT COALESCE(MAX(number), 0) + 1 FROM evaluation_record), ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      {evaluation.id, evaluation.project, evaluation.model_version_id, evaluation.other_version_id,
       evaluation.dataset_version_id, evaluation.rows, evaluation.primary, metrics,
       evaluation.document.digest, evaluation.document.size_bytes, evaluation.created_by,
       evaluation.created_us});
}

Result<> WriteLineage(db::Transaction& tx, const StoredEvaluation& evaluation) {
  const auto node = [&](const std::string& id, std::string_view kind) {
    return lineage::EnsureNode(tx, {.id = id,
                                    .kind = std::string(kind),
                                    .label = id.substr(0, 12),
                                    .project = evaluation.project,
                                    .created_us = evaluation.created_us});
  };
  GYRE_DO(node(evaluation.id, "evaluation"));
  for (const std::string& version : {evaluation.model_version_id, evaluation.other_version_id}) {
    if (version.empty()) continue;
    GYRE_DO(node(version, "model_version"));
    GYRE_DO(lineage::AddEdge(tx, version, evaluation.id, "evaluated_in"));
  }
  if (evaluation.dataset_version_id.empty()) return {};
  GYRE_DO(node(evaluation.dataset_version_id, "dataset_version"));
  return lineage::AddEdge(tx, evaluation.dataset_version_id, evaluation.id, "evaluated_on");
}

// Where the rows of one evaluation come from.
struct Rows {
  std::vector<std::string> parts;
  std::string dataset_version_id, reference, choice;
};

Json PartsJson(const std::vector<std::string>& parts) {
  Json list = Json::Arr();
  for (const std::string& part : parts) list.Push(part);
  return list;
}

struct Judgement {
  registry::Verdict verdict;
  std::vector<std::string>
      trial;  // terms that are not the policy's; none: the alias may move by it
};

const registry::Attachment* HoldoutOf(const registry::ModelVersion& version) {
  for (const registry::Attachment& attachment : version.attachments) {
    if (attachment.name == kHoldout) return &attachment;
  }
  return nullptr;
}

std::string Canonical(const std::string& metric) {
  const statistics::MetricInfo* info = statistics::FindMetric(metric);
  return info == nullptr ? metric : std::string(info->name);
}

bool ChangesNumbers(const Json& options) {
  for (const auto& [key, value] : options.members()) {
    if (std::ranges::find(kHarmlessOptions, key) == std::end(kHarmlessOptions)) return true;
  }
  return false;
}

class EvaluationService final : public Evaluations {
 public:
  EvaluationService(db::Database& database, blob::Store& blobs, registry::Registry& registry,
                    runners::Jobs& jobs, FindDataset find_dataset, const Clock& clock)
      : database_(database),
        blobs_(blobs),
        registry_(registry),
        jobs_(jobs),
        find_dataset_(std::move(find_dataset)),
        clock_(clock) {}

  Result<StoredEvaluation> Record(NewEvaluation evaluation) override;
  Result<StoredEvaluation> Get(std::string_view id) override;
  Result<Json> Document(const StoredEvaluation& evaluation) override;
  Result<std::vector<StoredEvaluation>> List(std::string_view project,
                                             std::string_view model_version_id, int limit) override;
  Result<Json> LessonsOf(const registry::ModelVersion& version) override;
  Result<runners::Job> Submit(EvaluateRequest request) override;
  Result<Json> Execute(runners::JobRun& run);

 private:
  Result<Rows> FindRows(const std::string& project, const registry::ModelVersion& version,
                        const std::string& dataset);
  Result<Json> TaskInput(const Json& input, const registry::ModelVersion& version,
                         const registry::ModelVersion* against, const Rows& rows);
  Result<std::vector<std::string>> OwnTerms(const runners::Job& job,
                                            const registry::ModelVersion& version,
                                            const registry::AliasPolicy& policy, const Rows& rows);
  Result<Judgement> Judge(const runners::Job& job, const registry::ModelVersion& version,
                          const registry::ModelVersion* against, const Rows& rows,
                          const Json& answer, const std::string& evaluation_id);

  db::Database& database_;
  blob::Store& blobs_;
  registry::Registry& registry_;
  runners::Jobs& jobs_;
  const FindDataset find_dataset_;
  const Clock& clock_;
};

Result<StoredEvaluation> EvaluationService::Record(NewEvaluation evaluation) {
  StoredEvaluation stored;
  stored.id = NewId();
  stored.project = evaluation.project;
  stored.model_version_id = evaluation.model_version_id;
  stored.other_version_id = evaluation.other_version_id;
  stored.dataset_version_id = evaluation.dataset_version_id;
  stored.rows = evaluation.rows;
  stored.primary = evaluation.document["evaluation"]["primary"].AsString();
  stored.metrics = evaluation.document["evaluation"]["metrics"];
  stored.created_by = evaluation.created_by;
  stored.created_us = clock_.NowMicros();
  GYRE_TRY(stored.document, blobs_.Put(evaluation.document.Dump()));
  const std::string metrics = stored.metrics.Dump();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(Insert(tx, stored, metrics));
    GYRE_DO(blob::AddRef(tx, "evaluation", stored.id, stored.document));
    return WriteLineage(tx, stored);
  }));
  return stored;
}

Result<StoredEvaluation> EvaluationService::Get(std::string_view id) {
  StoredEvaluation evaluation;
  bool found = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, reader.QueryOne("SELECT id, project, model_version_id, other_version_id, "
                                    "dataset_version_id, row_choice, primary_metric, metrics, "
                                    "document_digest, document_bytes, created_by, created_us FROM "
                                    "evaluation_record WHERE id = ?1",
                                    {id}, [&](const db::Row& row) { evaluation = FromRow(row); }));
    return {};
  }));
  if (!found) return NotFound("GY3706", "there is no evaluation `{}`", id.substr(0, 64));
  return evaluation;
}

Result<Json> EvaluationService::Document(const StoredEvaluation& evaluation) {
  GYRE_TRY(const std::string text, blobs_.Get(evaluation.document.digest));
  return Json::Parse(text);
}

Result<std::vector<StoredEvaluation>> EvaluationService::List(std::string_view project,
                                                              std::string_view model_version_id,
                                                              int limit) {
  std::vector<StoredEvaluation> evaluations;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(evaluations,
             db::Collect<StoredEvaluation>(
                 reader,
                 "SELECT id, project, model_version_id, other_version_id, dataset_version_id, "
                 "row_choice, primary_metric, metrics, "
                 "document_digest, document_bytes, created_by, created_us FROM evaluation_record "
                 "WHERE project = ?1 AND (?2 = '' OR model_version_id = ?2) ORDER BY number DESC "
                 "LIMIT ?3",
                 {project, model_version_id, limit}, FromRow));
    return {};
  }));
  return evaluations;
}

Result<runners::Job> EvaluationService::Submit(EvaluateRequest request) {
  GYRE_DO(OptionsFromJson(request.options));
  if (!request.rules.is_null()) GYRE_DO(registry::ParseRules(request.rules));
  GYRE_TRY(const registry::ModelVersion version, registry_.Resolve(request.project, request.model));
  GYRE_DO(registry::CheckHasPackage(version));
  std::string against_id;
  if (!request.against.empty()) {
    GYRE_TRY(const registry::ModelVersion against,
             registry_.Resolve(request.project, request.against));
    GYRE_DO(registry::CheckHasPackage(against));
    against_id = against.id;
  } else {
    // The verdict that an alias needs is one against whoever holds it now.
    GYRE_TRY(const auto holder, registry_.FindAlias(version.project, version.model, request.alias));
    if (holder && holder->id != version.id && holder->task == version.task &&
        holder->target == version.target)
      against_id = holder->id;
  }
  GYRE_TRY(const registry::AliasPolicy policy,
           registry_.PolicyOf(version.project, version.model, request.alias));
  if (request.dataset.empty()) request.dataset = policy.dataset;
  if (request.primary.empty()) request.primary = policy.metric;
  GYRE_TRY(const Rows rows, FindRows(request.project, version, request.dataset));
  Json input = Json::Obj({{"project", request.project},
                          {"model_version", version.id},
                          {"against", against_id},
                          {"dataset", request.dataset}});
  input.Set("alias", request.alias);
  input.Set("rules", request.rules);
  input.Set("options", request.options);
  input.Set("facts", request.facts);
  input.Set("primary", request.primary);
  input.Set("counts", request.counts);
  runners::JobSpec spec;
  spec.kind = kJobKind;
  spec.project = request.project;
  spec.title = fmt::format("evaluate {} on {}", version.name(), rows.reference);
  spec.created_by = request.created_by;
  spec.input = std::move(input);
  return jobs_.Submit(std::move(spec));
}

Result<Rows> EvaluationService::FindRows(const std::string& project,
                                         const registry::ModelVersion& version,
                                         const std::string& dataset) {
  Rows rows;
  const registry::Attachment* const holdout = HoldoutOf(version);
  bool trained_on_it = dataset.empty();
  if (!dataset.empty()) {
    GYRE_TRY(DatasetRows found, find_dataset_.by_reference(project, dataset));
    rows = {std::move(found.parts), found.version_id, found.reference, std::string(kAllRows)};
    for (const registry::DatasetUse& use : version.datasets)
      trained_on_it = trained_on_it || use.dataset_version_id == found.version_id;
  }
  if (!trained_on_it) return rows;
  // Rows that the model has learned from would flatter it.
  if (holdout == nullptr) {
    if (!dataset.empty()) return rows;
    return InvalidArgument("GY3707", "{} keeps no held-out rows to evaluate on", version.name())
        .Fix("give --on DATASET");
  }
  GYRE_TRY(std::string path, registry::LocalPathOf(blobs_, version, holdout->object));
  rows.parts = {std::move(path)};
  rows.choice = kHeldOutRows;
  if (rows.reference.empty()) rows.reference = "its held-out rows";
  if (rows.dataset_version_id.empty() && !version.datasets.empty())
    rows.dataset_version_id = version.datasets[0].dataset_version_id;
  return rows;
}

Result<Json> EvaluationService::TaskInput(const Json& input, const registry::ModelVersion& version,
                                          const registry::ModelVersion* against, const Rows& rows) {
  GYRE_TRY(const std::string package, registry::LocalPathOf(blobs_, version, version.package));
  Json task = Json::Obj({{"package", package},
                         {"parts", PartsJson(rows.parts)},
                         {"options", input["options"]},
                         {"primary", input["primary"]}});
  Json lessons = Json::Arr();
  if (rows.choice == kAllRows) {
    GYRE_TRY(const Json own, LessonsOf(version));
    if (!own.is_null()) lessons.Push(own);
  }
  if (against != nullptr) {
    GYRE_TRY(const Json theirs, LessonsOf(*against));
    if (!theirs.is_null()) lessons.Push(theirs);
    GYRE_TRY(const std::string champion, registry::LocalPathOf(blobs_, *against, against->package));
    task.Set("champion", champion);
    task.Set("champion_name", against->name());
  }
  task.Set("lessons", std::move(lessons));
  return task;
}

Result<Json> EvaluationService::LessonsOf(const registry::ModelVersion& version) {
  Lessons lessons{version.name(), {}, {}};
  for (const registry::DatasetUse& use : version.datasets) {
    if (use.role != "train") continue;
    auto found = find_dataset_.by_id(use.dataset_version_id);
    if (!found && found.error().code() == Code::kNotFound) continue;
    if (!found) return std::move(found).error();
    lessons.parts.insert(lessons.parts.end(), found->parts.begin(), found->parts.end());
  }
  if (lessons.parts.empty()) return Json();
  if (const registry::Attachment* const holdout = HoldoutOf(version)) {
    GYRE_TRY(lessons.holdout, registry::LocalPathOf(blobs_, version, holdout->object));
  }
  return LessonsToJson(lessons);
}

// What the request says otherwise than the policy does.
Result<std::vector<std::string>> EvaluationService::OwnTerms(const runners::Job& job,
                                                             const registry::ModelVersion& version,
                                                             const registry::AliasPolicy& policy,
                                                             const Rows& rows) {
  const Json& input = job.input;
  std::vector<std::string> own;
  if (!input["counts"].AsBool(true)) own.emplace_back("a comparison, not the gate");
  // What it was let in by stays what its card shows.
  const std::string& alias = input["alias"].AsString();
  GYRE_TRY(const auto holder, registry_.FindAlias(version.project, version.model, alias));
  if (holder && holder->id == version.id) own.push_back(fmt::format("it is @{} already", alias));
  if (!input["rules"].is_null()) own.emplace_back("rules of its own");
  if (input["facts"].size() > 0) own.emplace_back("facts of its own");
  if (ChangesNumbers(input["options"])) own.emplace_back("a bootstrap of its own");
  GYRE_TRY(const predictors::Task task, predictors::ParseTask(version.task));
  const std::string metric = GateMetric(policy, task);
  if (const std::string& asked = input["primary"].AsString();
      !asked.empty() && Canonical(asked) != metric)
    own.push_back(fmt::format("{}, not {}", Canonical(asked), metric));
  if (policy.dataset.empty()) {
    if (rows.choice != kHeldOutRows)
      own.emplace_back("other rows than those that training held out");
    return own;
  }
  const auto named = find_dataset_.by_reference(job.project, policy.dataset);
  if (!named || named->version_id != rows.dataset_version_id)
    own.push_back(fmt::format("other rows than those of {}", policy.dataset));
  return own;
}

// A request on terms of its own answers a question of "what if": only the terms of the alias'
// policy, on numbers that were measured here, give the verdict that moves it.
Result<Judgement> EvaluationService::Judge(const runners::Job& job,
                                           const registry::ModelVersion& version,
                                           const registry::ModelVersion* against, const Rows& rows,
                                           const Json& answer, const std::string& evaluation_id) {
  const Json& input = job.input;
  const std::string& alias = input["alias"].AsString();
  GYRE_TRY(registry::GateNumbers numbers, registry::GateNumbers::FromJson(answer["numbers"]));
  numbers.champion = against == nullptr ? "" : against->name();
  GYRE_TRY(const registry::AliasPolicy policy,
           registry_.PolicyOf(version.project, version.model, alias));
  Judgement judgement;
  GYRE_TRY(judgement.trial, OwnTerms(job, version, policy, rows));
  const Json& rules = input["rules"].is_null() ? policy.rules : input["rules"];
  std::vector<registry::Rule> parsed = registry::DefaultRules(against != nullptr);
  if (!rules.is_null()) {
    GYRE_TRY(parsed, registry::ParseRules(rules));
  }
  for (const auto& [name, value] : input["facts"].members()) {
    if (value.is_number()) numbers.facts[name] = value.AsDouble();
  }
  judgement.verdict = registry::Judge(parsed, numbers);
  const auto learned = answer["learned"][version.name()].AsInt();
  const auto read = answer["rows_read"].AsInt();
  if (static_cast<double>(learned) > kLearnedShareMax * static_cast<double>(read)) {
    judgement.verdict.pass = false;
    judgement.verdict.reasons.push_back(
        {false, "rows that it has not learned from",
         fmt::format("it learned from {} of {} rows", learned, read)});
  }
  if (!judgement.trial.empty()) return judgement;
  GYRE_TRY([[maybe_unused]] const registry::RecordedVerdict recorded,
           registry_.RecordVerdict({.version_id = version.id,
                                    .alias = alias,
                                    .champion_id = against == nullptr ? "" : against->id,
                                    .evaluation_id = evaluation_id,
                                    .created_by = job.created_by,
                                    .policy = policy,
                                    .verdict = judgement.verdict}));
  return judgement;
}

Result<Json> EvaluationService::Execute(runners::JobRun& run) {
  const Json& input = run.job().input;
  GYRE_TRY(const registry::ModelVersion version,
           registry_.GetVersion(input["model_version"].AsString()));
  std::optional<registry::ModelVersion> against;
  if (!input["against"].AsString().empty()) {
    GYRE_TRY(against, registry_.GetVersion(input["against"].AsString()));
  }
  const registry::ModelVersion* other = against ? &*against : nullptr;
  GYRE_TRY(const Rows rows,
           FindRows(input["project"].AsString(), version, input["dataset"].AsString()));
  GYRE_TRY(const Json task_input, TaskInput(input, version, other, rows));
  runners::JobRun::TaskOptions task_options;
  task_options.progress_to = 0.97;
  GYRE_TRY(const Json answer, run.RunTask("evaluation.run", task_input, task_options));
  GYRE_TRY(const StoredEvaluation stored,
           Record({.project = input["project"].AsString(),
                   .model_version_id = version.id,
                   .other_version_id = other == nullptr ? "" : other->id,
                   .dataset_version_id = rows.dataset_version_id,
                   .rows = rows.choice,
                   .document = answer,
                   .created_by = run.job().created_by}));
  GYRE_TRY(const Judgement judgement, Judge(run.job(), version, other, rows, answer, stored.id));
  Json result = Json::Obj({{"evaluation", stored.id},
                           {"model", version.name()},
                           {"dataset", rows.reference},
                           {"rows_used", rows.choice}});
  result.Set("rows", answer["evaluation"]["rows"]);
  result.Set("primary", stored.primary);
  result.Set("positive", answer["evaluation"]["positive"]);
  result.Set("metrics", stored.metrics);
  result.Set("warnings", answer["evaluation"]["warnings"]);
  if (other != nullptr) {
    result.Set("against", other->name());
    result.Set("comparison", answer["comparison"]);
  }
  result.Set("alias", input["alias"]);
  result.Set("verdict", judgement.verdict.ToJson());
  result.Set("verdict_recorded", judgement.trial.empty());
  Json trial = Json::Arr();
  for (const std::string& term : judgement.trial) trial.Push(term);
  result.Set("trial", std::move(trial));
  return result;
}

}  // namespace

Json StoredEvaluationToJson(const StoredEvaluation& evaluation) {
  return Json::Obj({{"id", evaluation.id},
                    {"project", evaluation.project},
                    {"model_version", evaluation.model_version_id},
                    {"against_version", evaluation.other_version_id},
                    {"dataset_version", evaluation.dataset_version_id},
                    {"rows_used", evaluation.rows},
                    {"primary", evaluation.primary},
                    {"metrics", evaluation.metrics},
                    {"created_by", evaluation.created_by},
                    {"created_at", FormatTime(evaluation.created_us)}});
}

Result<std::unique_ptr<Evaluations>> OpenEvaluations(db::Database& database, blob::Store& blobs,
                                                     registry::Registry& registry,
                                                     runners::Jobs& jobs, FindDataset find_dataset,
                                                     const Clock& clock) {
  auto service = std::make_unique<EvaluationService>(database, blobs, registry, jobs,
                                                     std::move(find_dataset), clock);
  jobs.Register(
      {.name = std::string(kJobKind),
       .execute = [raw = service.get()](runners::JobRun& run) { return raw->Execute(run); },
       .requeue_after_restart = true});
  return service;
}

}  // namespace gyre::evaluation
