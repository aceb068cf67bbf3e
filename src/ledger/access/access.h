// Who may do what: users, tokens, roles per project, and the gate in front of every route.
//
// The gate decides on an immutable snapshot in memory and never waits, so inline routes stay
// inline. A change is in force for requests that arrive after the call that made it returned.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "ledger/access/roles.h"
#include "platform/db/database.h"
#include "platform/net/http.h"

namespace gyre::access {

db::ModuleSchema AccessSchema();

struct AccessSettings {
  // While none of these is set and at most one user exists, the user who runs the server needs no
  // login on this machine.
  bool auth_required = false;
  bool behind_proxy = false;
  bool beyond_loopback = false;         // the server listens on an address that others can reach
  std::optional<unsigned> owner_uid{};  // of the process when empty
  std::int64_t setup_lifetime_us = 30 * 60 * kMicrosPerSecond;
  std::int64_t session_lifetime_us = 30 * kMicrosPerDay;
  int login_failures_max = 5;  // per user and per address, then a pause
  std::int64_t login_pause_us = 60 * kMicrosPerSecond;
};

struct Grant {
  std::string project;  // "*" = all
  Role role = Role::kViewer;
};
struct User {
  std::string id{}, name{};
  bool disabled = false;
  std::int64_t created_us = 0;
  std::vector<Grant> grants{};
};
struct Token {
  std::string id{}, kind{};  // kind: personal, session, program
  std::string user_id{}, user{}, name{};
  std::vector<std::string> scopes{};
  std::string project{};  // empty = every project its user may
  std::string run_id{};   // of a program
  std::int64_t created_us = 0, expires_us = 0, last_used_us = 0;  // 0 = never
};
struct NewToken {
  std::string name{};
  std::vector<std::string> scopes{"*"};
  std::string project{};
  std::int64_t lifetime_us = 0;  // 0 = for ever
};
struct Issued {
  Token token{};
  std::string secret{};  // shown once; only its hash is kept
};
struct Me {
  net::Principal principal{};
  std::vector<Grant> grants{};
  std::vector<std::string> scopes{};
};

class Access : public net::Gatekeeper {
 public:
  // --- first start: while there is no user, a one-time secret makes the first one, an
  // administrator. A new secret (valid for setup_lifetime_us, replacing the one before), or "" when
  // a user exists.
  virtual Result<std::string> NewSetupSecret() = 0;
  // Errors: kUnauthenticated GY1703 wrong, used or expired; kInvalidArgument GY1712 weak password,
  // GY1200 name.
  // `who`, here and below: becomes the user before the session is written, because the record of
  // the change rides on that write; nobody again when it fails.
  virtual Result<Issued> Setup(std::string_view secret, std::string_view name,
                               std::string_view password, net::Principal* who = nullptr) = 0;

  // --- login. Errors: kUnauthenticated GY1704 (never says which of the two was wrong),
  // kResourceExhausted GY1705 after failures.
  virtual Result<Issued> Login(std::string_view name, std::string_view password,
                               std::string_view address, net::Principal* who = nullptr) = 0;
  virtual Result<> Logout(const net::Principal& principal) = 0;
  virtual Result<Me> WhoAmI(const net::Principal& principal) = 0;
  virtual Result<> ChangePassword(const net::Principal& principal, std::string_view old_password,
                                  std::string_view password) = 0;

  // --- users. Errors: kAlreadyExists GY1713, kNotFound GY1714, kFailedPrecondition GY1715 when
  // nobody would be left who administers.
  virtual Result<User> CreateUser(const net::Principal& by, std::string_view name,
                                  std::string_view password, std::vector<Grant> grants) = 0;
  virtual Result<std::vector<User>> ListUsers(std::string_view after_name, int limit) = 0;
  virtual Result<User> GetUser(std::string_view name) = 0;
  virtual Result<> SetPassword(const net::Principal& by, std::string_view name,
                               std::string_view password) = 0;  // ends its sessions
  virtual Result<> SetDisabled(const net::Principal& by, std::string_view name, bool disabled) = 0;
  // With its roles and tokens, into the trash; sessions end for good.
  virtual Result<> DeleteUser(const net::Principal& by, std::string_view name) = 0;
  virtual Result<> Refresh() = 0;  // others have changed the rows
  virtual Result<User> GrantRole(const net::Principal& by, std::string_view name,
                                 const Grant& grant) = 0;
  virtual Result<User> RevokeRole(const net::Principal& by, std::string_view name,
                                  const Grant& grant) = 0;

  // --- tokens. A token never allows more than its maker may; one made with a limited token is
  // refused (kPermissionDenied GY1706).
  virtual Result<Issued> CreateToken(const net::Principal& by, NewToken token) = 0;
  virtual Result<std::vector<Token>> ListTokens(const net::Principal& by, std::string_view after_id,
                                                int limit) = 0;  // administrators: all
  virtual Result<> RevokeToken(const net::Principal& by,
                               std::string_view id) = 0;  // kNotFound GY1716; id or unique prefix

  // --- programs that gyre starts: reads in their project, writes to their own run, and on the
  // routes that SetProgramRoutes names, in that project, what `by` may, who started them; nothing
  // else.
  virtual Result<std::string> IssueProgramToken(std::string_view project, std::string_view run_id,
                                                const net::Principal& by,
                                                std::int64_t lifetime_us) = 0;
  // The run whose program this is; empty = no program.
  virtual std::string RunOfProgram(const net::Principal& principal) const = 0;
  virtual Result<> RevokeProgramTokens(std::string_view run_id) = 0;
  // Runs whose program may still write to them: their token is neither revoked nor expired.
  virtual Result<std::vector<std::string>> RunsOfLivePrograms() = 0;
  // With several users a program must not see the socket or other people's files: start it
  // isolated, or refuse.
  virtual bool several_users() const = 0;

  // Whether the local owner still needs no login; and why not.
  virtual bool local_owner_allowed(std::string* why_not = nullptr) const = 0;
  // Makes the record of an audited change, to be written with the first thing that the change
  // writes (no status yet); what writes nothing, fails or is denied to somebody known is recorded
  // after it, with its status. A record that cannot be written fails the change. Set before the
  // server starts.
  using ChangeRecorder = std::function<db::Database::WriteBody(
      const net::Request& request, const net::Route& route, std::optional<int> status)>;
  virtual void SetChangeRecorder(ChangeRecorder recorder) = 0;
  // Set before the server starts.
  using ProgramRoutes = std::function<bool(const net::Route& route)>;
  virtual void SetProgramRoutes(ProgramRoutes routes) = 0;
};

// Errors: those of the database.
Result<std::unique_ptr<Access>> OpenAccess(db::Database& database, const Clock& clock,
                                           AccessSettings settings);

}  // namespace gyre::access
