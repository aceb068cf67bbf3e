#include "ml/inference_log/inference_log.h"

#include <algorithm>

#include "base/id.h"
#include "base/mutex.h"
#include "ledger/lineage/lineage.h"
#include "ml/inference_log/dataset_task.h"
#include "ml/inference_log/forget.h"
#include "ml/inference_log/keyed_hash.h"
#include "ml/inference_log/labels.h"
#include "ml/inference_log/store.h"
#include "ml/inference_log/trace.h"
#include "ml/inference_log/withheld.h"
#include "ml/inference_log/writer.h"
#include "platform/exec/files.h"

namespace gyre::inference_log {
namespace {

constexpr std::string_view kDatasetJob = "captures.dataset", kLabelsJob = "feedback.import";
constexpr std::int64_t kPieceBytes = 1 << 20;
constexpr double kReadShare = 0.5;  // of a dataset's job: reading the captures

class Service;

class FeedbackBatch final : public Feedback {
 public:
  FeedbackBatch(db::Database& database, EndpointName name, LabelRule rule, std::int64_t now_us,
                std::unique_ptr<blob::Writer> writer)
      : database_(database),
        name_(std::move(name)),
        rule_(std::move(rule)),
        now_us_(now_us),
        writer_(std::move(writer)),
        batch_(rule_, now_us, [this](std::string_view bytes) { return writer_->Append(bytes); }) {}

  Result<> Add(const Json& row, std::string_view place) override {
    GYRE_TRY(const Label label, ReadLabel(row, rule_, place, now_us_));
    return batch_.Add(label);
  }

  Result<Json> Commit() override {
    if (batch_.rows() > 0) {
      GYRE_DO(batch_.Finish());
      GYRE_TRY(const blob::Object object, writer_->Commit());
      const LabelRow row{.id = NewId(),
                         .project = name_.project,
                         .endpoint = name_.endpoint,
                         .object = object,
                         .rows = batch_.rows(),
                         .received_us = now_us_};
      GYRE_DO(database_.Write([&](db::Transaction& tx) { return InsertLabels(tx, row); }));
    }
    return Json::Obj({{"accepted", batch_.rows()}, {"unknown_classes", batch_.unknown_classes()}});
  }

 private:
  db::Database& database_;
  const EndpointName name_;
  const LabelRule rule_;
  const std::int64_t now_us_;
  const std::unique_ptr<blob::Writer> writer_;
  LabelBatch batch_;
};

class Service final : public InferenceLog {
 public:
  Service(db::Database& database, blob::Store& blobs, runners::Jobs& jobs, data::Datasets& datasets,
          telemetry::Metrics& metrics, const Clock& clock, const LogSettings& settings,
          std::string hash_key)
      : database_(database),
        blobs_(blobs),
        jobs_(jobs),
        datasets_(datasets),
        clock_(clock),
        writer_(database, blobs, metrics, clock, settings, std::move(hash_key)) {
    jobs_.Register({.name = std::string(kDatasetJob),
                    .execute = [this](runners::JobRun& run) { return ExecuteDataset(run); },
                    .requeue_after_restart = true});
    jobs_.Register({.name = std::string(kLabelsJob),
                    .execute = [this](runners::JobRun& run) { return ExecuteLabels(run); },
                    .requeue_after_restart = true});
  }
  ~Service() override { writer_.Stop(); }

  void Start() override { writer_.Start(); }
  void Stop() override { writer_.Stop(); }
  std::shared_ptr<const Stream> Open(StreamSpec spec) override {
    return writer_.Open(std::move(spec));
  }
  Result<> Flush() override { return writer_.Flush(); }

