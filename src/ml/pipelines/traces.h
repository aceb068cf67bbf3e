// Runs and the attempts of their steps as spans of a trace. Private.
#pragma once

#include <string_view>

#include "ml/pipelines/pipeline_store.h"
#include "ml/pipelines/records.h"
#include "platform/telemetry/trace.h"

namespace gyre::pipelines {

// A child of what the run began in, or a trace of its id; each retry by hand is a span of its own.
telemetry::SpanContext SpanOf(const RunRecord& run);
// A child of the run; the nonce of the attempt tells it from others.
telemetry::SpanContext SpanOf(const RunRecord& run, std::string_view nonce);
// Of what has ended with a change, for whoever wants to know.
void TellSpans(const RunChange& change);

}  // namespace gyre::pipelines
