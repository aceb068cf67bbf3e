// Pictures of one column as inline SVG: the reference as an area, the current table as a line; bars
// for categories. Colours are classes of the page. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace gyre::monitoring {

// Text as HTML: nothing in it is markup.
std::string EscapeHtml(std::string_view text);
// A number of a column of that type, in few digits: "12.3", "2011-12-31".
std::string ShownNumber(std::string_view type, double value);

// Of a column of a comparison; empty where it has no picture.
std::string ColumnPicture(const Json& column);
// The same without words, for a line of a table.
std::string ColumnSpark(const Json& column);

}  // namespace gyre::monitoring
