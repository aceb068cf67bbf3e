// Numbers of the names of params, tags and metrics. Known ones are kept in memory; names are never
// taken away. Thread-safe. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "platform/db/database.h"

namespace gyre::tracking {

class NameBook {
 public:
  explicit NameBook(db::Database& database) : database_(database) {}
  // In the order of `names`. Those that nobody has used before are written first, in a transaction
  // of their own: not to be called inside of one.
  Result<std::vector<std::int64_t>> NumbersOf(const std::vector<std::string_view>& names);
  static Result<std::int64_t> Ensure(db::Transaction& tx, std::string_view name);
  // 0 when nobody has used it.
  static Result<std::int64_t> Find(db::Reader& reader, std::string_view name);

 private:
  db::Database& database_;
  Mutex mutex_;
  std::unordered_map<std::string, std::int64_t> known_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::tracking
