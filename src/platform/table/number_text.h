// Numbers as people and spreadsheets write them: 1.234,5 or 1,234.5, perhaps with a percent or
// currency sign. Pure functions. Private to platform/table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "platform/table/formats.h"

namespace gyre::table {

// Whole number without superfluous zeros, so that ids keep theirs.
std::optional<std::int64_t> ParseWhole(std::string_view text);
// A plain number: no signs of thousands, no currency.
std::optional<double> ParseReal(std::string_view text, char decimal_point);

// Also with signs of thousands (the other one of comma and point), and a unit on either side.
// `*unit` is its place in kUnits, -1 without one.
std::optional<double> ParseWritten(std::string_view text, char decimal_point, int* unit);

}  // namespace gyre::table
