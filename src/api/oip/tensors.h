// Tensors of the protocol to frames and back. Pure functions. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/predictors/scorer.h"
#include "platform/table/frame.h"

namespace gyre::oip {

// A request body split as the header Inference-Header-Content-Length says; without it everything is
// JSON.
struct InferBody {
  Json document;
  std::string_view binary;
};
Result<InferBody> SplitBody(std::string_view body, std::string_view header_length);

// One tensor per column, shape [n] or [n, 1]; a column that is not sent is missing. Missing values:
// NaN in a floating tensor (in JSON bare or as text, and so are Infinity and -Infinity), or
// `parameters.null_mask`: "0010" or [false, false, true, false]. Errors: kInvalidArgument GY3830
// (document), GY3831 (tensor, named).
Result<table::Frame> FrameOfInputs(const InferBody& body, const table::Schema& schema,
                                   const table::Formats& formats, std::int64_t rows_max);

// What the outputs are called and hold: `prediction` (BYTES, or FP64 for regression) and
// `probability` (FP64, [n, classes]).
Json InputsMetadata(const table::Schema& schema);
Json OutputsMetadata(const predictors::Scorer& scorer);

struct InferAnswer {
  std::string body;
  std::size_t json_bytes = 0;  // 0 = all of it: no binary tensor follows
};
struct AnswerHead {
  std::string model, version, id;
};
// Honours `outputs`, their `binary_data`, and `parameters.binary_data_output`. Error: GY3832 an
// output that does not exist.
Result<InferAnswer> MakeAnswer(const AnswerHead& head, const Json& request,
                               const predictors::Scorer& scorer, const predictors::Scores& scores);

}  // namespace gyre::oip
