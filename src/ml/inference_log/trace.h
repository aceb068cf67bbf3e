// Which captured row has an inference id; where none has, when its thread gave that id, told by the
// neighbours that were captured. For a worker. Private.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/store.h"
#include "ml/runners/tasks.h"

namespace gyre::inference_log {

// An id that gyre gave: "0123456789abcdef0123456789abcdef", or with "-3" for the row of that
// number.
struct OwnId {
  std::uint64_t high = 0, low = 0;
  std::int64_t row = 0;
};
std::optional<OwnId> ParseOwnId(std::string_view text);

// How many answers of the same thread lie between two ids; negative: `to` came before.
std::int64_t AnswersBetween(std::uint64_t from_low, std::uint64_t to_low);

// The answer with that id among the newest segments first, with what it said and what is known to
// be true; `plan` reads one event time of one segment.
using PlanRow = std::function<Result<ReadPlan>(const SegmentRow& segment, std::int64_t event_us)>;
Result<Trace> TraceAnswer(const std::string& id, const std::vector<SegmentRow>& segments,
                          blob::Store& blobs, runners::Jobs& jobs, const PlanRow& plan);

// {"id", "files": [{"path", "place"}]} -> what TraceFromJson reads, with "place" of the file.
Result<Json> TraceTask(runners::TaskContext& context);
Trace TraceFromJson(const Json& json);

}  // namespace gyre::inference_log
