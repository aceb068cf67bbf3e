// Spans as they are stored: a line of JSON each, compressed as one piece. Pieces put behind each
// other are one piece too, so that batches become one row without being read. Pure functions.
// Private.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/traces/span.h"

namespace gyre::traces {

std::string SpanLines(std::span<const Span> spans);
std::string Compressed(std::string_view lines);
// Errors: kDataLoss GY3460 when it is not what we wrote.
Result<std::string> Decompressed(std::string_view pieces);
Result<Span> SpanOfLine(std::string_view line);  // GY3460
// In the order of their start, the root first; of those with one id the last.
Result<std::vector<Span>> SpansOfLines(std::string_view lines);

}  // namespace gyre::traces
