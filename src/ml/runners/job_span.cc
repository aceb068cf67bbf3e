#include "ml/runners/job_span.h"

#include <utility>

namespace gyre::runners {

telemetry::SpanContext SpanOf(const QueuedJob& queued) {
  const std::string& id = queued.job.id;
  auto span = telemetry::ParseTraceParent(queued.trace)
                  .value_or(telemetry::SpanContext{telemetry::TraceIdOf(id), "", true});
  span.span_id = telemetry::SpanIdOf(id);
  return span;
}

void TellSpan(const QueuedJob& queued, const Job& ended) {
  telemetry::SpanContext own = SpanOf(queued);
  if (!own.sampled || !telemetry::SpansAreWanted()) return;
  const auto parent = telemetry::ParseTraceParent(queued.trace);
  const std::int64_t start_us = ended.started_us > 0 ? ended.started_us : ended.created_us;
  telemetry::Span span{.trace_id = std::move(own.trace_id),
                       .span_id = std::move(own.span_id),
                       .parent_id = parent ? parent->span_id : std::string(),
                       .name = ended.kind,
                       .start_us = start_us,
                       .end_us = ended.ended_us,
                       .attributes = {{"gyre.project", ended.project},
                                      {"gyre.job.id", ended.id},
                                      {"gyre.job.kind", ended.kind},
                                      {"gyre.job.title", ended.title},
                                      {"gyre.job.state", ended.state},
                                      {"gyre.job.waited_us", start_us - ended.created_us},
                                      {"gyre.cpu_seconds", ended.cpu_seconds},
                                      {"gyre.memory_bytes_peak", ended.memory_bytes_peak}},
                       .failed = ended.state == "failed" || ended.state == "interrupted",
                       .message = ended.error_message};
  const auto add = [&span](std::string_view key, const std::string& value) {
    if (!value.empty()) span.attributes.emplace_back(key, value);
  };
  add("enduser.id", ended.created_by);
  add("error.type", ended.error_code);
  add("gyre.run.id", ended.result["run"].AsString());
  add("cicd.pipeline.run.id", queued.part.run);
  add("cicd.pipeline.task.name", queued.part.step);
  telemetry::TellSpan(std::move(span));
}

}  // namespace gyre::runners
