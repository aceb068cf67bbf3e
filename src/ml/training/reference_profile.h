// What a model version was made from, in numbers that later data can be compared with: bins with
// whole counts, which merge without loss. Pure.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/predictors/scorer.h"
#include "platform/table/frame.h"

namespace gyre::training {

// A column in bins. Numbers, dates and times: {"name", "type", "rows", "missing", "edges": of equal
// shares of the rows, ascending, "counts": one less; a bin holds its lower edge, the last one
// both}. Text and booleans: {"values": [{"value", "count"}] the most frequent first, "other": the
// rest}.
Json BinnedColumn(const table::Column& column);

// {"schema": "gyre.reference.v1", "rows", "profile": as of a dataset, "columns": of the training
// rows, "predictions": of rows held out, since a model is too sure of those that taught it}.
Result<Json> ReferenceProfile(const table::Frame& train, const table::Frame& held_out,
                              const predictors::Scorer& scorer);

}  // namespace gyre::training
