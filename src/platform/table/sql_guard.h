// Which SQL of a person may be run at all. Private to platform/table.
#pragma once

#include <string_view>

#include "base/error.h"

namespace gyre::table {

// DuckDB's own catalogue and settings tell folders of the server, and `query('...')` hides SQL in a
// text. Error: kPermissionDenied GY2018 with the word.
Result<> CheckSqlWords(std::string_view sql);

}  // namespace gyre::table
