#include "ml/traces/traces.h"

#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/text.h"
#include "ml/traces/assessment_store.h"
#include "ml/traces/label_store.h"
#include "ml/traces/span_codec.h"
#include "ml/traces/span_store.h"
#include "ml/traces/trace_search.h"
#include "ml/traces/trace_store.h"
#include "ml/tracking/files.h"

namespace gyre::traces {
namespace {

constexpr std::array<std::string_view, 4> kStateWords = {"STATE_UNSPECIFIED", "IN_PROGRESS", "OK",
                                                         "ERROR"};
constexpr std::int64_t kNanosPerMicro = 1'000;
constexpr std::int64_t kDeletedAtOnce = 200;  // in one transaction, which shall be short

// Ids become parts of paths and addresses.
Result<> CheckId(std::string_view id) {
  const bool fits = !id.empty() && id.size() <= kTraceIdBytesMax && id != "." && id != ".." &&
                    std::ranges::none_of(id, [](char c) {
                      return static_cast<unsigned char>(c) <= ' ' || c == 0x7f ||
                             std::string_view("/\\%?#").contains(c);
                    });
  if (fits && IsValidUtf8(id)) return {};
  return InvalidArgument("GY3450", "`{}` cannot be the id of a trace", id.substr(0, 100))
      .Why("an id has 1 to 250 bytes, none of them / \\ % ? # or a space");
}

Error OfAnother(std::string_view id) {
  return InvalidArgument("GY3451", "the trace `{}` belongs to another experiment",
                         id.substr(0, 100));
}

Error NoAssessment(std::string_view trace, std::string_view id) {
  return NotFound("GY3458", "the trace `{}` has no assessment `{}`", trace.substr(0, 100),
                  id.substr(0, 100));
}

// A batch as it goes into the database, and what its spans say of their trace.
struct Prepared {
  const SpanBatch* batch = nullptr;
  std::string stored;
  std::int64_t bytes = 0, started_us = 0;
  std::optional<std::int64_t> ended_us;
  std::optional<State> root;
};

Prepared Prepare(const SpanBatch& batch) {
  Prepared prepared{.batch = &batch, .stored = {}, .ended_us = {}, .root = {}};
  const std::string lines = SpanLines(batch.spans);
  prepared.bytes = static_cast<std::int64_t>(lines.size());
  prepared.stored = Compressed(lines);
  std::int64_t start_ns = INT64_MAX;
  for (const Span& span : batch.spans) {
    start_ns = std::min(start_ns, span.start_ns);
    if (span.end_ns > 0)
      prepared.ended_us = std::max(prepared.ended_us.value_or(0), span.end_ns / kNanosPerMicro);
    if (span.parent.empty())
      prepared.root = span.status == SpanStatus::kError ? State::kError : State::kOk;
  }
  prepared.started_us = start_ns / kNanosPerMicro;
  return prepared;
}

// What a trace is by its spans; what its client has said of it stands.
void Widen(const Prepared& prepared, Trace* trace, bool told) {
  if (!trace->request_preview) trace->request_preview = prepared.batch->request_preview;
  if (!trace->response_preview) trace->response_preview = prepared.batch->response_preview;
  if (told) return;
  const std::int64_t ended_us =
      std::max(trace->started_us + trace->duration_us.value_or(0), prepared.ended_us.value_or(0));
  const bool ended = trace->duration_us || prepared.ended_us;
  trace->started_us = std::min(trace->started_us, prepared.started_us);
  if (ended) trace->duration_us = std::max<std::int64_t>(ended_us - trace->started_us, 0);
  const bool open = trace->state == State::kAtWork || trace->state == State::kUnknown;
  if (open && prepared.root) trace->state = *prepared.root;
}

class TracesImpl final : public Traces {
 public:
  TracesImpl(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<Trace> Start(const Trace& trace) override;
  Result<Trace> End(std::string_view project, std::string_view id, const TraceEnd& end) override;
  Result<> AddSpans(std::string_view project, std::int64_t experiment,
                    std::span<const SpanBatch> batches) override;
  Result<Trace> Get(std::string_view project, std::string_view id) override;
  Result<std::vector<Span>> SpansOf(std::string_view project, std::string_view id) override;
  Result<FoundTraces> Search(const TraceSearch& search) override;
  Result<Correlation> Correlate(const TraceSearch& search, const tracking::Filter& first,
                                const tracking::Filter& second) override;
  Result<std::int64_t> Delete(const TraceDeletion& which) override;
  Result<> SetTag(std::string_view project, std::string_view id, std::string_view name,
                  std::string_view value) override;
  Result<> DeleteTag(std::string_view project, std::string_view id, std::string_view name) override;
  Result<> Link(std::string_view project, std::span<const std::string> ids, std::string_view kind,
                std::string_view target) override;
  Result<Assessment> Assess(std::string_view project, std::string_view id,
                            Assessment assessment) override;
  Result<Assessment> GetAssessment(std::string_view project, std::string_view id,
                                   std::string_view assessment) override;
  Result<Assessment> ChangeAssessment(std::string_view project, std::string_view id,
                                      std::string_view assessment,
                                      const AssessmentChange& change) override;
  Result<> DeleteAssessment(std::string_view project, std::string_view id,
                            std::string_view assessment) override;

 private:
  // Calls with the trace inside of a transaction.
  using Change = std::function<Result<>(db::Transaction&, TraceRow&)>;
  Result<> ChangeTrace(std::string_view project, std::string_view id, const Change& change);
  Result<> AddBatchOf(db::Transaction& tx, std::string_view project, std::int64_t experiment,
                      const Prepared& prepared);
  Assessment Dated(Assessment assessment) const;

  db::Database& database_;
  const Clock& clock_;
};

Result<> TracesImpl::ChangeTrace(std::string_view project, std::string_view id,
                                 const Change& change) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(TraceRow row, ReadTrace(tx, project, id));
    return change(tx, row);
  });
}

