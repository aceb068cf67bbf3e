// What owner and worker agree on. A request: {"task", "input", "scratch", "memory_bytes_max"}.
// Answers, one JSON document per line:
// {"progress", "text"}, {"log"}, {"event", "data"}, and last {"result"} or {"error"} with the
// resources used.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "base/json.h"

namespace gyre::runners {

constexpr std::size_t kMessageBytesMax = std::size_t{64} << 20;
constexpr int kMessageDepthMax = 96;

Json ErrorToJson(const Error& error);
Error ErrorFromJson(const Json& json);

}  // namespace gyre::runners
