// One series of the database, reduced to what a chart shows. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "ml/tracking/series.h"
#include "platform/db/database.h"

namespace gyre::tracking {

struct FrameQuery {
  SeriesOrder order = SeriesOrder::kByStep;
  std::optional<std::int64_t> from = {}, to = {};  // of what it is ordered by
  std::size_t points = 1'000;
};
struct Frame {
  std::int64_t points = 0;  // in the range
  Series shown;
};
Result<Frame> ReadFrame(db::Reader& reader, std::int64_t run, std::string_view key,
                        const FrameQuery& query);

}  // namespace gyre::tracking
