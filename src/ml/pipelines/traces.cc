#include "ml/pipelines/traces.h"

#include <utility>

namespace gyre::pipelines {
namespace {

// As the conventions for pipelines name it.
std::string ResultName(State state) {
  switch (state) {
    case State::kSucceeded:
      return "success";
    case State::kCancelled:
      return "cancellation";
    case State::kSkipped:
      return "skip";
    default:
      return "failure";
  }
}

void AddError(State state, const std::string& code, const std::string& reason,
              telemetry::Span* span) {
  if (state != State::kFailed) return;
  span->failed = true;
  span->message = reason;
  span->attributes.emplace_back("error.type", code.empty() ? "_OTHER" : code);
}

telemetry::Span RunSpan(const RunRecord& run) {
  telemetry::SpanContext own = SpanOf(run);
  const auto parent = telemetry::ParseTraceParent(run.trace);
  telemetry::Span span{.trace_id = std::move(own.trace_id),
                       .span_id = std::move(own.span_id),
                       .parent_id = parent ? parent->span_id : std::string(),
                       .name = "RUN " + run.pipeline,
                       .kind = telemetry::SpanKind::kServer,
                       .start_us = run.created_us,
                       .end_us = run.ended_us,
                       .attributes = {{"cicd.pipeline.action.name", "RUN"},
                                      {"cicd.pipeline.name", run.pipeline},
                                      {"cicd.pipeline.run.id", run.id},
                                      {"cicd.pipeline.result", ResultName(run.state)},
                                      {"gyre.project", run.project},
                                      {"gyre.pipeline.version", run.version},
                                      {"gyre.pipeline.triggered_by", run.triggered_by},
                                      {"gyre.pipeline.retries", std::int64_t{run.retries}},
                                      {"gyre.cpu_seconds", run.cpu_seconds}}};
  if (!run.created_by.empty()) span.attributes.emplace_back("enduser.id", run.created_by);
  AddError(run.state, run.error, run.reason, &span);
  return span;
}

telemetry::Span AttemptSpan(const RunRecord& run, const TaskGroup& group,
                            const AttemptRecord& attempt) {
  telemetry::SpanContext own = SpanOf(run, attempt.nonce);
  const std::string task =
      attempt.item < 0 ? group.step : fmt::format("{}[{}]", group.step, attempt.item);
  telemetry::Span span{.trace_id = std::move(own.trace_id),
                       .span_id = std::move(own.span_id),
                       .parent_id = SpanOf(run).span_id,
                       .name = group.step,
                       .start_us = attempt.started_us,
                       .end_us = attempt.ended_us,
                       .attributes = {{"cicd.pipeline.name", run.pipeline},
                                      {"cicd.pipeline.run.id", run.id},
                                      {"cicd.pipeline.task.name", group.step},
                                      {"cicd.pipeline.task.run.id",
                                       fmt::format("{}/{}#{}", run.id, task, attempt.number)},
                                      {"cicd.pipeline.task.run.result", ResultName(attempt.state)},
                                      {"gyre.project", run.project},
                                      {"gyre.attempt", std::int64_t{attempt.number}},
                                      {"gyre.cpu_seconds", attempt.cpu_seconds},
                                      {"gyre.memory_bytes_peak", attempt.memory_bytes_peak}}};
  if (group.books_usage)
    span.attributes.emplace_back("process.exit.code", std::int64_t{attempt.exit_code});
  if (group.task && !group.task->task.cached_from.empty())
    span.attributes.emplace_back("gyre.cached_from", group.task->task.cached_from);
  AddError(attempt.state, group.task ? group.task->task.error : std::string(), attempt.reason,
           &span);
  return span;
}

}  // namespace

telemetry::SpanContext SpanOf(const RunRecord& run) {
  auto span = telemetry::ParseTraceParent(run.trace).value_or(
      telemetry::SpanContext{telemetry::TraceIdOf(run.id), "", true});
  span.span_id =
      telemetry::SpanIdOf(run.retries == 0 ? run.id : fmt::format("{}/{}", run.id, run.retries));
  return span;
}

telemetry::SpanContext SpanOf(const RunRecord& run, std::string_view nonce) {
  telemetry::SpanContext span = SpanOf(run);
  span.span_id = telemetry::SpanIdOf(nonce);
  return span;
}

void TellSpans(const RunChange& change) {
  if (!change.traced) return;
  for (const TaskGroup& group : change.groups) {
    for (const AttemptRecord& attempt : group.attempts)
      if (HasEnded(attempt.state)) telemetry::TellSpan(AttemptSpan(*change.traced, group, attempt));
  }
  if (change.run && HasEnded(change.run->state)) telemetry::TellSpan(RunSpan(*change.run));
}

}  // namespace gyre::pipelines
