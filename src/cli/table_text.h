// Rows of documents as text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/output.h"

namespace gyre::cli {

// Control characters as \n, \t, \x1b: a cell must neither break its line nor steer a terminal.
std::string OneLineText(std::string_view text);
// The same of a text of several lines, which keeps its colours: what others wrote must not steer
// the terminal of whoever reads it.
std::string SteerlessText(std::string_view text);
// The member of that name, else the one that the dotted key leads to.
bool HasMemberAt(const Json& row, std::string_view key);
const Json& MemberAt(const Json& row, std::string_view key);
std::string HumanCell(const Json& value,
                      ColumnSpec::Format format);  // "50,000", "1.2 GB", "2026-11-21 08:12"
std::string PlainCell(const Json& value, ColumnSpec::Format format);  // "50000", times in ISO 8601

std::string AlignedTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers,
                         int width_max);
std::string TsvTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers);
std::string CsvTable(std::span<const ColumnSpec> columns, const Json& rows, bool headers);

}  // namespace gyre::cli
