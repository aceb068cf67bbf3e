#include "ledger/access/trash_kind.h"

namespace gyre::access {

trash::Kind UserTrash(Access& access) {
  return {.noun = "user",
          .permission = "access.admin",
          .names = {{"access_user", "name"}},
          .remove = [&access](const trash::Asked& asked) -> Result<std::string> {
            net::Principal by;
            by.name = asked.by;
            GYRE_DO(access.DeleteUser(by, asked.name));
            return std::string(asked.name);
          },
          .wake = [&access](const trash::Item&, std::string_view) { return access.Refresh(); }};
}

trash::Holding HeldRights(Access& access) {
  return {.rows = {{"access_grant"}, {"access_token"}},
          // Those of a user who has come back meanwhile, or has gone.
          .yields = {"access_grant"},
          .changed = [&access] { return access.Refresh(); }};
}

}  // namespace gyre::access
