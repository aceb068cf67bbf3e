#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ledger/access/access_service.h"
#include "ledger/access/password.h"
#include "platform/telemetry/log.h"

namespace gyre::access {
namespace {

constexpr telemetry::Logger kLog{"ledger/access"};

Error WrongLogin() {
  return Error(Code::kUnauthenticated, "GY1704", "user name or password is wrong");
}
// A password was compared before this transaction.
Result<> CheckPasswordStands(db::Transaction& tx, std::string_view user_id, std::string_view hash) {
  GYRE_TRY(const std::string now, PasswordHashOf(tx, user_id));
  return now == hash ? Result<>() : UserHasGone();
}

// Names who comes in while his session is written; nobody has come in unless it is Done.
class Entering {
 public:
  Entering(const Token& session, net::Principal* who) : who_(who) {
    if (who_ == nullptr) return;
    *who_ = {.id = session.user_id, .name = session.user, .kind = "user", .token_id = session.id};
  }
  ~Entering() {
    if (who_ != nullptr) *who_ = {};
  }
  Entering(const Entering&) = delete;
  Entering& operator=(const Entering&) = delete;
  void Done() { who_ = nullptr; }

 private:
  net::Principal* who_;
};

Error NoSuchUser(std::string_view name) {
  return NotFound("GY1714", "there is no user `{}`", name).Fix("gyre users");
}

}  // namespace

// --- first start and login

Result<std::string> AccessService::NewSetupSecret() {
  if (Current()->users > 0) return std::string();
  const std::string secret = NewSecret("gyre_setup_");
  const std::int64_t expires_us = clock_.NowMicros() + settings_.setup_lifetime_us;
  GYRE_DO(db_.Write([hash = Sha256Hex(secret), expires_us](db::Transaction& tx) {
    return ReplaceSetup(tx, hash, expires_us);
  }));
  return secret;
}

Result<Issued> AccessService::Setup(std::string_view secret, std::string_view name,
                                    std::string_view password, net::Principal* who) {
  GYRE_DO(CheckName("user", name));
  GYRE_DO(CheckPassword(name, password));
  const std::int64_t now_us = clock_.NowMicros();
  const std::string hash = Sha256Hex(secret);
  const Error refused =
      Error(Code::kUnauthenticated, "GY1703", "this setup link is wrong, used or expired")
          .Fix("start the server again for a new one");
  if (Current()->users > 0)
    return Error(Code::kUnauthenticated, "GY1703", "there is a first user already")
        .Why("a setup link makes the first user only")
        .Fix("gyre login, or ask an administrator for a user");
  GYRE_TRY(const std::string password_hash, HashPassword(password));
  User user{NewId(), std::string(name), false, now_us, {{"*", Role::kAdmin}}};
  Issued issued;
  const StoredToken session =
      NewStoredToken("session", user.id, user.name, settings_.session_lifetime_us, &issued.secret);
  Entering entering(session.token, who);
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const int users, CountUsers(tx));
    GYRE_TRY(const bool good, UseSetup(tx, hash, now_us));
    if (users > 0 || !good) return refused;
    GYRE_DO(InsertUser(tx, user, password_hash, "setup"));
    GYRE_DO(InsertGrant(tx, user.id, user.grants[0], "setup", now_us));
    return InsertToken(tx, session);
  }));
  entering.Done();
  issued.token = session.token;
  kLog.Info("first user made", {{"user", user.name}});
  return issued;
}

Result<> AccessService::TryPassword(std::string_view name, const std::string& hash,
                                    std::string_view password, std::string_view address) {
  const std::int64_t now_us = clock_.NowMicros();
  const std::string by_user = "user " + std::string(name.substr(0, 200));
  const std::string by_address = "address " + std::string(address.substr(0, address.rfind(':')));
  GYRE_DO(failures_.Check(by_user, now_us, settings_));
  GYRE_DO(failures_.Check(by_address, now_us, settings_));
  if (!PasswordMatches(hash, password)) {
    failures_.Add(by_user, now_us);
    failures_.Add(by_address, now_us);
    kLog.Warn("login refused", {{"user", name}, {"address", address}});
    return WrongLogin();
  }
  failures_.Forget(by_user);
  failures_.Forget(by_address);
  return {};
}

Result<Issued> AccessService::Login(std::string_view name, std::string_view password,
                                    std::string_view address, net::Principal* who) {
  std::optional<User> user;
  std::string hash;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(user, FindUser(reader, name));
    if (!user) return {};
    GYRE_TRY(hash, PasswordHashOf(reader, user->id));
    return {};
  }));
  GYRE_DO(TryPassword(name, hash, password, address));
  Issued issued;
  const StoredToken session = NewStoredToken("session", user->id, user->name,
                                             settings_.session_lifetime_us, &issued.secret);
  Entering entering(session.token, who);
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckPasswordStands(tx, user->id, hash));
    return InsertTokenOfLivingUser(tx, session);
  }));
  entering.Done();
  issued.token = session.token;
  return issued;
}

Result<> AccessService::Logout(const net::Principal& principal) {
  if (principal.token_id.empty()) return {};
  return Change([id = principal.token_id, now_us = clock_.NowMicros()](db::Transaction& tx) {
    return RevokeTokenRow(tx, id, now_us);
  });
}

Result<Me> AccessService::WhoAmI(const net::Principal& principal) {
  Me me;
  me.principal = principal;
  me.scopes = {"*"};
  if (principal.kind == "owner") me.grants = {{"*", Role::kAdmin}};
  const std::shared_ptr<const Snapshot> snapshot = Current();
  for (const auto& [hash, known] : snapshot->tokens) {
    if (known->token.id == principal.token_id) me.scopes = known->token.scopes;
  }
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto user, FindUserById(reader, principal.id));
    if (user) me.grants = user->grants;
    return {};
  }));
  return me;
}

