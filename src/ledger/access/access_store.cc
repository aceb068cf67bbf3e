#include "ledger/access/access_store.h"

#include "base/limits.h"
#include "base/text.h"
#include "ledger/trash/parcel.h"

namespace gyre::access {
namespace {

constexpr int kTokensMax = 100'000;
constexpr int kGrantsMax = 10'000;

constexpr std::string_view kUserColumns = "SELECT id, name, disabled, created_us FROM access_user ";
constexpr std::string_view kTokenColumns =
    "SELECT t.id, t.kind, t.user_id, COALESCE(u.name, t.user_id), t.name, t.scopes, t.project, "
    "t.run_id, t.created_us, t.expires_us, "
    "t.last_used_us, t.hash FROM access_token t LEFT JOIN access_user u ON u.id = t.user_id "
    "WHERE t.revoked_us = 0 AND (t.expires_us = 0 OR t.expires_us > ?1) ";

User UserAt(const db::Row& row) {
  User user;
  user.id = row.Str(0);
  user.name = row.Str(1);
  user.disabled = row.Bool(2);
  user.created_us = row.Int(3);
  return user;
}

StoredToken TokenAt(const db::Row& row) {
  StoredToken stored;
  Token& token = stored.token;
  token.id = row.Str(0);
  token.kind = row.Str(1);
  token.user_id = row.Str(2);
  token.user = row.Str(3);
  token.name = row.Str(4);
  for (const std::string_view word : Split(row.Text(5), ' ')) token.scopes.emplace_back(word);
  token.project = row.Str(6);
  token.run_id = row.Str(7);
  token.created_us = row.Int(8);
  token.expires_us = row.Int(9);
  token.last_used_us = row.Int(10);
  stored.hash = row.Str(11);
  return stored;
}

Result<> ReadGrants(db::Reader& reader, User* user) {
  return reader.Query(
      "SELECT project, role FROM access_grant WHERE user_id = ?1 ORDER BY project, role LIMIT ?2",
      {user->id, kGrantsMax}, [&](const db::Row& row) -> Result<> {
        GYRE_TRY(const Role role, ParseRole(row.Text(1)));
        user->grants.push_back({row.Str(0), role});
        return {};
      });
}

Result<std::optional<User>> FindBy(db::Reader& reader, std::string_view condition,
                                   std::string_view value) {
  std::optional<User> user;
  const std::string sql = std::string(kUserColumns) + std::string(condition);
  GYRE_TRY(const bool found,
           reader.QueryOne(sql, {value}, [&](const db::Row& row) { user = UserAt(row); }));
  if (found) GYRE_DO(ReadGrants(reader, &*user));
  return user;
}

Result<int> Count(db::Reader& reader, std::string_view sql, db::Params params) {
  std::int64_t count = 0;
  GYRE_TRY(const bool found,
           reader.QueryOne(sql, params, [&](const db::Row& row) { count = row.Int(0); }));
  return found ? static_cast<int>(count) : 0;
}

}  // namespace

Result<int> CountUsers(db::Reader& reader) {
  return Count(reader, "SELECT COUNT(*) FROM access_user", {});
}

Result<int> CountAdministrators(db::Reader& reader) {
  return Count(reader,
               "SELECT COUNT(*) FROM access_user u JOIN access_grant g ON g.user_id = u.id "
               "WHERE u.disabled = 0 AND g.project = '*' AND g.role = 'admin'",
               {});
}

Result<std::vector<User>> ReadUsers(db::Reader& reader, std::string_view after_name, int limit) {
  GYRE_TRY(auto users,
           db::Collect<User>(reader,
                             std::string(kUserColumns) + "WHERE name > ?1 ORDER BY name LIMIT ?2",
                             {after_name, limit}, UserAt));
  for (User& user : users) GYRE_DO(ReadGrants(reader, &user));
  return users;
}

Result<std::optional<User>> FindUser(db::Reader& reader, std::string_view name) {
  return FindBy(reader, "WHERE name = ?1", name);
}
Result<std::optional<User>> FindUserById(db::Reader& reader, std::string_view id) {
  return FindBy(reader, "WHERE id = ?1", id);
}

Result<std::string> PasswordHashOf(db::Reader& reader, std::string_view user_id) {
  std::string hash;
  GYRE_TRY(const bool found,
           reader.QueryOne("SELECT password_hash FROM access_user WHERE id = ?1 AND disabled = 0",
                           {user_id}, [&](const db::Row& row) { hash = row.Str(0); }));
  return found ? hash : std::string();
}

Result<std::unordered_map<std::string, std::string>> PasswordHashes(db::Reader& reader) {
  std::unordered_map<std::string, std::string> hashes;
  GYRE_DO(reader.Query("SELECT id, password_hash FROM access_user WHERE disabled = 0", {},
                       [&](const db::Row& row) -> Result<> {
                         hashes[row.Str(0)] = row.Str(1);
                         return {};
                       }));
  return hashes;
}

Result<> InsertUser(db::Transaction& tx, const User& user, std::string_view password_hash,
                    std::string_view by) {
  return tx.Execute(
      "INSERT INTO access_user (id, name, password_hash, disabled, created_by, created_us) VALUES "
      "(?1, ?2, ?3, 0, ?4, ?5)",
      {user.id, user.name, password_hash, by, user.created_us});
}

Result<> UpdatePassword(db::Transaction& tx, std::string_view user_id, std::string_view hash) {
  return tx.Execute("UPDATE access_user SET password_hash = ?2 WHERE id = ?1", {user_id, hash});
}

Result<> UpdateDisabled(db::Transaction& tx, std::string_view user_id, bool disabled) {
  return tx.Execute("UPDATE access_user SET disabled = ?2 WHERE id = ?1", {user_id, disabled});
}

Result<> RemoveUser(db::Transaction& tx, const User& user, std::string_view by,
                    std::int64_t now_us) {
  GYRE_DO(
      tx.Execute("UPDATE access_token SET revoked_us = ?2 WHERE user_id = ?1 AND kind <> "
                 "'personal' AND revoked_us = 0",
                 {user.id, now_us}));
  GYRE_TRY(trash::Parcel parcel,
           trash::Parcel::Begin(
               tx, {.noun = "user", .project = "", .name = user.name, .by = by, .now_us = now_us}));
  GYRE_DO(parcel.Take("access_token", "user_id = ?1 AND revoked_us = 0", {user.id}));
  GYRE_DO(parcel.Take("access_grant", "user_id = ?1", {user.id}));
  return parcel.Take("access_user", "id = ?1", {user.id});
}

Result<> InsertGrant(db::Transaction& tx, std::string_view user_id, const Grant& grant,
                     std::string_view by, std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO access_grant (user_id, project, role, granted_by, granted_us) VALUES (?1, ?2, "
      "?3, ?4, ?5) "
      "ON CONFLICT (user_id, project, role) DO NOTHING",
      {user_id, grant.project, RoleName(grant.role), by, now_us});
}

Result<> DeleteGrant(db::Transaction& tx, std::string_view user_id, const Grant& grant) {
  return tx.Execute("DELETE FROM access_grant WHERE user_id = ?1 AND project = ?2 AND role = ?3",
                    {user_id, grant.project, RoleName(grant.role)});
}

Result<std::vector<StoredToken>> LiveTokens(db::Reader& reader, std::int64_t now_us) {
  return db::Collect<StoredToken>(
      reader, std::string(kTokenColumns) + "ORDER BY t.created_us DESC LIMIT ?2",
      {now_us, kTokensMax}, TokenAt);
}

Result<std::vector<Token>> ReadTokens(db::Reader& reader, std::string_view user_id,
                                      std::string_view after_id, int limit, std::int64_t now_us) {
  return db::Collect<Token>(
      reader,
      std::string(kTokenColumns) +
          "AND (?2 = '' OR t.user_id = ?2) AND t.id > ?3 ORDER BY t.id LIMIT ?4",
      {now_us, user_id, after_id, limit}, [](const db::Row& row) { return TokenAt(row).token; });
}

Result<> InsertToken(db::Transaction& tx, const StoredToken& stored) {
  const Token& token = stored.token;
  return tx.Execute(
      "INSERT INTO access_token (id, kind, user_id, name, hash, scopes, project, run_id, "
      "created_us, expires_us, last_used_us, "
      "revoked_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0)",
      {token.id, token.kind, token.user_id, token.name, stored.hash, Join(token.scopes, " "),
       token.project, token.run_id, token.created_us, token.expires_us});
}

Result<> RevokeTokenRow(db::Transaction& tx, std::string_view id, std::int64_t now_us) {
  return tx.Execute("UPDATE access_token SET revoked_us = ?2 WHERE id = ?1 AND revoked_us = 0",
                    {id, now_us});
}

Result<std::vector<std::string>> RunsWithLiveTokens(db::Reader& reader, std::int64_t now_us) {
  return db::Collect<std::string>(
      reader,
      "SELECT DISTINCT run_id FROM access_token WHERE kind = 'program' AND revoked_us = 0 AND "
      "expires_us > ?1",
      {now_us}, [](const db::Row& row) { return row.Str(0); });
}

Result<> RevokeTokensOfRun(db::Transaction& tx, std::string_view run_id, std::int64_t now_us) {
  return tx.Execute(
      "UPDATE access_token SET revoked_us = ?2 WHERE run_id = ?1 AND kind = 'program' AND "
      "revoked_us = 0",
      {run_id, now_us});
}

Result<> RevokeSessionsOf(db::Transaction& tx, std::string_view user_id, std::int64_t now_us) {
  return tx.Execute(
      "UPDATE access_token SET revoked_us = ?2 WHERE user_id = ?1 AND kind = 'session' AND "
      "revoked_us = 0",
      {user_id, now_us});
}

Result<> TouchToken(db::Transaction& tx, std::string_view id, std::int64_t used_us) {
  return tx.Execute("UPDATE access_token SET last_used_us = ?2 WHERE id = ?1", {id, used_us});
}

Result<> ReplaceSetup(db::Transaction& tx, std::string_view hash, std::int64_t expires_us) {
  GYRE_DO(tx.Execute("DELETE FROM access_setup", {}));
  return tx.Execute("INSERT INTO access_setup (hash, expires_us, used_us) VALUES (?1, ?2, 0)",
                    {hash, expires_us});
}

Result<bool> UseSetup(db::Transaction& tx, std::string_view hash, std::int64_t now_us) {
  GYRE_DO(tx.Execute(
      "UPDATE access_setup SET used_us = ?2 WHERE hash = ?1 AND used_us = 0 AND expires_us > ?2",
      {hash, now_us}));
  return tx.changes() == 1;
}

}  // namespace gyre::access
