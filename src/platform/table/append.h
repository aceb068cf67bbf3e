// Building frames piece by piece.
#pragma once

#include <cstdint>
#include <string>

#include "platform/table/frame.h"

namespace gyre::table {

Frame EmptyFrame(const Schema& schema);
// Appends the rows of `from`, which has the same schema.
void AppendFrame(const Frame& from, Frame* to);
// Bytes that the values take in memory.
std::int64_t FrameBytes(const Frame& frame);
std::string DateText(std::int64_t days);  // "2011-01-01"

}  // namespace gyre::table
