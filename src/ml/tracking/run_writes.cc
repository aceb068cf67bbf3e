#include "ml/tracking/run_writes.h"

#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/checks.h"
#include "ml/tracking/compactor.h"
#include "ml/tracking/experiment_store.h"
#include "ml/tracking/metric_codec.h"
#include "ml/tracking/model_points.h"
#include "ml/tracking/run_effects.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kPointsMax = 100'000;

std::string TextOf(const Json& json) { return json.is_null() ? std::string() : json.Dump(); }

// The one run of a key, if it is there.
Result<bool> FindImported(db::Transaction& tx, std::string_view project, std::string_view key,
                          Run* run) {
  // One that is deleted is not listed: by the id that it kept it is found all the same.
  Run kept;
  if (ReadRun(tx, run->id, &kept) && kept.project == project &&
      kept.tags[std::string(kImportKey)] == key) {
    *run = std::move(kept);
    return true;
  }
  GYRE_TRY(const std::string id, FindImportedRun(tx, project, key));
  if (id.empty()) return false;
  GYRE_DO(ReadRun(tx, id, run));
  return true;
}

Result<> CheckSlice(db::Transaction& tx, std::string_view run_id, const ImportSlice& slice) {
  Run run;
  GYRE_DO(ReadRun(tx, run_id, &run));
  const auto found = run.tags.find(std::string(kImportPosition));
  const std::int64_t held = found == run.tags.end() ? 0 : ParseInt(found->second).value_or(0);
  if (held == slice.from && slice.to >= slice.from) return {};
  return Error(
             Code::kAborted, "GY3418",
             fmt::format("run {} holds {} points of its source, and what was sent goes on from {}",
                         run_id.substr(0, 8), held, slice.from))
      .Why("another import writes the same run")
      .Fix("wait for it, then import again: what is there is not taken twice");
}

