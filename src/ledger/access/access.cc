#include "ledger/access/access.h"

#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/text.h"
#include "ledger/access/access_store.h"
#include "ledger/access/local_owner.h"
#include "ledger/access/login_failures.h"
#include "ledger/access/password.h"
#include "ledger/access/snapshot.h"
#include "platform/exec/thread_pool.h"
#include "platform/telemetry/log.h"

namespace gyre::access {
namespace {

constexpr telemetry::Logger kLog{"ledger/access"};
constexpr std::int64_t kTouchEveryMicros = 60 * kMicrosPerSecond;

std::string_view PrefixOf(std::string_view kind) {
  if (kind == "session") return "gyre_ses_";
  if (kind == "program") return "gyre_run_";
  return "gyre_pat_";
}

std::string_view BearerOf(const net::Request& request) {
  const auto header = request.Header("authorization");
  if (!header || header->size() < 8 || !EqualsIgnoreCase(header->substr(0, 7), "bearer "))
    return {};
  return Trim(header->substr(7));
}

bool IsChange(net::Method method) {
  return method != net::Method::kGet && method != net::Method::kHead &&
         method != net::Method::kOptions;
}

Error WrongLogin() {
  return Error(Code::kUnauthenticated, "GY1704", "user name or password is wrong");
}
Error UserHasGone() {
  return Error(Code::kUnauthenticated, "GY1720",
               "the user was removed, disabled or given another password meanwhile")
      .Fix("gyre login");
}

// Rights were judged before this transaction; the user may have lost them since.
Result<> InsertTokenOfLivingUser(db::Transaction& tx, const StoredToken& stored) {
  if (stored.token.user_id != kLocalOwner) {
    GYRE_TRY(const auto user, FindUserById(tx, stored.token.user_id));
    if (!user || user->disabled) return UserHasGone();
  }
  return InsertToken(tx, stored);
}
// The same for a password that was compared before.
Result<> CheckPasswordStands(db::Transaction& tx, std::string_view user_id, std::string_view hash) {
  GYRE_TRY(const std::string now, PasswordHashOf(tx, user_id));
  return now == hash ? Result<>() : UserHasGone();
}

Error NoSuchUser(std::string_view name) {
  return NotFound("GY1714", "there is no user `{}`", name).Fix("gyre users");
}

class AccessService final : public Access {
 public:
  AccessService(db::Database& database, const Clock& clock, AccessSettings settings)
      : db_(database),
        clock_(clock),
        settings_(settings),
        owner_uid_(settings.owner_uid.value_or(getuid())) {}

  Result<> Start() {
    GYRE_DO(Refresh());
    toucher_ = exec::Worker("access", [this](const exec::StopFlag& stop) {
      while (!stop.WaitMicros(kTouchEveryMicros)) TouchUsed();
    });
    return {};
  }
  ~AccessService() override {
    toucher_ = exec::Worker();
    TouchUsed();
  }

  // --- the gate
  Result<> Admit(net::Request& request, const net::Route& route) override {
    if (route.permission.name == net::kPublic.name) return {};
    return Judge(request, route);
  }
  Result<> Record(const net::Request& request, const net::Route& route, int status) override {
    // Strangers at a closed door are counted by the metrics; they must not be able to fill the
    // disk.
    const bool stranger =
        request.principal.id.empty() && route.permission.name != net::kPublic.name;
    return hook_ && !stranger ? hook_(request, route, status) : Result<>();
  }
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override {
    return !hook_ || !route.audited || !IsChange(request.method());
  }

  Result<std::string> NewSetupSecret() override;
  Result<Issued> Setup(std::string_view secret, std::string_view name,
                       std::string_view password) override;
  Result<Issued> Login(std::string_view name, std::string_view password,
                       std::string_view address) override;
  Result<> Logout(const net::Principal& principal) override;
  Result<Me> WhoAmI(const net::Principal& principal) override;
  Result<> ChangePassword(const net::Principal& principal, std::string_view old_password,
                          std::string_view password) override;
  Result<User> CreateUser(const net::Principal& by, std::string_view name,
                          std::string_view password, std::vector<Grant> grants) override;
  Result<std::vector<User>> ListUsers(std::string_view after_name, int limit) override;
  Result<User> GetUser(std::string_view name) override;
  Result<> SetPassword(const net::Principal& by, std::string_view name,
                       std::string_view password) override;
  Result<> SetDisabled(const net::Principal& by, std::string_view name, bool disabled) override;
  Result<> DeleteUser(const net::Principal& by, std::string_view name) override;
  Result<User> GrantRole(const net::Principal& by, std::string_view name,
                         const Grant& grant) override;
  Result<User> RevokeRole(const net::Principal& by, std::string_view name,
                          const Grant& grant) override;
  Result<Issued> CreateToken(const net::Principal& by, NewToken token) override;
  Result<std::vector<Token>> ListTokens(const net::Principal& by, std::string_view after_id,
                                        int limit) override;
  Result<> RevokeToken(const net::Principal& by, std::string_view id) override;
  Result<std::string> IssueProgramToken(std::string_view project, std::string_view run_id,
                                        std::string_view user, std::int64_t lifetime_us) override;
  Result<> RevokeProgramTokens(std::string_view run_id) override;
  Result<std::vector<std::string>> RunsOfLivePrograms() override;
  bool several_users() const override { return Current()->users > 1; }
  bool local_owner_allowed(std::string* why_not) const override;
  void SetChangeHook(ChangeHook hook) override { hook_ = std::move(hook); }

