#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "ledger/access/access_service.h"
#include "ledger/access/password.h"

namespace gyre::access {
namespace {

std::string_view PrefixOf(std::string_view kind) {
  if (kind == "session") return "gyre_ses_";
  if (kind == "program") return "gyre_run_";
  return "gyre_pat_";
}

}  // namespace

Error UserHasGone() {
  return Error(Code::kUnauthenticated, "GY1720",
               "the user was removed, disabled or given another password meanwhile")
      .Fix("gyre login");
}

Result<> InsertTokenOfLivingUser(db::Transaction& tx, const StoredToken& stored) {
  if (stored.token.user_id != kLocalOwner) {
    GYRE_TRY(const auto user, FindUserById(tx, stored.token.user_id));
    if (!user || user->disabled) return UserHasGone();
  }
  return InsertToken(tx, stored);
}

bool AccessService::Administers(const net::Principal& principal) const {
  if (principal.kind == "owner") return true;
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    if (known->token.id != principal.token_id) continue;
    const auto index = PermissionIndex("access.admin");
    return known->scopes.permissions.test(*index) && known->rights.everywhere.test(*index) &&
           known->token.project.empty();
  }
  return false;
}

StoredToken AccessService::NewStoredToken(std::string_view kind, std::string_view user_id,
                                          std::string_view user, std::int64_t lifetime_us,
                                          std::string* secret) const {
  *secret = NewSecret(PrefixOf(kind));
  StoredToken stored;
  stored.hash = Sha256Hex(*secret);
  stored.token.id = NewId();
  stored.token.kind = kind;
  stored.token.user_id = user_id;
  stored.token.user = user;
  stored.token.scopes = {"*"};
  stored.token.created_us = clock_.NowMicros();
  stored.token.expires_us = lifetime_us > 0 ? stored.token.created_us + lifetime_us : 0;
  return stored;
}

Result<Issued> AccessService::CreateToken(const net::Principal& by, NewToken wanted) {
  GYRE_TRY(const Scopes scopes, ParseScopes(wanted.scopes));
  if (!wanted.project.empty()) GYRE_DO(CheckName("project", wanted.project));
  if (wanted.name.size() > 128 || !IsValidUtf8(wanted.name))
    return InvalidArgument("GY1718", "a token's name has at most 128 characters");
  if (wanted.lifetime_us < 0)
    return InvalidArgument("GY1718", "a token cannot have ended before it begins");
  const bool full = by.kind == "owner" || by.kind == "user";
  if (!full) {
    return MakeError(Code::kPermissionDenied, "GY1706", "a token cannot make tokens")
        .Why("a leaked token must not outlive its own end")
        .Fix("gyre login");
  }
  Issued issued;
  StoredToken stored =
      NewStoredToken("personal", by.id, by.name, wanted.lifetime_us, &issued.secret);
  stored.token.name = std::move(wanted.name);
  stored.token.scopes = std::move(wanted.scopes);
  stored.token.project = std::move(wanted.project);
  GYRE_DO(Change([&](db::Transaction& tx) { return InsertTokenOfLivingUser(tx, stored); }));
  issued.token = stored.token;
  return issued;
}

Result<std::vector<Token>> AccessService::ListTokens(const net::Principal& by,
                                                     std::string_view after_id, int limit) {
  std::vector<Token> tokens;
  const std::string user_id = Administers(by) ? std::string() : by.id;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(tokens, ReadTokens(reader, user_id, after_id, limit, clock_.NowMicros()));
    return {};
  }));
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    for (Token& token : tokens) {
      if (token.id == known->token.id)
        token.last_used_us = known->used_us.load(std::memory_order_relaxed);
    }
  }
  return tokens;
}

Result<> AccessService::RevokeToken(const net::Principal& by, std::string_view id) {
  const bool all = Administers(by);
  std::string found;
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    if (!known->token.id.starts_with(id) || id.size() < 6 ||
        (!all && known->token.user_id != by.id))
      continue;
    if (!found.empty())
      return InvalidArgument("GY1716", "more than one token begins with `{}`", id);
    found = known->token.id;
  }
  if (found.empty()) return NotFound("GY1716", "there is no token `{}`", id).Fix("gyre tokens");
  return Change([&](db::Transaction& tx) { return RevokeTokenRow(tx, found, clock_.NowMicros()); });
}

Result<std::string> AccessService::IssueProgramToken(std::string_view project,
                                                     std::string_view run_id,
                                                     const net::Principal& by,
                                                     std::int64_t lifetime_us) {
  std::string secret;
  StoredToken stored = NewStoredToken("program", by.id, by.id, lifetime_us, &secret);
  // Whoever came with a limited token hands on no more than that.
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    if (!by.token_id.empty() && known->token.id == by.token_id)
      stored.token.scopes = known->token.scopes;
  }
  stored.token.project = project;
  stored.token.run_id = run_id;
  stored.token.name = "program of run " + std::string(run_id);
  GYRE_DO(Change([&](db::Transaction& tx) { return InsertTokenOfLivingUser(tx, stored); }));
  return secret;
}

std::string AccessService::RunOfProgram(const net::Principal& principal) const {
  if (principal.kind != "program") return {};
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    if (known->token.id == principal.token_id) return known->token.run_id;
  }
  return {};
}

Result<> AccessService::RevokeProgramTokens(std::string_view run_id) {
  return Change(
      [&](db::Transaction& tx) { return RevokeTokensOfRun(tx, run_id, clock_.NowMicros()); });
}

Result<std::vector<std::string>> AccessService::RunsOfLivePrograms() {
  std::vector<std::string> runs;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(runs, RunsWithLiveTokens(reader, clock_.NowMicros()));
    return {};
  }));
  return runs;
}

}  // namespace gyre::access
