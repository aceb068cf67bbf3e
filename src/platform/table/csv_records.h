// The records of one CSV file. Private to platform/table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/table/csv_dialect.h"
#include "platform/table/records.h"
#include "platform/table/text_source.h"

namespace gyre::table {

enum class Ragged : unsigned char {
  kError,
  kPad,
  kSetAside
};  // a record with too few or too many cells

struct CsvOptions {
  std::optional<Encoding> encoding = {};
  std::optional<char> delimiter = {};
  std::optional<bool> header = {};
  Ragged ragged = Ragged::kError;
  std::string command = "gyre add FILE";  // of ImportOptions
};

// Errors: kInvalidArgument GY2031 empty file or no rows, GY2032 two columns of one name, GY2034 a
// record with another number of cells, GY2035 a quote that never ends; those of TextSource.
Result<std::unique_ptr<RecordSource>> OpenCsv(const std::string& path,
                                              const std::string& shown_name,
                                              const CsvOptions& options);

// Names for columns without one, and no two alike (also not in another case: SQL could not tell
// them apart). GY2032.
Result<> CheckColumnNames(std::vector<std::string>* names, const std::string& shown_name);

}  // namespace gyre::table
