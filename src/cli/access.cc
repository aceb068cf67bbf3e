// gyre login, logout, users, tokens, roles: who may do what.
#include <termios.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "cli/credentials.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/removed.h"
#include "cli/session.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

// Keeps what is typed off the screen while it lives.
class Silence {
 public:
  Silence() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~Silence() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

Result<std::string> ReadLine(const std::string& prompt) {
  std::fputs(prompt.c_str(), stderr);
  std::string line;
  for (int c = std::getc(stdin); c != EOF && c != '\n'; c = std::getc(stdin)) {
    line += static_cast<char>(c);
    if (line.size() > 4096) break;
  }
  if (line.empty())
    return InvalidArgument("GY4050", "nothing was entered")
        .Fix("type it where it is asked for, or pipe it in: gyre ... < FILE");
  return line;
}

// From the terminal without echo, or one line of standard input. Never from an argument: those are
// visible to everybody.
Result<std::string> ReadPassword(const std::string& prompt) {
  if (isatty(STDIN_FILENO) == 0) return ReadLine("");
  const Silence silence;
  auto password = ReadLine(prompt);
  std::fputs("\n", stderr);
  return password;
}

Result<std::string> ReadNewPassword() {
  GYRE_TRY(std::string password, ReadPassword("New password: "));
  if (isatty(STDIN_FILENO) == 0) return password;
  GYRE_TRY(const std::string again, ReadPassword("Once more: "));
  if (again != password) return InvalidArgument("GY4051", "the two passwords differ");
  return password;
}

Result<int> Login(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  Output& out = in.out();
  std::string secret;
  std::string who;
  if (in.Has("token")) {
    GYRE_TRY(secret, ReadPassword("Token: "));
  } else {
    std::string name = in.Get("user");
    if (name.empty()) {
      GYRE_TRY(name, ReadLine("User: "));
    }
    Json answer;
    if (in.Has("setup")) {
      // The whole link or only its secret.
      std::string token = in.Get("setup");
      if (const std::size_t at = token.find("token="); at != std::string::npos)
        token = token.substr(at + 6);
      GYRE_TRY(const std::string password, ReadNewPassword());
      GYRE_TRY(answer, session->Post(
                           "/api/v1/setup",
                           Json::Obj({{"token", token}, {"name", name}, {"password", password}})));
    } else {
      GYRE_TRY(const std::string password, ReadPassword("Password: "));
      GYRE_TRY(answer,
               session->Post("/api/v1/login", Json::Obj({{"name", name}, {"password", password}})));
    }
    secret = answer["secret"].AsString();
    who = name;
  }
  GYRE_DO(KeepToken(session->audience(), secret));
  out.Done(who.empty() ? "token kept" : fmt::format("logged in as {}", who));
  out.Note(fmt::format("the token is kept in {}/credentials.json, readable by you only",
                       config::UserConfigDirectory()));
  return 0;
}

Result<int> Logout(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const auto ended = session->Post("/api/v1/logout", Json::Obj());
  // A token that the server does not know any more is forgotten all the same.
  if (!ended && ended.error().code() != Code::kUnauthenticated) return ended.error();
  GYRE_DO(KeepToken(session->audience(), ""));
  in.out().Done("logged out");
  return 0;
}

std::string RolesText(const Json& roles) {
  std::vector<std::string> texts;
  for (const Json& role : roles.items()) {
    const std::string& project = role["project"].AsString();
    texts.push_back(role["role"].AsString() + (project == "*" ? "" : "@" + project));
  }
  return Join(texts, ", ");
}

Result<int> WhoAmI(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json me, session->Get("/api/v1/me"));
  std::string human = fmt::format("{}   {}\nroles  {}\n", me["name"].AsString(),
                                  me["kind"].AsString(), RolesText(me["roles"]));
  in.out().Document(me, human);
  return 0;
}

std::string UserPath(std::string_view name) { return "/api/v1/users/" + PercentEncode(name); }

Result<int> ListUsers(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/users?limit=1000"));
  Json rows = Json::Arr();
  for (const Json& user : answer["items"].items()) {
    Json row = user;
    row.Set("roles", RolesText(user["roles"]));
    row.Set("state", user["disabled"].AsBool() ? "disabled" : "active");
    rows.Push(std::move(row));
  }
  in.out().Table({{"NAME", "name"},
                  {"ROLES", "roles"},
                  {"STATE", "state"},
                  {"CREATED", "created_at", ColumnSpec::Format::kTime}},
                 in.out().json() ? answer["items"] : rows);
  return 0;
}