  Result<Policy> GetPolicy(std::string_view project, std::string_view endpoint) override {
    GYRE_TRY(const auto policy, writer_.PolicyOf(Name(project, endpoint)));
    return *policy;
  }
  Result<Policy> SetPolicy(std::string_view project, std::string_view endpoint, const Json& change,
                           std::string_view by) override;
  Result<std::vector<std::string>> WithheldInputs(std::string_view project,
                                                  std::string_view endpoint) override;
  Result<std::unique_ptr<Feedback>> NewFeedback(std::string_view project,
                                                std::string_view endpoint) override;
  Result<runners::Job> ImportLabels(std::string_view project, std::string_view endpoint,
                                    std::string filename, std::string format, std::string by,
                                    const blob::Object& upload) override;
  Result<WindowFacts> Window(std::string_view project, std::string_view endpoint,
                             std::int64_t from_us, std::int64_t to_us) override;
  Result<SealedSince> Since(std::string_view project, std::string_view endpoint,
                            std::int64_t sealed_us) override;
  Result<ReadPlan> Plan(std::string_view project, std::string_view endpoint, std::int64_t from_us,
                        std::int64_t to_us) override;
  Result<ReadPlan> PlanReceived(std::string_view project, std::string_view endpoint,
                                std::int64_t since_us) override;
  Result<CaptureStatus> Status(std::string_view project, std::string_view endpoint) override;
  Result<std::vector<CaptureStatus>> List(std::string_view project) override;
  Result<Json> Count(std::string_view project, std::string_view endpoint) override;
  Result<Json> Rows(std::string_view project, std::string_view endpoint, std::int64_t from_us,
                    std::int64_t to_us, std::int64_t limit) override;
  Result<Trace> Find(std::string_view project, std::string_view inference_id) override;
  Result<std::string> Export(std::string_view project, std::string_view endpoint,
                             std::int64_t from_us, std::int64_t to_us,
                             std::string_view format) override;
  Result<runners::Job> MakeDataset(DatasetRequest request) override;
  Result<Forgotten> Forget(const ForgetRequest& request) override {
    GYRE_DO(CheckForget(request, writer_.Flush()));
    return ForgetRows(database_, blobs_, request, writer_.hash_key(), clock_.NowMicros());
  }

 private:
  static EndpointName Name(std::string_view project, std::string_view endpoint) {
    return {std::string(project), std::string(endpoint)};
  }
  // What is still in memory, as far as it can be written; what cannot is there later.
  void SealWhatThereIs() { static_cast<void>(writer_.Flush().has_value()); }
  Result<StreamSpec> NewestSpec(const EndpointName& name);
  Result<LabelRule> Rule(const EndpointName& name);
  Result<ReadPlan> PlanOf(const EndpointName& name, const std::vector<SegmentRow>& segments,
                          std::int64_t from_us, std::int64_t to_us);
  Result<Json> ExecuteDataset(runners::JobRun& run);
  Result<Json> ExecuteLabels(runners::JobRun& run);
  Result<Json> Imported(runners::JobRun& run, const std::string& file);
  Result<> TellLineage(const Json& result, const Json& versions, const EndpointName& name);

  db::Database& database_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
  data::Datasets& datasets_;
  const Clock& clock_;
  Mutex policies_;
  Writer writer_;
};

// --- policy --------------------------------------------------------------------------------------
Result<StreamSpec> Service::NewestSpec(const EndpointName& name) {
  if (auto open = writer_.Newest(name)) return *std::move(open);
  std::string facts;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool there,
             NewestStream(reader, name.project, name.endpoint, &facts));
    return {};
  }));
  if (facts.empty()) {
    return FailedPrecondition("GY4612", "endpoint `{}` has not answered yet", name.endpoint)
        .Why("captures and labels belong to what an endpoint answered")
        .Fix(fmt::format("gyre endpoints show {}", name.endpoint));
  }
  GYRE_TRY(const Json json, Json::Parse(facts));
  return StreamFromFacts(json);
}

Result<Policy> Service::SetPolicy(std::string_view project, std::string_view endpoint,
                                  const Json& change, std::string_view by) {
  const EndpointName name = Name(project, endpoint);
  const MutexLock lock(policies_);  // a change builds on the one before
  GYRE_TRY(const auto before, writer_.PolicyOf(name));
  GYRE_TRY(const Policy policy, ChangedPolicy(*before, change));
  GYRE_TRY(const StreamSpec spec, NewestSpec(name));
  GYRE_DO(CheckColumns(policy, spec.inputs));
  const std::string text = PolicyToJson(policy).Dump();
  const std::int64_t now_us = clock_.NowMicros();
  GYRE_DO(database_.Write(
      [&](db::Transaction& tx) { return WritePolicy(tx, name, text, by, now_us); }));
  writer_.SetPolicy(name, std::make_shared<const Policy>(policy));
  return policy;
}

Result<std::vector<std::string>> Service::WithheldInputs(std::string_view project,
                                                         std::string_view endpoint) {
  const EndpointName name = Name(project, endpoint);
  GYRE_TRY(const auto policy, writer_.PolicyOf(name));
  if (policy->columns.empty()) return std::vector<std::string>();
  GYRE_TRY(const StreamSpec spec, NewestSpec(name));
  return Withheld(*policy, spec.inputs);
}

