// The service behind access.h, in three rooms: access.cc judges requests, access_users.cc keeps
// people, access_tokens.cc keeps tokens. Private.
#pragma once

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "ledger/access/access.h"
#include "ledger/access/access_store.h"
#include "ledger/access/basic_logins.h"
#include "ledger/access/login_failures.h"
#include "ledger/access/snapshot.h"
#include "ledger/access/witness.h"
#include "platform/exec/thread_pool.h"

namespace gyre::access {

inline constexpr std::int64_t kTouchEveryMicros = 60 * kMicrosPerSecond;

inline bool IsChange(net::Method method) {
  return method != net::Method::kGet && method != net::Method::kHead &&
         method != net::Method::kOptions;
}

// Rights were judged before this transaction; the user may have lost them since: GY1720.
Result<> InsertTokenOfLivingUser(db::Transaction& tx, const StoredToken& stored);
Error UserHasGone();

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
  Result<net::Response> Witness(const net::Request& request, const net::Route& route,
                                const std::function<Result<net::Response>()>& run) override {
    return recorder_ ? RunRecorded(db_, recorder_, request, route, run) : run();
  }
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override {
    if (recorder_ && route.audited && IsChange(request.method())) return false;
    return route.permission.name == net::kPublic.name || !ComparesPassword(request);
  }

  Result<std::string> NewSetupSecret() override;
  Result<Issued> Setup(std::string_view secret, std::string_view name, std::string_view password,
                       net::Principal* who) override;
  Result<Issued> Login(std::string_view name, std::string_view password, std::string_view address,
                       net::Principal* who) override;
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
  Result<> Refresh() override;
  Result<User> GrantRole(const net::Principal& by, std::string_view name,
                         const Grant& grant) override;
  Result<User> RevokeRole(const net::Principal& by, std::string_view name,
                          const Grant& grant) override;
  Result<Issued> CreateToken(const net::Principal& by, NewToken token) override;
  Result<std::vector<Token>> ListTokens(const net::Principal& by, std::string_view after_id,
                                        int limit) override;
  Result<> RevokeToken(const net::Principal& by, std::string_view id) override;
  Result<std::string> IssueProgramToken(std::string_view project, std::string_view run_id,
                                        const net::Principal& by,
                                        std::int64_t lifetime_us) override;
  std::string RunOfProgram(const net::Principal& principal) const override;
  Result<> RevokeProgramTokens(std::string_view run_id) override;
  Result<std::vector<std::string>> RunsOfLivePrograms() override;
  bool several_users() const override { return Current()->users > 1; }
  bool local_owner_allowed(std::string* why_not) const override;
  void SetChangeRecorder(ChangeRecorder recorder) override { recorder_ = std::move(recorder); }
  void SetProgramRoutes(ProgramRoutes routes) override { program_routes_ = std::move(routes); }

 private:
  Result<> Judge(net::Request& request, const net::Route& route);
  Result<> JudgeWithoutToken(net::Request& request);
  Result<> JudgeSecret(std::string_view secret, const net::Route& route, net::Request& request);
  Result<> JudgeCookie(std::string_view secret, const net::Route& route, net::Request& request);
  bool Opens(std::string_view secret) const;
  Result<> JudgePassword(const Credentials& credentials, const net::Route& route,
                         net::Request& request);
  // Whether judging this request takes as long as a password does.
  bool ComparesPassword(const net::Request& request) const;
  // Error: kUnauthenticated GY1704, kResourceExhausted GY1705.
  Result<> TryPassword(std::string_view name, const std::string& hash, std::string_view password,
                       std::string_view address);
  std::shared_ptr<const Snapshot> Current() const {
    MutexLock lock(mutex_);
    return snapshot_;
  }
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
  ChangeRecorder recorder_;
  ProgramRoutes program_routes_;
  LoginFailures failures_;
  BasicLogins basic_logins_;
  Mutex refresh_mutex_;  // one rebuild at a time, so that an older one never replaces a newer
  mutable Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ GYRE_GUARDED_BY(mutex_);
  exec::Worker toucher_;
};

}  // namespace gyre::access
