// Columns of Parquet files whose types we do not hold: how they are read as exactly as can be, and
// what is lost. Private to platform/table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/table/frame.h"

namespace gyre::table {

struct ParquetColumns {
  std::string select;                 // what to select from the files
  std::map<std::string, Type> types;  // of the columns that are read otherwise than usual
  std::vector<std::string> notes;
};
// `given`: a column that shall be text is read as text at once, with every digit.
Result<ParquetColumns> PlanParquetColumns(const std::vector<std::string>& paths,
                                          const Schema& given);

}  // namespace gyre::table