Result<int> AddUser(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const std::string password, ReadNewPassword());
  Json roles = Json::Arr();
  for (const std::string& text : in.List("role")) {
    const std::size_t at = text.find('@');
    roles.Push(Json::Obj({{"role", text.substr(0, at)},
                          {"project", at == std::string::npos ? "*" : text.substr(at + 1)}}));
  }
  GYRE_TRY(const Json before, session->Get("/api/v1/users?limit=2"));
  GYRE_TRY(const Json user,
           session->Post("/api/v1/users", Json::Obj({{"name", in.Get("NAME")},
                                                     {"password", password},
                                                     {"roles", std::move(roles)}})));
  in.out().Done(fmt::format("user {}   {}", user["name"].AsString(), RolesText(user["roles"])));
  if (before["items"].size() == 1)
    in.out().Note("from now on everybody needs a token, you too: gyre login");
  if (in.out().json()) in.out().Document(user, "");
  return 0;
}

Result<int> ShowUser(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json user, session->Get(UserPath(in.Get("NAME"))));
  in.out().Document(user, fmt::format("{}   {}\nroles  {}\n", user["name"].AsString(),
                                      user["disabled"].AsBool() ? "disabled" : "active",
                                      RolesText(user["roles"])));
  return 0;
}

Result<int> RemoveUser(Invocation& in) {
  GYRE_DO(in.Confirm("remove user " + in.Get("NAME") + " with its tokens", in.Get("NAME")));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json gone, session->Delete(UserPath(in.Get("NAME"))));
  SayRemoved(in.out(), fmt::format("user {} with its tokens", in.Get("NAME")), gone);
  return 0;
}

Result<int> SetUser(Invocation& in, const Json& change, std::string_view done) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json user, session->Patch(UserPath(in.Get("NAME")), change));
  in.out().Done(fmt::format("user {} {}", user["name"].AsString(), done));
  return 0;
}
Result<int> DisableUser(Invocation& in) {
  return SetUser(in, Json::Obj({{"disabled", true}}), "disabled");
}
Result<int> EnableUser(Invocation& in) {
  return SetUser(in, Json::Obj({{"disabled", false}}), "enabled");
}
Result<int> PasswordOfUser(Invocation& in) {
  GYRE_TRY(const std::string password, ReadNewPassword());
  return SetUser(in, Json::Obj({{"password", password}}),
                 "has a new password; its sessions have ended");
}

Result<int> ListRoles(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/roles"));
  Json rows = Json::Arr();
  for (const Json& role : answer["items"].items()) {
    std::vector<std::string> names;
    for (const Json& permission : role["permissions"].items())
      names.push_back(permission.AsString());
    rows.Push(Json::Obj({{"name", role["name"]}, {"permissions", Join(names, " ")}}));
  }
  in.out().Table({{"ROLE", "name"}, {"MAY", "permissions"}},
                 in.out().json() ? answer["items"] : rows);
  in.out().Note("metrics.read is of the whole server: it needs a role in every project");
  return 0;
}

std::string RolePath(const Invocation& in) {
  std::string path = UserPath(in.Get("USER")) + "/roles/" + PercentEncode(in.Get("ROLE"));
  if (in.Has("in")) path += "?project=" + PercentEncode(in.Get("in"));
  return path;
}

Result<int> GrantRole(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json user, session->Put(RolePath(in), Json::Obj()));
  in.out().Done(fmt::format("user {}   {}", user["name"].AsString(), RolesText(user["roles"])));
  return 0;
}

Result<int> RevokeRole(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json user, session->Delete(RolePath(in)));
  in.out().Done(fmt::format("user {}   {}", user["name"].AsString(), RolesText(user["roles"])));
  return 0;
}

Result<int> ListTokens(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/tokens?limit=1000"));
  Json rows = Json::Arr();
  for (const Json& token : answer["items"].items()) {
    Json row = token;
    std::vector<std::string> scopes;
    for (const Json& scope : token["scopes"].items()) scopes.push_back(scope.AsString());
    row.Set("scopes", Join(scopes, " "));
    row.Set("short", token["id"].AsString().substr(0, 8));
    rows.Push(std::move(row));
  }
  in.out().Table({{"ID", "short"},
                  {"KIND", "kind"},
                  {"USER", "user"},
                  {"NAME", "name"},
                  {"SCOPES", "scopes"},
                  {"PROJECT", "project"},
                  {"EXPIRES", "expires_at", ColumnSpec::Format::kTime},
                  {"USED", "last_used_at", ColumnSpec::Format::kTime}},
                 in.out().json() ? answer["items"] : rows, "id");
  return 0;
}