// --- labels --------------------------------------------------------------------------------------
Result<LabelRule> Service::Rule(const EndpointName& name) {
  GYRE_TRY(const StreamSpec spec, NewestSpec(name));
  GYRE_TRY(const auto policy, writer_.PolicyOf(name));
  LabelRule rule = RuleOf(spec);
  rule.key_column = policy->key_column;
  if (policy->Of(policy->key_column) == Keep::kHash) rule.hash_key = writer_.hash_key();
  return rule;
}

Result<std::unique_ptr<Feedback>> Service::NewFeedback(std::string_view project,
                                                       std::string_view endpoint) {
  const EndpointName name = Name(project, endpoint);
  GYRE_TRY(LabelRule rule, Rule(name));
  GYRE_TRY(auto writer, blobs_.NewWriter());
  return std::unique_ptr<Feedback>(std::make_unique<FeedbackBatch>(
      database_, name, std::move(rule), clock_.NowMicros(), std::move(writer)));
}

Result<runners::Job> Service::ImportLabels(std::string_view project, std::string_view endpoint,
                                           std::string filename, std::string format, std::string by,
                                           const blob::Object& upload) {
  GYRE_TRY(const StreamSpec spec, NewestSpec(Name(project, endpoint)));
  runners::JobSpec job;
  job.kind = kLabelsJob;
  job.project = project;
  job.title = fmt::format("labels of {} from {}", endpoint, filename);
  job.created_by = std::move(by);
  job.input = Json::Obj({{"endpoint", endpoint},
                         {"name", std::move(filename)},
                         {"format", std::move(format)},
                         {"target", spec.target},
                         {"received_us", clock_.NowMicros()},
                         {"sha256", upload.digest},
                         {"bytes", upload.size_bytes}});
  return jobs_.Submit(std::move(job));
}

Result<Json> Service::ExecuteLabels(runners::JobRun& run) {
  const Json& input = run.job().input;
  const EndpointName name = Name(run.job().project, input["endpoint"].AsString());
  const blob::Pin pin = blobs_.PinObject(input["sha256"].AsString());
  GYRE_TRY(const std::string path, blobs_.LocalPath(input["sha256"].AsString()));
  GYRE_TRY(const LabelRule rule, Rule(name));
  runners::JobRun::TaskOptions options;
  GYRE_TRY(const Json made, run.RunTask("inference_log.labels",
                                        Json::Obj({{"path", path},
                                                   {"name", input["name"]},
                                                   {"format", input["format"]},
                                                   {"received_us", input["received_us"]},
                                                   {"rule", RuleToJson(rule)}}),
                                        options));
  const std::int64_t rows = made["accepted"].AsInt();
  if (rows > 0) {
    GYRE_TRY(const blob::Object object, blobs_.PutFile(made["file"].AsString()));
    // The job's own id: one that is done again after a crash leaves what it left before.
    const LabelRow row{.id = run.job().id,
                       .project = name.project,
                       .endpoint = name.endpoint,
                       .object = object,
                       .rows = rows,
                       .received_us = input["received_us"].AsInt()};
    GYRE_DO(database_.Write([&](db::Transaction& tx) { return InsertLabels(tx, row); }));
  }
  return Json::Obj({{"endpoint", name.endpoint},
                    {"accepted", rows},
                    {"unknown_classes", made["unknown_classes"]},
                    {"notes", made["notes"]}});
}

// --- reading -------------------------------------------------------------------------------------
Result<WindowFacts> Service::Window(std::string_view project, std::string_view endpoint,
                                    std::int64_t from_us, std::int64_t to_us) {
  const LiveFacts live = writer_.Live(Name(project, endpoint));
  std::vector<SegmentRow> segments;
  Totals totals;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegments(reader, project, endpoint, from_us, to_us));
    GYRE_TRY(totals, ReadTotals(reader, project, endpoint));
    return {};
  }));
  WindowFacts facts{.segments = static_cast<std::int64_t>(segments.size()),
                    .pending = live.pending,
                    .label_batches = totals.label_batches,
                    .labels = totals.labels,
                    .event_max_us = totals.event_max_us,
                    .received_max_us = totals.received_max_us,
                    .complete_through_us = live.complete_through_us};
  for (const SegmentRow& segment : segments) facts.rows += segment.rows;
  return facts;
}