Result<> AccessService::ChangePassword(const net::Principal& principal,
                                       std::string_view old_password, std::string_view password) {
  GYRE_DO(CheckPassword(principal.name, password));
  GYRE_DO(failures_.Check("user " + principal.name, clock_.NowMicros(), settings_));
  std::string hash;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(hash, PasswordHashOf(reader, principal.id));
    return {};
  }));
  if (principal.kind != "user" || !PasswordMatches(hash, old_password)) {
    failures_.Add("user " + principal.name, clock_.NowMicros());
    return WrongLogin();
  }
  GYRE_TRY(const std::string next, HashPassword(password));
  return Change([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckPasswordStands(tx, principal.id, hash));
    GYRE_DO(UpdatePassword(tx, principal.id, next));
    return RevokeSessionsOf(tx, principal.id, clock_.NowMicros());
  });
}

// --- users

Result<User> AccessService::CreateUser(const net::Principal& by, std::string_view name,
                                       std::string_view password, std::vector<Grant> grants) {
  GYRE_DO(CheckName("user", name));
  if (name == kLocalOwner) return InvalidArgument("GY1717", "`{}` is not a name for a user", name);
  GYRE_DO(CheckPassword(name, password));
  for (const Grant& grant : grants) {
    if (grant.project != "*") GYRE_DO(CheckName("project", grant.project));
  }
  GYRE_TRY(const std::string hash, HashPassword(password));
  User user{NewId(), std::string(name), false, clock_.NowMicros(), std::move(grants)};
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto existing, FindUser(tx, user.name));
    if (existing)
      return MakeError(Code::kAlreadyExists, "GY1713", "there is a user `{}` already", user.name);
    GYRE_TRY(const int before, CountUsers(tx));
    if (before == 0 && user.grants.empty()) user.grants = {{"*", Role::kAdmin}};
    GYRE_DO(InsertUser(tx, user, hash, by.id));
    for (const Grant& grant : user.grants)
      GYRE_DO(InsertGrant(tx, user.id, grant, by.id, user.created_us));
    GYRE_TRY(const int users, CountUsers(tx));
    GYRE_TRY(const int administrators, CountAdministrators(tx));
    if (users < 2 || administrators > 0) return {};
    return FailedPrecondition("GY1715", "with two users somebody must be an administrator")
        .Why("from the second user on, the owner of the process has no rights without a login")
        .Fix("gyre roles grant USER admin");
  }));
  return GetUser(name);
}

Result<std::vector<User>> AccessService::ListUsers(std::string_view after_name, int limit) {
  std::vector<User> users;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(users, ReadUsers(reader, after_name, limit));
    return {};
  }));
  return users;
}

Result<User> AccessService::GetUser(std::string_view name) {
  std::optional<User> user;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(user, FindUser(reader, name));
    return {};
  }));
  if (!user) return NoSuchUser(name);
  return *user;
}

Result<User> AccessService::ChangeUser(
    std::string_view name, const std::function<Result<>(db::Transaction&, const User&)>& change) {
  User changed;
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const auto user, FindUser(tx, name));
    if (!user) return NoSuchUser(name);
    GYRE_DO(change(tx, *user));
    GYRE_TRY(const int users, CountUsers(tx));
    GYRE_TRY(const int administrators, CountAdministrators(tx));
    if (users > 0 && administrators == 0 && !user->grants.empty()) {
      const bool was = std::any_of(user->grants.begin(), user->grants.end(), [](const Grant& g) {
        return g.project == "*" && g.role == Role::kAdmin;
      });
      if (was) {
        return FailedPrecondition("GY1715", "`{}` is the last administrator", name)
            .Fix("gyre roles grant ANOTHER admin");
      }
    }
    GYRE_TRY(const auto after, FindUserById(tx, user->id));
    changed = after.value_or(*user);
    return {};
  }));
  return changed;
}

Result<> AccessService::SetPassword(const net::Principal&, std::string_view name,
                                    std::string_view password) {
  GYRE_DO(CheckPassword(name, password));
  GYRE_TRY(const std::string hash, HashPassword(password));
  GYRE_TRY(const User user,
           ChangeUser(name, [&](db::Transaction& tx, const User& found) -> Result<> {
             GYRE_DO(UpdatePassword(tx, found.id, hash));
             return RevokeSessionsOf(tx, found.id, clock_.NowMicros());
           }));
  failures_.Forget("user " + user.name);
  return {};
}

Result<> AccessService::SetDisabled(const net::Principal&, std::string_view name, bool disabled) {
  GYRE_TRY(const User user, ChangeUser(name, [&](db::Transaction& tx, const User& found) {
             return UpdateDisabled(tx, found.id, disabled);
           }));
  return {};
}

Result<> AccessService::DeleteUser(const net::Principal& by, std::string_view name) {
  GYRE_TRY(const User user, ChangeUser(name, [&](db::Transaction& tx, const User& found) {
             return RemoveUser(tx, found, by.name, clock_.NowMicros());
           }));
  return {};
}

Result<User> AccessService::GrantRole(const net::Principal& by, std::string_view name,
                                      const Grant& grant) {
  if (grant.project != "*") GYRE_DO(CheckName("project", grant.project));
  return ChangeUser(name, [&](db::Transaction& tx, const User& user) {
    return InsertGrant(tx, user.id, grant, by.id, clock_.NowMicros());
  });
}

Result<User> AccessService::RevokeRole(const net::Principal&, std::string_view name,
                                       const Grant& grant) {
  return ChangeUser(
      name, [&](db::Transaction& tx, const User& user) { return DeleteGrant(tx, user.id, grant); });
}

}  // namespace gyre::access