Assessment TracesImpl::Dated(Assessment assessment) const {
  if (assessment.id.empty()) assessment.id = "a-" + NewId();
  if (assessment.created_us == 0) assessment.created_us = clock_.NowMicros();
  if (assessment.updated_us == 0) assessment.updated_us = assessment.created_us;
  return assessment;
}

Result<Trace> TracesImpl::Start(const Trace& trace) {
  GYRE_DO(CheckId(trace.id));
  if (trace.assessments.size() > static_cast<std::size_t>(kAssessmentsMax))
    return InvalidArgument("GY3459", "a trace has at most {} assessments", kAssessmentsMax);
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto there, FindTrace(tx, trace.project, trace.id));
    if (there && there->trace.experiment != trace.experiment) return OfAnother(trace.id);
    TraceRow row = there.value_or(TraceRow());
    row.told = true;
    const Trace before = std::move(row.trace);
    row.trace = trace;
    if (!trace.request_preview) row.trace.request_preview = before.request_preview;
    if (!trace.response_preview) row.trace.response_preview = before.response_preview;
    if (there) {
      GYRE_DO(JoinBatches(tx, &row));
      GYRE_DO(UpdateTrace(tx, row));
    } else {
      GYRE_TRY(row.number, InsertTrace(tx, row));
    }
    GYRE_DO(PutLabels(tx, row.number, Label::kTag, trace.tags));
    GYRE_DO(PutLabels(tx, row.number, Label::kMetadata, trace.metadata));
    for (const Assessment& assessment : trace.assessments)
      GYRE_DO(PutAssessment(tx, row.number, Dated(assessment)));
    return {};
  }));
  return Get(trace.project, trace.id);
}

Result<Trace> TracesImpl::End(std::string_view project, std::string_view id, const TraceEnd& end) {
  GYRE_DO(ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) -> Result<> {
    row.trace.duration_us = std::max<std::int64_t>(end.ended_us - row.trace.started_us, 0);
    row.trace.state = end.state;
    row.told = true;
    GYRE_DO(JoinBatches(tx, &row));
    GYRE_DO(UpdateTrace(tx, row));
    GYRE_DO(PutLabels(tx, row.number, Label::kTag, end.tags));
    return PutLabels(tx, row.number, Label::kMetadata, end.metadata);
  }));
  return Get(project, id);
}

