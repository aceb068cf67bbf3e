// Secrets go into the trash, where nobody can read them, and come back.
#pragma once

#include "ledger/secrets/secrets.h"
#include "ledger/trash/trash.h"

namespace gyre::secrets {

trash::Kind SecretTrash(db::Database& database, const Clock& clock);
// Error: kNotFound GY4142.
Result<> RemoveSecret(db::Transaction& tx, const trash::Asked& asked, std::int64_t now_us);
trash::Holding HeldSecrets();

}  // namespace gyre::secrets