Result<int> AddToken(Invocation& in) {
  Json body = Json::Obj({{"name", in.Get("NAME")}});
  if (in.Has("scope")) {
    Json scopes = Json::Arr();
    for (const std::string& scope : in.List("scope")) scopes.Push(scope);
    body.Set("scopes", std::move(scopes));
  }
  if (in.Has("only")) body.Set("project", in.Get("only"));
  if (in.Has("expires")) {
    GYRE_TRY(const double seconds, in.GetSeconds("expires"));
    body.Set("expires_in_seconds", static_cast<std::int64_t>(seconds));
  }
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Post("/api/v1/tokens", body));
  if (in.out().json()) {
    in.out().Document(answer, "");
  } else {
    in.out().Print(answer["secret"].AsString() + "\n");
    in.out().Note("shown once; send it as: Authorization: Bearer TOKEN");
  }
  return 0;
}

Result<int> RevokeToken(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json ignored, session->Delete("/api/v1/tokens/" + PercentEncode(in.Get("TOKEN"))));
  in.out().Done("token ended");
  return 0;
}

constexpr Positional kName[] = {{"NAME", "name of the user", true, false, "users"}};
constexpr Positional kTokenName[] = {{"NAME", "what it is for"}};
constexpr Positional kToken[] = {{"TOKEN", "id or the beginning of it"}};
constexpr Positional kUserRole[] = {{"USER", "name of the user", true, false, "users"},
                                    {"ROLE", "viewer, developer, approver, deployer or admin"}};
constexpr Option kLoginOptions[] = {
    {"--user", "NAME", "user name; asked for otherwise"},
    {"--token", "", "keep a token that you already have, read from standard input"},
    {"--setup", "LINK", "make the first user, with the link that the server printed"}};
constexpr Option kAddUserOptions[] = {
    {"--role", "ROLE[@PROJECT]", "a role everywhere, or in one project", {}, true}};
constexpr Option kRoleOptions[] = {
    {"--in", "PROJECT", "in this project only", {}, false, "projects"}};
constexpr Option kTokenOptions[] = {
    {"--scope", "SCOPE", "*, read, predict:ENDPOINT or a permission", {}, true},
    {"--only", "PROJECT", "for this project only", {}, false, "projects"},
    {"--expires", "TIME", "ends after this time: 90d, 12h"}};

constexpr Command kCommands[] = {
    {"login",
     "log in and keep a token for this server or data directory",
     "gyre login --user ann\ngyre --server https://gyre.example.org login --user ann\nprintf %s "
     "\"$TOKEN\" | gyre login --token",
     {},
     kLoginOptions,
     Login},
    {"logout", "end the kept token", "gyre logout", {}, {}, Logout},
    {"whoami", "who the server takes you for", "gyre whoami", {}, {}, WhoAmI},
    {"users", "who may log in", "gyre users", {}, {}, ListUsers},
    {"users add", "make a user; the password is asked for, or read from standard input",
     "gyre users add ann --role admin\ngyre users add bob --role developer@churn", kName,
     kAddUserOptions, AddUser},
    {"users show", "one user with its roles", "gyre users show ann", kName, {}, ShowUser},
    {"users password",
     "set a user's password",
     "gyre users password ann",
     kName,
     {},
     PasswordOfUser},
    {"users disable", "shut a user out", "gyre users disable bob", kName, {}, DisableUser},
    {"users enable", "let a user in again", "gyre users enable bob", kName, {}, EnableUser},
    {"users rm",
     "remove a user with its roles and tokens; gyre undelete brings it back",
     "gyre users rm bob --yes",
     kName,
     {},
     RemoveUser},
    {"roles", "what each role may", "gyre roles", {}, {}, ListRoles},
    {"roles grant", "give a user a role", "gyre roles grant bob deployer --in churn", kUserRole,
     kRoleOptions, GrantRole},
    {"roles revoke", "take a role away", "gyre roles revoke bob deployer --in churn", kUserRole,
     kRoleOptions, RevokeRole},
    {"tokens", "your tokens; an administrator sees all", "gyre tokens", {}, {}, ListTokens},
    {"tokens add", "make a token; its secret is printed once",
     "gyre tokens add ci --scope read --expires 90d\ngyre tokens add shop --scope predict:churn",
     kTokenName, kTokenOptions, AddToken},
    {"tokens rm", "end a token", "gyre tokens rm 3f9a2c11", kToken, {}, RevokeToken},
};

}  // namespace

std::span<const Command> AccessCommands() { return kCommands; }

}  // namespace gyre::cli
