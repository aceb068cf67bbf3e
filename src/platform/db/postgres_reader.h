// Somebody's PostgreSQL database, read only, as of the moment of the first question. libpq is
// loaded from the system at the first use.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::db {

class PostgresReader {
 public:
  virtual ~PostgresReader() = default;
  // SQL as for Reader, ?1 for parameters. Rows are fetched as they are taken. Error: GY1421 with
  // what the server said.
  virtual Result<> Read(const std::function<Result<>(Reader&)>& body) = 0;
};

// `url`: postgresql://user:password@host:port/name?options; libpq's own environment (PGPASSWORD,
// ~/.pgpass) holds, too. Errors: kFailedPrecondition GY1420 libpq is not installed, kUnavailable
// GY1421 no connection.
Result<std::unique_ptr<PostgresReader>> OpenPostgres(const std::string& url);

}  // namespace gyre::db
