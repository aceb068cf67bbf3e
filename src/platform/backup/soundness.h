// Whether the database of a data directory is whole, looked at from outside: for those who do not
// open databases.
#pragma once

#include <string>

#include "base/error.h"

namespace gyre::backup {

// Reads each page, beside an owner too; nothing is wrong with a directory that has no database yet.
// Errors: kDataLoss GY1405 with the way out.
Result<> CheckDatabase(const std::string& data_directory);

}  // namespace gyre::backup