Result<SealedSince> Service::Since(std::string_view project, std::string_view endpoint,
                                   std::int64_t sealed_us) {
  SealedSince since;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(since, ReadSealedSince(reader, project, endpoint, sealed_us));
    return {};
  }));
  return since;
}

Result<ReadPlan> Service::PlanOf(const EndpointName& name, const std::vector<SegmentRow>& segments,
                                 std::int64_t from_us, std::int64_t to_us) {
  ReadPlan plan;
  ReadRequest& request = plan.request;
  request.from_us = from_us;
  request.to_us = to_us;
  GYRE_TRY(const auto policy, writer_.PolicyOf(name));
  request.lateness_us = policy->lateness_us;
  std::vector<LabelRow> labels;
  Totals totals;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(labels, ReadLabels(reader, name.project, name.endpoint));
    GYRE_TRY(totals, ReadTotals(reader, name.project, name.endpoint));
    return {};
  }));
  request.dropped = totals.dropped + writer_.Live(name).dropped;
  const auto find = [&](const blob::Object& object, std::int64_t rows, std::string_view what,
                        std::vector<FileRef>* files) {
    constexpr std::size_t kShownDigits = 12;
    const std::string shown = object.digest.substr(0, kShownDigits);
    plan.pins.push_back(blobs_.PinObject(object.digest));
    auto path = blobs_.LocalPath(object.digest);
    if (path) {
      files->push_back({*std::move(path), shown, rows});
      return true;
    }
    request.problems.push_back(fmt::format("{} {}: {}", what, shown, path.error().message()));
    return false;
  };
  for (const SegmentRow& segment : segments) {
    if (find(segment.object, segment.rows, "segment", &request.segments)) {
      request.segments.back().event_min_us = segment.event_min_us;
      request.segments.back().event_max_us = segment.event_max_us;
      continue;
    }
    request.damage.push_back({request.problems.back(), segment.event_min_us, segment.event_max_us});
    ++request.damaged_segments;
    request.damaged_rows += segment.rows;
  }
  for (const LabelRow& batch : labels) find(batch.object, batch.rows, "labels", &request.labels);
  return plan;
}

Result<ReadPlan> Service::Plan(std::string_view project, std::string_view endpoint,
                               std::int64_t from_us, std::int64_t to_us) {
  std::vector<SegmentRow> segments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegments(reader, project, endpoint, from_us, to_us));
    return {};
  }));
  return PlanOf(Name(project, endpoint), segments, from_us, to_us);
}

Result<ReadPlan> Service::PlanReceived(std::string_view project, std::string_view endpoint,
                                       std::int64_t since_us) {
  std::vector<SegmentRow> segments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegments(reader, project, endpoint, INT64_MIN, INT64_MAX));
    return {};
  }));
  std::erase_if(segments,
                [&](const SegmentRow& segment) { return segment.received_max_us < since_us; });
  return PlanOf(Name(project, endpoint), segments, INT64_MIN, INT64_MAX);
}

Result<CaptureStatus> Service::Status(std::string_view project, std::string_view endpoint) {
  const EndpointName name = Name(project, endpoint);
  const LiveFacts live = writer_.Live(name);
  GYRE_TRY(const auto policy, writer_.PolicyOf(name));
  Totals totals;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(totals, ReadTotals(reader, project, endpoint));
    return {};
  }));
  return CaptureStatus{.project = name.project,
                       .endpoint = name.endpoint,
                       .policy = *policy,
                       .captured = totals.rows,
                       .pending = live.pending,
                       .dropped = totals.dropped + live.dropped,
                       .left_out = totals.left_out + live.left_out,
                       .expired = totals.expired,
                       .forgotten = totals.forgotten,
                       .ahead = totals.ahead,
                       .labels = totals.labels,
                       .segments = totals.segments,
                       .bytes = totals.bytes,
                       .event_min_us = totals.event_min_us,
                       .event_max_us = totals.event_max_us,
                       .received_max_us = totals.received_max_us};
}

Result<std::vector<CaptureStatus>> Service::List(std::string_view project) {
  std::vector<EndpointName> names;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(names, EndpointsWithRows(reader, project));
    return {};
  }));
  std::vector<CaptureStatus> list;
  for (const EndpointName& name : names) {
    GYRE_TRY(list.emplace_back(), Status(name.project, name.endpoint));
  }
  return list;
}