Result<> TracesImpl::AddBatchOf(db::Transaction& tx, std::string_view project,
                                std::int64_t experiment, const Prepared& prepared) {
  const SpanBatch& batch = *prepared.batch;
  GYRE_TRY(auto there, FindTrace(tx, project, batch.trace_id));
  if (there && there->trace.experiment != experiment) return OfAnother(batch.trace_id);
  if (!there) {
    TraceRow row;
    row.trace.project = project;
    row.trace.id = batch.trace_id;
    row.trace.experiment = experiment;
    row.trace.started_us = prepared.started_us;
    row.trace.state = State::kAtWork;
    GYRE_TRY(row.number, InsertTrace(tx, row));
    there = std::move(row);
  }
  Widen(prepared, &there->trace, there->told);
  GYRE_DO(AddBatch(tx, &*there, prepared.stored, prepared.bytes));
  if (prepared.root) GYRE_DO(JoinBatches(tx, &*there));
  GYRE_DO(UpdateTrace(tx, *there));
  GYRE_DO(PutLabels(tx, there->number, Label::kTag, batch.tags));
  return FillLabels(tx, there->number, Label::kMetadata, batch.metadata);
}

Result<> TracesImpl::AddSpans(std::string_view project, std::int64_t experiment,
                              std::span<const SpanBatch> batches) {
  std::vector<Prepared> prepared;
  for (const SpanBatch& batch : batches) {
    GYRE_DO(CheckId(batch.trace_id));
    if (!batch.spans.empty()) prepared.push_back(Prepare(batch));
  }
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Prepared& one : prepared) GYRE_DO(AddBatchOf(tx, project, experiment, one));
    return {};
  });
}

Result<Trace> TracesImpl::Get(std::string_view project, std::string_view id) {
  Trace trace;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(TraceRow row, ReadTrace(reader, project, id));
    GYRE_DO(Complete(reader, row.number, &row.trace));
    trace = std::move(row.trace);
    return {};
  }));
  return trace;
}

Result<std::vector<Span>> TracesImpl::SpansOf(std::string_view project, std::string_view id) {
  std::string batches;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const TraceRow row, ReadTrace(reader, project, id));
    GYRE_TRY(batches, ReadBatches(reader, row.number));
    return {};
  }));
  GYRE_TRY(const std::string lines, Decompressed(batches));
  return SpansOfLines(lines);
}

Result<FoundTraces> TracesImpl::Search(const TraceSearch& search) {
  FoundTraces found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindTraces(reader, search));
    return {};
  }));
  return found;
}

Result<Correlation> TracesImpl::Correlate(const TraceSearch& search, const tracking::Filter& first,
                                          const tracking::Filter& second) {
  Correlation counts;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(counts, CountTraces(reader, search, first, second));
    return {};
  }));
  return counts;
}

Result<std::int64_t> TracesImpl::Delete(const TraceDeletion& which) {
  std::int64_t deleted = 0;
  while (true) {
    const std::int64_t wanted =
        std::min(kDeletedAtOnce, which.count_max.value_or(INT64_MAX) - deleted);
    std::int64_t done = 0;
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(const auto traces, TracesToDelete(tx, which, wanted));
      for (const auto& [number, id] : traces) {
        GYRE_DO(RemoveTrace(tx, number));
        const std::string folder = which.folder ? which.folder(id) : "";
        if (!folder.empty())
          GYRE_DO(tracking::RemoveFiles(tx, {tracking::FileOwner::Kind::kProject, which.project},
                                        folder));
      }
      done = static_cast<std::int64_t>(traces.size());
      return {};
    }));
    deleted += done;
    if (done < kDeletedAtOnce) return deleted;
  }
}

Result<> TracesImpl::SetTag(std::string_view project, std::string_view id, std::string_view name,
                            std::string_view value) {
  return ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) {
    return PutLabel(tx, row.number, Label::kTag, name, value);
  });
}