 private:
  Result<> Judge(net::Request& request, const net::Route& route);
  Result<> JudgeWithoutToken(net::Request& request);
  std::shared_ptr<const Snapshot> Current() const {
    MutexLock lock(mutex_);
    return snapshot_;
  }
  Result<> Refresh();
  void TouchUsed();
  // A change and the snapshot that shows it.
  Result<> Change(db::Database::WriteBody body) {
    GYRE_DO(db_.Write(std::move(body)));
    return Refresh();
  }
  Result<User> ChangeUser(std::string_view name,
                          const std::function<Result<>(db::Transaction&, const User&)>& change);
  StoredToken NewStoredToken(std::string_view kind, std::string_view user_id, std::string_view user,
                             std::int64_t lifetime_us, std::string* secret) const;
  bool Administers(const net::Principal& principal) const;

  db::Database& db_;
  const Clock& clock_;
  const AccessSettings settings_;
  const unsigned owner_uid_;
  ChangeHook hook_;
  LoginFailures failures_;
  Mutex refresh_mutex_;  // one rebuild at a time, so that an older one never replaces a newer
  mutable Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ GYRE_GUARDED_BY(mutex_);
  exec::Worker toucher_;
};

Result<> AccessService::Refresh() {
  MutexLock turn(refresh_mutex_);
  const std::shared_ptr<const Snapshot> before = Current();
  std::shared_ptr<const Snapshot> next;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(next, BuildSnapshot(reader, clock_.NowMicros(), before.get()));
    return {};
  }));
  MutexLock lock(mutex_);
  snapshot_ = std::move(next);
  return {};
}

void AccessService::TouchUsed() {
  const std::shared_ptr<const Snapshot> snapshot = Current();
  if (!snapshot) return;
  std::vector<std::pair<std::string, std::int64_t>> used;
  for (const auto& [hash, known] : snapshot->tokens) {
    const std::int64_t at_us = known->used_us.load(std::memory_order_relaxed);
    if (at_us > known->token.last_used_us) used.emplace_back(known->token.id, at_us);
  }
  if (used.empty()) return;
  const auto written = db_.Write([used = std::move(used)](db::Transaction& tx) -> Result<> {
    for (const auto& [id, at_us] : used) GYRE_DO(TouchToken(tx, id, at_us));
    return {};
  });
  if (!written) return kLog.Failed("cannot note when tokens were used", written.error());
  if (const auto refreshed = Refresh(); !refreshed)
    kLog.Failed("cannot read tokens", refreshed.error());
}

bool AccessService::local_owner_allowed(std::string* why_not) const {
  const char* reason = nullptr;
  if (settings_.auth_required) reason = "this server asks everybody to log in (--auth required)";
  if (settings_.behind_proxy) reason = "this server stands behind a proxy";
  if (settings_.beyond_loopback) reason = "this server listens beyond this machine";
  if (Current()->users > 1) reason = "this server has several users";
  if (reason != nullptr && why_not != nullptr) *why_not = reason;
  return reason == nullptr;
}

Result<> AccessService::JudgeWithoutToken(net::Request& request) {
  std::string why;
  if (local_owner_allowed(&why)) {
    const LocalVerdict verdict = JudgeLocal(request, owner_uid_);
    if (verdict == LocalVerdict::kOwner) {
      request.principal.id = kLocalOwner;
      request.principal.name = kLocalOwner;
      request.principal.kind = "owner";
      return {};
    }
    why = LocalVerdictText(verdict);
  }
  return Error(Code::kUnauthenticated, "GY1701", "nobody is logged in")
      .Why(std::move(why))
      .Fix("gyre login")
      .Fix("send Authorization: Bearer TOKEN");
}

