// A job as a span of a trace. Private.
#pragma once

#include "ml/runners/job_store.h"
#include "platform/telemetry/trace.h"

namespace gyre::runners {

// Its own: a child of what it began in, or a trace of its id.
telemetry::SpanContext SpanOf(const QueuedJob& queued);
// Of a job that has ended, for whoever wants to know.
void TellSpan(const QueuedJob& queued, const Job& ended);

}  // namespace gyre::runners
