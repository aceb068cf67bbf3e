// The records of one JSON file: an object a line, objects one after another, or one array of
// objects. Private to platform/table.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "platform/table/csv_records.h"
#include "platform/table/records.h"

namespace gyre::table {

// Members become columns in the order of their first appearance. Lists and objects inside a record
// stay JSON text. Errors: kInvalidArgument GY2036 broken JSON or a record that is no object (file
// and line), GY2031 no records; those of TextSource.
Result<std::unique_ptr<RecordSource>> OpenJson(const std::string& path,
                                               const std::string& shown_name,
                                               const CsvOptions& options);

}  // namespace gyre::table