Result<> TracesImpl::DeleteTag(std::string_view project, std::string_view id,
                               std::string_view name) {
  return ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) -> Result<> {
    GYRE_TRY(const bool removed, RemoveLabel(tx, row.number, Label::kTag, name));
    if (removed) return {};
    return NotFound("GY3456", "the trace `{}` has no tag `{}`", id.substr(0, 100),
                    name.substr(0, 100));
  });
}

Result<> TracesImpl::Link(std::string_view project, std::span<const std::string> ids,
                          std::string_view kind, std::string_view target) {
  if (ids.size() > static_cast<std::size_t>(kLinksMax))
    return InvalidArgument("GY3457", "at most {} traces are linked at once", kLinksMax);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const std::string& id : ids) {
      GYRE_TRY(const auto row, FindTrace(tx, project, id));
      if (row) GYRE_DO(PutLink(tx, row->number, kind, target));
    }
    return {};
  });
}

Result<Assessment> TracesImpl::Assess(std::string_view project, std::string_view id,
                                      Assessment assessment) {
  assessment = Dated(std::move(assessment));
  GYRE_DO(ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) -> Result<> {
    GYRE_TRY(const std::int64_t count, CountAssessments(tx, row.number));
    if (count >= kAssessmentsMax)
      return InvalidArgument("GY3459", "a trace has at most {} assessments", kAssessmentsMax);
    if (!assessment.overrides.empty()) {
      GYRE_TRY(const bool there, SetValid(tx, row.number, assessment.overrides, false));
      if (!there) return NoAssessment(id, assessment.overrides);
    }
    return PutAssessment(tx, row.number, assessment);
  }));
  return assessment;
}

Result<Assessment> TracesImpl::GetAssessment(std::string_view project, std::string_view id,
                                             std::string_view assessment) {
  std::optional<Assessment> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const TraceRow row, ReadTrace(reader, project, id));
    GYRE_TRY(found, FindAssessment(reader, row.number, assessment));
    return {};
  }));
  if (!found) return NoAssessment(id, assessment);
  return *std::move(found);
}

Result<Assessment> TracesImpl::ChangeAssessment(std::string_view project, std::string_view id,
                                                std::string_view assessment,
                                                const AssessmentChange& change) {
  Assessment changed;
  GYRE_DO(ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) -> Result<> {
    GYRE_TRY(auto found, FindAssessment(tx, row.number, assessment));
    if (!found) return NoAssessment(id, assessment);
    if (change.value && change.kind != found->kind)
      return InvalidArgument("GY3461", "the assessment `{}` is of kind {}, not {}",
                             assessment.substr(0, 100), found->kind, change.kind);
    if (change.name) found->name = *change.name;
    if (change.value) found->value = *change.value;
    if (change.error) found->error = *change.error;
    if (change.rationale) found->rationale = change.rationale;
    for (const auto& [key, value] : change.metadata) found->metadata[key] = value;
    found->updated_us = clock_.NowMicros();
    GYRE_DO(PutAssessment(tx, row.number, *found));
    changed = *std::move(found);
    return {};
  }));
  return changed;
}

Result<> TracesImpl::DeleteAssessment(std::string_view project, std::string_view id,
                                      std::string_view assessment) {
  return ChangeTrace(project, id, [&](db::Transaction& tx, TraceRow& row) -> Result<> {
    GYRE_TRY(const auto found, FindAssessment(tx, row.number, assessment));
    if (!found) return {};
    if (!found->overrides.empty()) GYRE_DO(SetValid(tx, row.number, found->overrides, true));
    return RemoveAssessment(tx, row.number, assessment);
  });
}

}  // namespace

std::string_view StateWord(State state) { return kStateWords[static_cast<std::size_t>(state)]; }

std::optional<State> StateOf(std::string_view word) {
  for (std::size_t i = 0; i < kStateWords.size(); ++i)
    if (kStateWords[i] == word) return static_cast<State>(i);
  return std::nullopt;
}

Result<std::unique_ptr<Traces>> OpenTraces(db::Database& database, const Clock& clock) {
  return std::make_unique<TracesImpl>(database, clock);
}

}  // namespace gyre::traces
