// The files of this module: a document that says what they hold, then frames, each record under a
// checksum of its own. Whole numbers lie as differences to the smallest in 0, 1, 2, 4 or 8 bytes,
// doubles that are whole numbers alike, text once per distinct value: fast to write, because the
// process that answers requests writes them. Private.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

void AppendHead(const Json& facts, std::string* out);  // magic and the document
void AppendFrameRecord(const table::Frame& frame, std::string* out);

// Reads a file record by record, so that a long one takes no memory. Errors: kDataLoss GY4601 names
// the file and what is wrong with it; those of the frames' receiver.
using FrameCallback = std::function<Result<>(table::Frame& frame)>;
Result<Json> ReadFacts(const std::string& path);
Result<> ForEachFrame(const std::string& path, const FrameCallback& callback);

// For tests and merging: a file in memory.
Result<Json> FactsOf(std::string_view bytes, std::string_view name);
Result<> ForEachFrameOf(std::string_view bytes, std::string_view name,
                        const FrameCallback& callback);

}  // namespace gyre::inference_log