Result<Run> RunFrom(NewRun& from, std::int64_t now_us) {
  GYRE_DO(CheckTexts("param", from.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", from.tags, kTagBytesMax));
  Run run;
  run.id = from.id.empty() ? NewId() : from.id;
  run.project = std::move(from.project);
  if (!from.import_key.empty()) from.tags[std::string(kImportKey)] = from.import_key;
  run.name = from.name.empty() ? fmt::format("{}-{}", from.kind, run.id.substr(0, 6))
                               : std::move(from.name);
  GYRE_DO(CheckKey("run", run.name));
  run.kind = std::move(from.kind);
  run.job = std::move(from.job);
  run.parent = std::move(from.parent);
  run.created_by = std::move(from.created_by);
  run.user_name = std::move(from.user_name);
  run.artifact_root = std::move(from.artifact_root);
  run.status = from.status;
  run.seed = from.seed;
  run.created_us = from.created_us == 0 ? now_us : from.created_us;
  run.started_us = from.started_us == 0 ? run.created_us : from.started_us;
  run.source = std::move(from.source);
  run.code = std::move(from.code);
  run.inputs = std::move(from.inputs);
  run.environment = std::move(from.environment);
  run.params = std::move(from.params);
  run.tags = std::move(from.tags);
  return run;
}

}  // namespace

// --- names ---------------------------------------------------------------------------------------

NumberedTexts::NumberedTexts(const NameBook& names,
                             const std::map<std::string, std::string>& texts) {
  texts_.reserve(texts.size());
  for (const auto& [key, value] : texts) {
    texts_.push_back({names.Known(key), key, value});
    if (texts_.back().name == 0) news_.push_back(texts_.size() - 1);
  }
}

Result<> NumberedTexts::Number(db::Transaction& tx) {
  for (const std::size_t i : news_) {
    GYRE_TRY(texts_[i].name, NameBook::Ensure(tx, texts_[i].key));
  }
  return {};
}

void NumberedTexts::Done(NameBook& names) const {
  for (const std::size_t i : news_) names.Remember(texts_[i].key, texts_[i].name);
}

// --- a batch -------------------------------------------------------------------------------------

Result<std::shared_ptr<BatchWrite>> BatchWrite::Prepare(const NameBook& names,
                                                        std::string_view run_id, Batch batch,
                                                        std::int64_t now_us) {
  GYRE_DO(CheckTexts("param", batch.params, kParamBytesMax));
  GYRE_DO(CheckTexts("tag", batch.tags, kTagBytesMax));
  if (batch.name) GYRE_DO(CheckKey("run", *batch.name));
  if (batch.metrics.size() > kPointsMax) {
    return InvalidArgument("GY3409", "a batch has at most {} metric points, not {}", kPointsMax,
                           batch.metrics.size());
  }
  if (batch.slice) batch.tags[std::string(kImportPosition)] = fmt::format("{}", batch.slice->to);
  for (MetricPoint& point : batch.metrics) {
    GYRE_DO(CheckKey("metric", point.key));
    if (point.time_us == kNow) point.time_us = now_us;
  }
  auto write = std::make_shared<BatchWrite>(names, run_id, std::move(batch));
  if (!write->batch_.metrics.empty()) write->points_ = EncodePoints(write->batch_.metrics);
  return write;
}

BatchWrite::BatchWrite(const NameBook& names, std::string_view run_id, Batch batch)
    : run_id_(run_id),
      batch_(std::move(batch)),
      params_(names, batch_.params),
      tags_(names, batch_.tags) {}

Result<> BatchWrite::Put(db::Transaction& tx) {
  GYRE_TRY(const RunKey run, FindActiveRun(tx, run_id_, batch_.project));
  run_number_ = run.number;
  if (batch_.slice) GYRE_DO(CheckSlice(tx, run_id_, *batch_.slice));
  GYRE_DO(params_.Number(tx));
  GYRE_DO(tags_.Number(tx));
  GYRE_DO(PutParams(tx, run, run_id_, params_.texts(), &conflicts_));
  GYRE_DO(PutTags(tx, run, tags_.texts()));
  if (batch_.name) GYRE_DO(UpdateRun(tx, run, {.name = batch_.name}));
  if (!points_.empty()) {
    GYRE_TRY(waiting_, PutPoints(tx, run, points_));
  }
  return PutModelPoints(tx, run.project, batch_.of_models);
}

void BatchWrite::Done(NameBook& names) const {
  params_.Done(names);
  tags_.Done(names);
}

bool BatchWrite::compacts() const { return waiting_ >= kBatchesWaitingMax; }

// --- a new run -----------------------------------------------------------------------------------

Result<std::shared_ptr<RunWrite>> RunWrite::Prepare(const NameBook& names, NewRun from,
                                                    std::int64_t now_us) {
  GYRE_DO(CheckTitle(from.experiment));
  GYRE_TRY(Run run, RunFrom(from, now_us));
  return std::make_shared<RunWrite>(names, std::move(from), std::move(run));
}

RunWrite::RunWrite(const NameBook& names, NewRun from, Run run)
    : from_(std::move(from)),
      run_(std::move(run)),
      texts_{TextOf(run_.source), TextOf(run_.code), TextOf(run_.inputs), TextOf(run_.environment)},
      params_(names, run_.params),
      tags_(names, run_.tags) {}

// The one with that number, or the one of that name, made if need be.
Result<Experiment> RunWrite::ExperimentOf(db::Transaction& tx) const {
  if (from_.experiment_number)
    return ReadActiveExperiment(tx, run_.project, *from_.experiment_number);
  return EnsureExperiment(tx, run_.project, from_.experiment, run_.created_us);
}

Result<> RunWrite::Put(db::Transaction& tx) {
  const bool is_import = !from_.import_key.empty();
  if (is_import) {
    GYRE_TRY(const bool there, FindImported(tx, run_.project, from_.import_key, &run_));
    if (there) return {};
  }
  if (run_.kind == "program" && !is_import)
    GYRE_DO(usage::Admit(
        tx,
        {.project = run_.project, .subject_kind = "run", .user = usage::UserOf(run_.created_by)},
        run_.created_us));
  GYRE_TRY(const Experiment experiment, ExperimentOf(tx));
  run_.experiment = experiment.name;
  run_.experiment_number = experiment.number;
  if (run_.artifact_root.empty() && !experiment.artifact_root.empty())
    run_.artifact_root = fmt::format("{}/{}/artifacts", experiment.artifact_root, run_.id);
  return Insert(tx);
}

Result<> RunWrite::Insert(db::Transaction& tx) {
  GYRE_DO(params_.Number(tx));
  GYRE_DO(tags_.Number(tx));
  GYRE_TRY(run_.number, NextNumber(tx, "run"));
  if (const auto inserted = InsertRun(tx, run_, texts_, from_.import_key); !inserted) {
    if (inserted.error().gy() != "GY1402") return inserted.error();
    return MakeError(Code::kAlreadyExists, "GY3425", "there is a run {} already", run_.id);
  }
  const RunKey key{run_.number, run_.experiment_number, 0, run_.project};
  GYRE_DO(PutParams(tx, key, run_.id, params_.texts(), nullptr));
  GYRE_DO(PutTags(tx, key, tags_.texts()));
  return WriteLineage(tx, run_);
}

void RunWrite::Done(NameBook& names) const {
  if (run_.number == 0) return;
  params_.Done(names);
  tags_.Done(names);
}

// --- a change ------------------------------------------------------------------------------------

Result<std::shared_ptr<ChangeWrite>> ChangeWrite::Prepare(const NameBook& names,
                                                          std::string_view run_id,
                                                          RunChange change) {
  if (change.name) GYRE_DO(CheckKey("run", *change.name));
  GYRE_DO(CheckTexts("tag", change.tags, kTagBytesMax));
  return std::make_shared<ChangeWrite>(names, run_id, std::move(change));
}

ChangeWrite::ChangeWrite(const NameBook& names, std::string_view run_id, RunChange change)
    : run_id_(run_id), change_(std::move(change)), tags_(names, change_.tags) {}

Result<> ChangeWrite::Put(db::Transaction& tx) {
  GYRE_DO(ReadRunAlone(tx, run_id_, &run_));
  GYRE_TRY(const RunKey key,
           ActiveOf({run_.number, run_.experiment_number, run_.deleted_us, run_.project}, run_id_,
                    change_.project));
  RunChange change{.name = change_.name};
  if (!change_.by_program || run_.kind != "program") {
    change.status = change_.status;
    change.ended_us = change_.ended_us;
  }
  run_.name = change.name.value_or(run_.name);
  run_.status = change.status.value_or(run_.status);
  run_.ended_us = change.ended_us.value_or(run_.ended_us);
  GYRE_DO(UpdateRun(tx, key, change));
  for (const std::string& tag : change_.removed_tags) GYRE_DO(RemoveTag(tx, key, tag));
  GYRE_DO(tags_.Number(tx));
  return PutTags(tx, key, tags_.texts());
}

}  // namespace gyre::tracking
