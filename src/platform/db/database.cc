#include "platform/db/database.h"

namespace gyre::db {

Result<bool> Reader::QueryOne(std::string_view sql, Params params,
                              const std::function<void(const Row&)>& row) {
  bool found = false;
  GYRE_DO(Query(sql, params, [&](const Row& current) -> Result<> {
    if (!found) row(current);
    found = true;
    return {};
  }));
  return found;
}

}  // namespace gyre::db
