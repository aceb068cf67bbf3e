#include "ledger/access/access.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "ledger/access/access_service.h"
#include "ledger/access/local_owner.h"
#include "ledger/access/session_cookie.h"
#include "platform/telemetry/log.h"

namespace gyre::access {
namespace {

constexpr telemetry::Logger kLog{"ledger/access"};

std::string_view BearerOf(const net::Request& request) {
  const auto header = request.Header("authorization");
  if (!header || header->size() < 8 || !EqualsIgnoreCase(header->substr(0, 7), "bearer "))
    return {};
  return Trim(header->substr(7));
}

bool IsToken(std::string_view password) { return password.starts_with("gyre_"); }

// A page of another site cannot know a token, but a browser extension or a proxy might add it, and
// a browser keeps a name with its password: changes stay same-origin.
Result<> CheckOrigin(const net::Request& request) {
  const auto origin = request.Header("origin");
  if (!origin || !IsChange(request.method()) ||
      !IsForeignOrigin(*origin, request.Header("host").value_or(""), request.peer().tls))
    return {};
  return MakeError(Code::kPermissionDenied, "GY1707",
                   "a web page of another site may not change anything here");
}

}  // namespace

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
  if (const std::string_view secret = BearerOf(request); !secret.empty())
    return JudgeSecret(secret, route, request);
  const auto credentials = BasicOf(request);
  if (!credentials) {
    const std::string_view secret = SessionCookie(request);
    return Opens(secret) ? JudgeCookie(secret, route, request) : JudgeWithoutToken(request);
  }
  if (IsToken(credentials->password)) return JudgeSecret(credentials->password, route, request);
  return JudgePassword(*credentials, route, request);
}

// A browser goes on sending what has ended: it is nobody's then, as if it had sent nothing.
bool AccessService::Opens(std::string_view secret) const {
  if (secret.empty()) return false;
  const std::shared_ptr<const Snapshot> snapshot = Current();
  const auto found = snapshot->tokens.find(Sha256Hex(secret));
  if (found == snapshot->tokens.end()) return false;
  const KnownToken& known = *found->second;
  return known.token.kind == "session" && !known.user_disabled &&
         (known.token.expires_us == 0 || known.token.expires_us > clock_.NowMicros());
}

Result<> AccessService::JudgeCookie(std::string_view secret, const net::Route& route,
                                    net::Request& request) {
  if (IsChange(request.method())) GYRE_DO(CheckBrowserChange(request));
  return JudgeSecret(secret, route, request);
}

bool AccessService::ComparesPassword(const net::Request& request) const {
  const auto credentials = BasicOf(request);
  if (!credentials || IsToken(credentials->password)) return false;
  const std::shared_ptr<const Snapshot> snapshot = Current();
  const auto found = snapshot->enabled.find(credentials->name);
  return found == snapshot->enabled.end() ||
         !basic_logins_.Knows(*credentials, found->second->password_hash);
}

Result<> AccessService::JudgePassword(const Credentials& credentials, const net::Route& route,
                                      net::Request& request) {
  const std::shared_ptr<const Snapshot> snapshot = Current();
  const auto found = snapshot->enabled.find(credentials.name);
  // Of nobody: compared all the same, so that time does not tell who there is.
  const std::string hash =
      found == snapshot->enabled.end() ? std::string() : found->second->password_hash;
  if (!basic_logins_.Knows(credentials, hash)) {
    GYRE_DO(TryPassword(credentials.name, hash, credentials.password, request.peer().address));
    basic_logins_.Remember(credentials, hash);
  }
  GYRE_DO(CheckOrigin(request));
  const KnownToken& session = found->second->session;
  request.principal.id = session.token.user_id;
  request.principal.name = session.token.user;
  request.principal.kind = "user";
  return JudgeToken(session, route, request, false);
}

Result<> AccessService::JudgeSecret(std::string_view secret, const net::Route& route,
                                    net::Request& request) {
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
  // What the owner may without a login ends with it; a program then keeps to its own run.
  std::string why;
  const bool owner_may = !known.of_local_owner || local_owner_allowed(&why);
  if (!owner_may && known.token.kind != "program") {
    return Error(Code::kUnauthenticated, "GY1701",
                 "this token is the local owner's, who has to log in now")
        .Why(std::move(why))
        .Fix("gyre login, then gyre tokens add");
  }
  GYRE_DO(CheckOrigin(request));
  request.principal.id = known.token.kind == "program" ? known.token.id : known.token.user_id;
  request.principal.name =
      known.token.kind == "program" ? "run " + known.token.run_id : known.token.user;
  request.principal.kind = known.token.kind == "program"    ? "program"
                           : known.token.kind == "personal" ? "token"
                                                            : "user";
  request.principal.token_id = known.token.id;
  known.used_us.store(now_us, std::memory_order_relaxed);
  const bool as_user = owner_may && program_routes_ && program_routes_(route);
  return JudgeToken(known, route, request, as_user);
}

Result<std::unique_ptr<Access>> OpenAccess(db::Database& database, const Clock& clock,
                                           AccessSettings settings) {
  auto service = std::make_unique<AccessService>(database, clock, settings);
  GYRE_DO(service->Start());
  return std::unique_ptr<Access>(std::move(service));
}

}  // namespace gyre::access