Result<Json> Service::Count(std::string_view project, std::string_view endpoint) {
  SealWhatThereIs();
  GYRE_TRY(const ReadPlan plan, Plan(project, endpoint, INT64_MIN, INT64_MAX));
  return jobs_.RunTaskNow("inference_log.count",
                          Json::Obj({{"read", ReadRequestToJson(plan.request)}}), {});
}

// Of many segments only those that can hold one of the newest rows.
std::vector<SegmentRow> Newest(std::vector<SegmentRow> segments, std::int64_t limit) {
  std::ranges::sort(segments, [](const SegmentRow& a, const SegmentRow& b) {
    return a.event_max_us > b.event_max_us;
  });
  std::int64_t rows = 0, oldest_us = INT64_MAX;
  std::size_t taken = 0;
  for (; taken < segments.size(); ++taken) {
    const SegmentRow& next = segments[taken];
    if (rows >= limit && next.event_max_us < oldest_us) break;
    if (rows < limit) oldest_us = std::min(oldest_us, next.event_min_us);
    rows += next.rows;
  }
  segments.resize(taken);
  return segments;
}

Result<Json> Service::Rows(std::string_view project, std::string_view endpoint,
                           std::int64_t from_us, std::int64_t to_us, std::int64_t limit) {
  SealWhatThereIs();
  std::vector<SegmentRow> segments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegments(reader, project, endpoint, from_us, to_us));
    return {};
  }));
  // A segment that only reaches into the range may hold none of its rows: then all are read.
  if (to_us == INT64_MAX) segments = Newest(std::move(segments), limit);
  GYRE_TRY(const ReadPlan plan, PlanOf(Name(project, endpoint), segments, from_us, to_us));
  return jobs_.RunTaskNow("inference_log.rows",
                          Json::Obj({{"read", ReadRequestToJson(plan.request)}, {"limit", limit}}),
                          {});
}

Result<Trace> Service::Find(std::string_view project, std::string_view inference_id) {
  SealWhatThereIs();
  std::vector<SegmentRow> segments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(segments, ReadSegmentsOfProject(reader, project));
    return {};
  }));
  return TraceAnswer(CanonicalId(std::string(inference_id)), segments, blobs_, jobs_,
                     [this](const SegmentRow& one, std::int64_t event_us) {
                       return PlanOf({one.project, one.endpoint}, {one}, event_us, event_us + 1);
                     });
}

Result<std::string> Service::Export(std::string_view project, std::string_view endpoint,
                                    std::int64_t from_us, std::int64_t to_us,
                                    std::string_view format) {
  SealWhatThereIs();
  GYRE_TRY(const ReadPlan plan, Plan(project, endpoint, from_us, to_us));
  runners::JobRun::TaskOptions options;
  options.scratch_directory = fmt::format("{}/captures-{}", blobs_.scratch_directory(), NewId());
  GYRE_DO(exec::MakeDirectories(options.scratch_directory));
  const auto made = jobs_.RunTaskNow(
      "inference_log.export",
      Json::Obj({{"read", ReadRequestToJson(plan.request)}, {"format", format}}), options);
  if (made) return options.scratch_directory + "/" + (*made)["file"].AsString();
  static_cast<void>(exec::RemoveTree(options.scratch_directory).has_value());
  return made.error();
}

// --- retraining ----------------------------------------------------------------------------------
Result<runners::Job> Service::MakeDataset(DatasetRequest request) {
  GYRE_TRY(const StreamSpec spec, NewestSpec(Name(request.project, request.endpoint)));
  if (request.retrain) {
    GYRE_TRY(const auto withheld, WithheldInputs(request.project, request.endpoint));
    if (!withheld.empty()) return LacksInputs(request.endpoint, withheld);
  }
  if (!request.history.empty()) {
    GYRE_TRY(const data::Version version, datasets_.Resolve(request.project, request.history));
    request.history = version.reference();  // the newest of now, whenever the job begins
  }
  runners::JobSpec job;
  job.kind = kDatasetJob;
  job.project = request.project;
  job.title = fmt::format("captures of {} as dataset {}", request.endpoint, request.dataset);
  job.created_by = std::move(request.by);
  job.input = DatasetInput(std::move(request), spec.target);
  return jobs_.Submit(std::move(job));
}

