// Numbers of the names of params, tags and metrics. Known ones are kept in memory; names are never
// taken away. Thread-safe. Private.
#pragma once

#include <cstdint>
#include <functional>
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
  std::int64_t Known(std::string_view name) const;            // 0 = unknown
  void Remember(std::string_view name, std::int64_t number);  // one that is durable
  // In the order of `names`. Those that nobody has used before are written first, in a transaction
  // of their own: not to be called inside of one.
  Result<std::vector<std::int64_t>> NumbersOf(const std::vector<std::string_view>& names);
  static Result<std::int64_t> Ensure(db::Transaction& tx, std::string_view name);
  // 0 when nobody has used it.
  static Result<std::int64_t> Find(db::Reader& reader, std::string_view name);

 private:
  db::Database& database_;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  mutable Mutex mutex_;
  std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>> known_
      GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::tracking
