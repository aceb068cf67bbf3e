// What differs between the databases' SQL. Module schemas are written in the part that both share:
// TEXT, INTEGER or BIGINT, REAL, BLOB; RETURNING, ON CONFLICT, common table expressions, window
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::db {

// Statements of a migration, without comments, split at ';' outside quotes.
std::vector<std::string> SplitStatements(std::string_view sql);

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;
  // One statement of a migration as this database takes it. Error: kInternal GY1407 for what does
  // not exist in both.
  virtual Result<std::string> Schema(std::string_view statement) const = 0;
};
const Dialect& SqliteDialect();

}  // namespace gyre::db