// As if the file had been added by hand: checks, profile and content hash are data's.
Result<Json> Service::Imported(runners::JobRun& run, const std::string& file) {
  const runners::Job& job = run.job();
  GYRE_TRY(auto upload, datasets_.NewUpload());
  for (std::int64_t offset = 0;;) {
    GYRE_TRY(const std::string piece, exec::ReadFilePart(file, offset, kPieceBytes));
    if (piece.empty()) break;
    GYRE_DO(upload->Append(piece));
    offset += static_cast<std::int64_t>(piece.size());
  }
  return datasets_.ImportWithin(run, kReadShare,
                                {.project = job.project,
                                 .dataset = job.input["dataset"].AsString(),
                                 .filename = job.input["endpoint"].AsString() + " captures",
                                 .format = "parquet",
                                 .target = job.input["target"].AsString(),
                                 .created_by = job.created_by},
                                std::move(upload));
}

Result<Json> Service::ExecuteDataset(runners::JobRun& run) {
  const Json& input = run.job().input;
  const EndpointName name = Name(run.job().project, input["endpoint"].AsString());
  SealWhatThereIs();
  std::int64_t from_us = input["from_us"].AsInt();
  GYRE_TRY(const CaptureStatus status, Status(name.project, name.endpoint));
  if (const std::int64_t last_us = input["last_us"].AsInt(); last_us > 0)
    from_us = status.event_max_us - last_us;
  GYRE_TRY(ReadPlan plan, Plan(name.project, name.endpoint, from_us, input["to_us"].AsInt()));
  GYRE_TRY(const StreamSpec spec, NewestSpec(name));
  Json classes = Json::Arr();
  if (!input["new_classes"].AsBool())
    for (const std::string& known : spec.classes) classes.Push(known);
  if (input["retrain"].AsBool())
    for (const table::Field& field : spec.inputs) plan.request.whole.push_back(field.name);
  Json task = Json::Obj({{"read", ReadRequestToJson(plan.request)},
                         {"endpoint", name.endpoint},
                         {"classes", std::move(classes)},
                         {"retrain", input["retrain"]},
                         {"labelled_only", input["labelled_only"]},
                         {"rows_min", input["rows_min"]},
                         {"since_us", input["since_us"]},
                         {"last_us", input["last_us"]},
                         {"labels", status.labels},
                         {"fill_to", input["fill_to"]},
                         {"history_below", input["history_below"]}});
  if (const std::string& history = input["history"].AsString(); !history.empty()) {
    GYRE_TRY(const data::Version version, datasets_.Resolve(name.project, history));
    GYRE_TRY(const std::vector<std::string> parts, datasets_.PartPaths(version));
    Json paths = Json::Arr();
    for (const std::string& part : parts) paths.Push(part);
    task.Set("history", std::move(paths));
  }
  runners::JobRun::TaskOptions options;
  options.progress_to = kReadShare;
  GYRE_TRY(const Json made, run.RunTask("inference_log.dataset", task, options));
  run.Progress(kReadShare, "adding the dataset");
  GYRE_TRY(Json result, Imported(run, made["file"].AsString()));
  GYRE_DO(TellLineage(result, made["versions"], name));
  return result.Set("problems", made["problems"])
      .Set("fresh_rows", made["fresh_rows"])
      .Set("older_rows", made["older_rows"])
      .Set("mixed", made["mixed"]);
}

Result<> Service::TellLineage(const Json& result, const Json& versions, const EndpointName& name) {
  GYRE_TRY(const data::Version version,
           datasets_.Resolve(name.project, result["reference"].AsString()));
  const std::int64_t now_us = clock_.NowMicros();
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(lineage::EnsureNode(tx, {.id = version.id,
                                     .kind = "dataset_version",
                                     .label = version.reference(),
                                     .project = name.project,
                                     .created_us = now_us}));
    for (const Json& from : versions.items()) {
      GYRE_DO(lineage::EnsureNode(tx, {.id = from["id"].AsString(),
                                       .kind = "model_version",
                                       .label = from["model"].AsString(),
                                       .project = name.project,
                                       .created_us = now_us}));
      GYRE_DO(lineage::AddEdge(tx, from["id"].AsString(), version.id, "captured"));
    }
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<InferenceLog>> OpenInferenceLog(db::Database& database, blob::Store& blobs,
                                                       runners::Jobs& jobs,
                                                       data::Datasets& datasets,
                                                       telemetry::Metrics& metrics,
                                                       const Clock& clock, LogSettings settings) {
  GYRE_TRY(std::string key, OpenKey(settings.key_path));
  return std::make_unique<Service>(database, blobs, jobs, datasets, metrics, clock, settings,
                                   std::move(key));
}

}  // namespace gyre::inference_log
