#include "ledger/secrets/trash_kind.h"

#include "ledger/trash/parcel.h"

namespace gyre::secrets {

Result<> RemoveSecret(db::Transaction& tx, const trash::Asked& asked, std::int64_t now_us) {
  GYRE_TRY(const bool found, tx.QueryOne("SELECT 1 FROM secret WHERE project = ?1 AND name = ?2",
                                         {asked.project, asked.name}, [](const db::Row&) {}));
  if (!found)
    return NotFound("GY4142", "project {} has no secret `{}`", asked.project, asked.name)
        .Fix("gyre secrets");
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "secret",
                                                           .project = asked.project,
                                                           .name = asked.name,
                                                           .by = asked.by,
                                                           .now_us = now_us}));
  return parcel.Take("secret", "project = ?1 AND name = ?2", {asked.project, asked.name});
}

trash::Kind SecretTrash(db::Database& database, const Clock& clock) {
  return {.noun = "secret",
          .permission = "secret.write",
          .names = {{"secret", "name"}},
          .remove = [&](const trash::Asked& asked) -> Result<std::string> {
            GYRE_DO(database.Write(
                [&](db::Transaction& tx) { return RemoveSecret(tx, asked, clock.NowMicros()); }));
            return std::string(asked.name);
          }};
}

trash::Holding HeldSecrets() {
  return {.what = "secrets",
          .count = "SELECT COUNT(*) FROM secret WHERE project = ?1",
          .rows = {{"secret"}}};
}

}  // namespace gyre::secrets
