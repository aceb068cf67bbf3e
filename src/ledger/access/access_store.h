// All SQL of ledger/access. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/access/access.h"

namespace gyre::access {

struct StoredToken {
  Token token;
  std::string hash;
};

Result<int> CountUsers(db::Reader& reader);
Result<std::vector<User>> ReadUsers(db::Reader& reader, std::string_view after_name,
                                    int limit);  // with grants, by name
Result<std::optional<User>> FindUser(db::Reader& reader, std::string_view name);
Result<std::optional<User>> FindUserById(db::Reader& reader, std::string_view id);
Result<std::string> PasswordHashOf(db::Reader& reader,
                                   std::string_view user_id);  // "" when there is no such user
// By user id; of those who may come in.
Result<std::unordered_map<std::string, std::string>> PasswordHashes(db::Reader& reader);
Result<> InsertUser(db::Transaction& tx, const User& user, std::string_view password_hash,
                    std::string_view by);
Result<> UpdatePassword(db::Transaction& tx, std::string_view user_id, std::string_view hash);
Result<> UpdateDisabled(db::Transaction& tx, std::string_view user_id, bool disabled);
Result<> RemoveUser(db::Transaction& tx, const User& user, std::string_view by,
                    std::int64_t now_us);
Result<> InsertGrant(db::Transaction& tx, std::string_view user_id, const Grant& grant,
                     std::string_view by, std::int64_t now_us);
Result<> DeleteGrant(db::Transaction& tx, std::string_view user_id, const Grant& grant);
// Enabled users that administer everything.
Result<int> CountAdministrators(db::Reader& reader);

Result<std::vector<StoredToken>> LiveTokens(db::Reader& reader, std::int64_t now_us);
Result<std::vector<Token>> ReadTokens(db::Reader& reader, std::string_view user_id,
                                      std::string_view after_id, int limit,
                                      std::int64_t now_us);  // an empty user_id means everybody's
Result<> InsertToken(db::Transaction& tx, const StoredToken& token);
Result<> RevokeTokenRow(db::Transaction& tx, std::string_view id, std::int64_t now_us);
Result<std::vector<std::string>> RunsWithLiveTokens(db::Reader& reader, std::int64_t now_us);
Result<> RevokeTokensOfRun(db::Transaction& tx, std::string_view run_id, std::int64_t now_us);
Result<> RevokeSessionsOf(db::Transaction& tx, std::string_view user_id, std::int64_t now_us);
Result<> TouchToken(db::Transaction& tx, std::string_view id, std::int64_t used_us);

Result<> ReplaceSetup(db::Transaction& tx, std::string_view hash, std::int64_t expires_us);
// True when the secret was good until now; it is used up by this.
Result<bool> UseSetup(db::Transaction& tx, std::string_view hash, std::int64_t now_us);

}  // namespace gyre::access