Result<> AccessService::Judge(net::Request& request, const net::Route& route) {
  const std::string_view secret = BearerOf(request);
  if (secret.empty()) return JudgeWithoutToken(request);
  const std::shared_ptr<const Snapshot> snapshot = Current();
  const auto found = snapshot->tokens.find(Sha256Hex(secret));
  const std::int64_t now_us = clock_.NowMicros();
  const auto refused = [] {
    return Error(Code::kUnauthenticated, "GY1701", "this token is not known here, or it has ended")
        .Fix("gyre login");
  };
  if (found == snapshot->tokens.end()) return refused();
  const KnownToken& known = *found->second;
  if (known.user_disabled || (known.token.expires_us != 0 && known.token.expires_us <= now_us))
    return refused();
  // What the owner may without a login ends with it; a program keeps to its own run anyway.
  if (std::string why;
      known.of_local_owner && known.token.kind != "program" && !local_owner_allowed(&why)) {
    return Error(Code::kUnauthenticated, "GY1701",
                 "this token is the local owner's, who has to log in now")
        .Why(std::move(why))
        .Fix("gyre login, then gyre tokens create");
  }
  // A page of another site cannot know the token, but a browser extension or a proxy might add it:
  // changes stay same-origin.
  if (const auto origin = request.Header("origin");
      origin && IsChange(request.method()) &&
      IsForeignOrigin(*origin, request.Header("host").value_or(""))) {
    return MakeError(Code::kPermissionDenied, "GY1707",
                     "a web page of another site may not change anything here");
  }
  request.principal.id = known.token.kind == "program" ? known.token.id : known.token.user_id;
  request.principal.name =
      known.token.kind == "program" ? "run " + known.token.run_id : known.token.user;
  request.principal.kind = known.token.kind == "program"    ? "program"
                           : known.token.kind == "personal" ? "token"
                                                            : "user";
  request.principal.token_id = known.token.id;
  known.used_us.store(now_us, std::memory_order_relaxed);
  return JudgeToken(known, route, request);
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
                                    std::string_view password) {
  GYRE_DO(CheckName("user", name));
  GYRE_DO(CheckPassword(name, password));
  const std::int64_t now_us = clock_.NowMicros();
  const std::string hash = Sha256Hex(secret);
  const Error refused =
      Error(Code::kUnauthenticated, "GY1703", "this setup link is wrong, used or expired")
          .Fix("start the server again for a new one");
  if (Current()->users > 0) return refused;
  GYRE_TRY(const std::string password_hash, HashPassword(password));
  User user{NewId(), std::string(name), false, now_us, {{"*", Role::kAdmin}}};
  Issued issued;
  const StoredToken session =
      NewStoredToken("session", user.id, user.name, settings_.session_lifetime_us, &issued.secret);
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const int users, CountUsers(tx));
    GYRE_TRY(const bool good, UseSetup(tx, hash, now_us));
    if (users > 0 || !good) return refused;
    GYRE_DO(InsertUser(tx, user, password_hash, "setup"));
    GYRE_DO(InsertGrant(tx, user.id, user.grants[0], "setup", now_us));
    return InsertToken(tx, session);
  }));
  issued.token = session.token;
  kLog.Info("first user made", {{"user", user.name}});
  return issued;
}

Result<Issued> AccessService::Login(std::string_view name, std::string_view password,
                                    std::string_view address) {
  const std::int64_t now_us = clock_.NowMicros();
  const std::string by_user = "user " + std::string(name.substr(0, 200));
  const std::string by_address = "address " + std::string(address.substr(0, address.rfind(':')));
  GYRE_DO(failures_.Check(by_user, now_us, settings_));
  GYRE_DO(failures_.Check(by_address, now_us, settings_));
  std::optional<User> user;
  std::string hash;
  GYRE_DO(db_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(user, FindUser(reader, name));
    if (!user) return {};
    GYRE_TRY(hash, PasswordHashOf(reader, user->id));
    return {};
  }));
  if (!PasswordMatches(hash, password)) {
    failures_.Add(by_user, now_us);
    failures_.Add(by_address, now_us);
    kLog.Warn("login refused", {{"user", name}, {"address", address}});
    return WrongLogin();
  }
  failures_.Forget(by_user);
  failures_.Forget(by_address);
  Issued issued;
  const StoredToken session = NewStoredToken("session", user->id, user->name,
                                             settings_.session_lifetime_us, &issued.secret);
  GYRE_DO(Change([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckPasswordStands(tx, user->id, hash));
    return InsertTokenOfLivingUser(tx, session);
  }));
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

Result<> AccessService::DeleteUser(const net::Principal&, std::string_view name) {
  GYRE_TRY(const User user, ChangeUser(name, [&](db::Transaction& tx, const User& found) {
             return RemoveUser(tx, found.id, clock_.NowMicros());
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

// --- tokens

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
                                                     std::string_view run_id, std::string_view user,
                                                     std::int64_t lifetime_us) {
  std::string secret;
  StoredToken stored = NewStoredToken("program", user, user, lifetime_us, &secret);
  stored.token.project = project;
  stored.token.run_id = run_id;
  stored.token.name = "program of run " + std::string(run_id);
  GYRE_DO(Change([&](db::Transaction& tx) { return InsertTokenOfLivingUser(tx, stored); }));
  return secret;
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

}  // namespace

Result<std::unique_ptr<Access>> OpenAccess(db::Database& database, const Clock& clock,
                                           AccessSettings settings) {
  auto service = std::make_unique<AccessService>(database, clock, settings);
  GYRE_DO(service->Start());
  return std::unique_ptr<Access>(std::move(service));
}

}  // namespace gyre::access
